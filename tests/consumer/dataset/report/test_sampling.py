from hypothesis import given
from hypothesis import strategies as st

from consumer.dataset.report.sampling import Sampler

NAMES = st.lists(st.text(max_size=8), unique=True, max_size=50)


def sampled(names, *, seed=0, size=5) -> list[str]:
    sampler = Sampler[str](size, seed=seed)
    for name in names:
        sampler.offer(name, name)
    return list(sampler.items())


@given(NAMES, st.randoms())
def test_the_same_ones_in_whatever_order_they_come(names, random):
    shuffled = list(names)
    random.shuffle(shuffled)
    chosen = sampled(names)
    assert chosen == sampled(shuffled)
    assert len(chosen) == min(5, len(names))
    assert set(chosen) <= set(names)


def test_another_seed_is_another_choice():
    names = [f"pair {number}" for number in range(1000)]
    assert sampled(names, seed=1) != sampled(names, seed=2)


def test_each_is_as_likely_as_any_other():
    names = [f"pair {number}" for number in range(10)]
    counts = [sum(name in sampled(names, seed=seed) for seed in range(400)) for name in names]
    assert all(150 < count < 250 for count in counts)
