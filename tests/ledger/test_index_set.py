import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from ledger.index_set import BLOCK, IndexSet

INDEXES = st.one_of(st.integers(0, 3 * BLOCK), st.integers(0, 2**63 - 1))


@given(st.lists(INDEXES), INDEXES)
def test_it_is_a_set(indexes: list[int], end: int) -> None:
    made, model = IndexSet(), set[int]()
    for index in indexes:
        assert made.add(index) == (index not in model)
        model.add(index)
    for below in (end, 2**64):
        assert made.count_below(below) == sum(index < below for index in model)


def test_a_million_indexes_from_twelve_partitions_one_after_another_are_cheap() -> None:
    made = IndexSet()
    tracemalloc.start()
    for partition in range(12):
        for index in range(partition, 1_000_000, 12):
            made.add(index)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.count_below(1_000_000) == 1_000_000
    assert peak < 200_000
