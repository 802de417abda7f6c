"""The controller against a model of vLLM's scheduler, in simulated time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.worker.model.controller import MOST_SLOWER, LimitController, SlowDown
from consumer.worker.model.endpoint import LOOK_EVERY_S
from consumer.worker.model.servers import look_again_s
from inference.client import QueueSample
from tests.consumer.worker.scheduler_model import STEP_S, Server, drive


class Fixed(LimitController):
    def observe(self, sample: QueueSample, in_flight: int) -> None: ...


def controllers(number: int) -> list[LimitController]:
    return [LimitController(least=1, most=1024, start=4) for _ in range(number)]


def measured(server: Server, driving: list[LimitController], *, seed: int) -> tuple[float, float]:
    """Tokens a second and median latency over two minutes, once warm."""
    server.tokens = 0
    server.latencies.clear()
    drive(server, driving, seconds=120, seed=seed)
    return server.tokens / 120, sorted(server.latencies)[len(server.latencies) // 2]


def best_fixed(slots: int) -> tuple[float, float]:
    """Of the limit that just fills the server."""
    server, fixed = Server(slots), [Fixed(least=1, most=1024, start=slots)]
    drive(server, fixed, seconds=30, seed=1)
    return measured(server, fixed, seed=2)


@pytest.mark.parametrize("workers", [1, 3, 6])
@pytest.mark.parametrize("slots", [8, 16, 64, 256])
def test_fed_and_not_flooded_from_cold_and_shared_fairly(slots: int, workers: int):
    throughput, latency = best_fixed(slots)
    server, driving = Server(slots), controllers(workers)
    history = drive(server, driving, seconds=120, seed=3)
    assert server.tokens / 120 >= 0.95 * throughput, "from cold"
    warm, warm_latency = measured(server, driving, seed=4)
    assert warm >= 0.98 * throughput
    assert warm_latency <= 1.5 * latency
    history = drive(server, driving, seconds=600, seed=5)
    means = [sum(limits[n] for limits in history) / len(history) for n in range(workers)]
    assert max(means) <= 2.0 * min(means) + 1, means


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("late_s", [0.0, 1.0])
@pytest.mark.parametrize(("slots", "prompt_s"), [(16, 0.0), (64, 0.02), (256, 0.05), (256, 0.0)])
def test_full_soon_from_cold_and_never_flooded(slots: int, prompt_s: float, late_s: float, workers: int):
    """Prompts that wait to be read, and metrics that don't tell yet, are no reason to stop, or to leap again."""
    server, driving = Server(slots, prompt_s=prompt_s, late_s=late_s), controllers(workers)
    soon_s = slots * prompt_s + 3 + 8 * late_s
    longest = 0
    while server.now_s < soon_s and len(server.running) < 0.95 * slots:
        drive(server, driving, seconds=STEP_S, seed=int(server.now_s * 1000))
        longest = max(longest, len(server.waiting))
    assert len(server.running) >= 0.95 * slots
    for seed in range(200):
        drive(server, driving, seconds=STEP_S, seed=seed)
        longest = max(longest, len(server.waiting))
    assert longest <= 1.5 * slots + 8 * workers


def test_a_worker_that_joins_gets_its_share():
    server, driving = Server(64), controllers(2)
    drive(server, driving, seconds=60, seed=1)
    driving += controllers(1)
    history = drive(server, driving, seconds=120, seed=2)
    late = [limits[2] for limits in history[int(60 / STEP_S) :]]
    assert sum(late) / len(late) > 64 / 3 / 2


def test_a_server_that_loses_slots_is_not_flooded_for_long():
    server, driving = Server(64), controllers(1)
    drive(server, driving, seconds=60, seed=1)
    server.slots = 16
    history = drive(server, driving, seconds=60, seed=2)
    assert sum(history[-1]) <= 16 + max(4, 16 / 4) + 4


@given(
    st.lists(st.tuples(st.integers(0, 600), st.integers(0, 600), st.integers(0, 600), st.booleans()), max_size=200),
    st.integers(1, 20),
    st.integers(0, 500),
)
@settings(max_examples=200)
def test_the_limit_stays_within_its_bounds_whatever_is_seen(steps, least: int, more: int):
    controller = LimitController(least=least, most=least + more, start=10)
    for running, waiting, in_flight, overloaded in steps:
        if overloaded:
            controller.ended(overloaded=True)
            controller.tick(in_flight)
        else:
            controller.observe(QueueSample(running, waiting), in_flight)
        assert least <= controller.limit <= least + more


def test_looks_are_rarer_while_the_queue_is_right_and_soon_again_when_not():
    controller = LimitController(least=1, most=100, start=20)
    controller.observe(QueueSample(16, 4), 20)
    for _ in range(5000):
        controller.observe(QueueSample(16, 4), 20)
    assert look_again_s(controller, 20) > 3 * LOOK_EVERY_S
    controller.observe(QueueSample(16, 40), 20)
    assert look_again_s(controller, 20) == LOOK_EVERY_S


def test_a_limit_that_is_not_used_is_not_raised():
    controller = LimitController(least=1, most=100, start=10)
    for _ in range(50):
        controller.observe(QueueSample(2, 0), 2)
        controller.tick(2)
    assert controller.limit == 10


def test_without_metrics_overload_cuts_and_silence_raises():
    controller = LimitController(least=1, most=100, start=50)
    for overloaded in (True, False, True):
        controller.ended(overloaded=overloaded)
    controller.tick(50)
    assert controller.limit == 35
    controller.tick(50)
    assert controller.limit == 35, "still draining"
    controller.tick(35)
    assert controller.limit > 35


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_good_neighbour_keeps_to_its_share_and_lets_nothing_wait(share: float):
    server = Server(64, each_s=0.00005)
    driving = [LimitController(least=1, most=1024, start=4, share=share)]
    drive(server, driving, seconds=60, seed=1)
    history = drive(server, driving, seconds=120, seed=2)
    mean = sum(limits[0] for limits in history) / len(history)
    assert 0.7 * share * 64 <= mean <= share * 64


@pytest.mark.parametrize(("each_s", "workers"), [(0.0004, 1), (0.0004, 3), (0.001, 1), (0.002, 1)])
def test_good_neighbours_make_a_token_of_others_at_most_so_much_slower(each_s: float, workers: int):
    server = Server(64, each_s=each_s)
    driving = [LimitController(least=1, most=1024, start=4, share=0.9) for _ in range(workers)]
    drive(server, driving, seconds=60, seed=1)
    seen = []
    for seed in range(240):
        drive(server, driving, seconds=0.5, seed=seed)
        seen.append(server.slower)
    seen.sort()
    assert 1.1 <= seen[len(seen) // 2] <= 1.05 * MOST_SLOWER
    assert seen[int(0.95 * len(seen))] <= 1.15 * MOST_SLOWER


def test_a_good_neighbour_learns_anew_how_fast_the_server_is_alone():
    slow_down, tokens, seconds = SlowDown(), 0.0, 0.0

    def look(running: float, token_s: float) -> float | None:
        nonlocal tokens, seconds
        tokens, seconds = tokens + 100, seconds + 100 * token_s
        return slow_down.observe(QueueSample(running, 0, tokens, seconds))

    assert look(1, 0.01) is None
    assert look(1, 0.01) == 1.0
    assert look(8, 0.02) == pytest.approx(2.0)
    assert look(1, 0.02) == 1.0, "prompts are longer now, say"
    assert look(8, 0.03) == pytest.approx(1.5)


def test_a_good_neighbour_does_not_grow_before_it_knows():
    controller = LimitController(least=1, most=100, start=8, share=0.5)
    for tokens in (0, 10, 20):
        controller.observe(QueueSample(1, 0, tokens, 0.01 * tokens), 1)
    assert controller.limit == 1


def test_a_good_neighbour_gives_way_when_others_wait():
    controller = LimitController(least=1, most=100, start=40, share=0.5)
    for _ in range(5):
        controller.observe(QueueSample(64, 3), controller.limit)
    assert controller.limit < 10


def test_a_moody_server_is_not_taken_for_a_full_one():
    controller = LimitController(least=1, most=100, start=50)
    for _ in range(20):
        for number in range(100):
            controller.ended(overloaded=number % 20 == 0)
        controller.tick(controller.limit)
    assert controller.limit > 60
