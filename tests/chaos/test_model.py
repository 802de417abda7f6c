from collections import Counter

from chaos.model import COSTLY, FREE, MOST_SPOILT, Misbehaviour

SCRIPTED = {*FREE, *COSTLY}


def choices(script: Misbehaviour, text: str, count: int) -> Counter[str]:
    return Counter(script._choose(text) for _ in range(count))


def test_all_ways_to_fail_are_chosen_about_as_often_as_asked():
    script = Misbehaviour(seed=1, bad=0.2, drips=0.01)
    done = sum((choices(script, f"text {n}", 1) for n in range(20_000)), Counter())
    assert done.keys() - {"good"} == SCRIPTED
    assert 0.18 < 1 - done["good"] / done.total() < 0.22


def test_no_text_loses_more_than_its_attempts_allow():
    script = Misbehaviour(seed=1, bad=1.0)
    done = choices(script, "text", 1000)
    assert sum(done[kind] for kind in COSTLY) == MOST_SPOILT


def test_planted_texts_fail_always():
    script = Misbehaviour(seed=1, bad=0.2)
    assert choices(script, "PLANTED refused", 50) == {"refused": 50}
    assert choices(script, "PLANTED garbage", 50) == {"no_json": 50}
