from chaos.faults import CORRUPT, FAULTS, KILLS, ZOMBIES
from chaos.plan import CORRUPTIONS, CUTS, DAILY, POINTS, deck_for, make_plan
from chaos.proxy import Api

HOUR = deck_for(60, 6)


def test_a_seed_gives_the_same_plan_again_and_another_seed_another():
    assert make_plan(HOUR, seed=1, every_s=6) == make_plan(HOUR, seed=1, every_s=6)
    assert make_plan(HOUR, seed=1, every_s=6) != make_plan(HOUR, seed=2, every_s=6)


def test_every_card_of_the_deck_is_played():
    plan = make_plan(HOUR, seed=1, every_s=6)
    assert {kind: sum(fault.kind == kind for fault in plan) for kind in HOUR} == HOUR
    assert HOUR.keys() == FAULTS.keys()


def test_every_step_is_killed_at_and_every_kind_of_request_is_cut():
    for deck in (DAILY.deck, HOUR):
        points = {fault.parameters.get("point") for fault in make_plan(deck, seed=1, every_s=6)}
        assert points >= set(POINTS)
    cut = {fault.parameters["api"] for fault in make_plan(HOUR, seed=1, every_s=6) if fault.kind == "cut"}
    assert cut == set(CUTS)


def test_what_a_plan_names_exists():
    assert set(CUTS) <= set(Api.__members__)
    assert set(CORRUPTIONS) == set(CORRUPT)


def test_a_day_has_the_faults_that_are_promised():
    assert sum(DAILY.deck[kind] for kind in KILLS) >= 30
    assert sum(DAILY.deck[kind] for kind in ZOMBIES) >= 8
    assert sum(DAILY.deck[kind] for kind in ("kill broker", "restart broker", "kill broker on assignment")) >= 3


def test_an_hour_has_the_faults_that_are_promised():
    assert HOUR["kill"] + HOUR["kill at"] >= 300
    assert HOUR["zombie"] + HOUR["stop at"] >= 60
    assert HOUR["kill broker"] + HOUR["restart broker"] + HOUR["kill broker on assignment"] >= 30
