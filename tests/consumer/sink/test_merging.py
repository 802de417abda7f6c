from hypothesis import given
from hypothesis import strategies as st

from consumer.sink.merging import FAN, plan_merge


@given(st.lists(st.integers(1, 10**6), max_size=60))
def test_a_merge_is_of_neighbours_within_the_limit(sizes):
    chosen = plan_merge(sizes, limit_bytes=10**5)
    if chosen is not None:
        assert len(chosen) >= 2
        assert 0 <= chosen.start < chosen.stop <= len(sizes)
        assert sum(sizes[i] for i in chosen) <= 10**5


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=600))
def test_merging_as_segments_come_keeps_few_of_them_and_rewrites_each_byte_rarely(arrivals):
    sizes, rewritten, limit = [], 0, 10**6
    for size in arrivals:
        sizes.append(size)
        while chosen := plan_merge(sizes, limit_bytes=limit):
            total = sum(sizes[chosen.start : chosen.stop])
            rewritten += total
            sizes[chosen.start : chosen.stop] = [total]
    large = [size for size in sizes if size * 2 > limit]
    assert len(sizes) - len(large) <= 7 * FAN
    assert rewritten <= 7 * sum(arrivals)
