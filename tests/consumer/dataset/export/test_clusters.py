"""Union-find against sets."""

from hypothesis import given
from hypothesis import strategies as st

from consumer.dataset.export.clusters import Clusters

NUMBERS = st.integers(0, 20)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=30))
def test_a_cluster_goes_by_its_smallest_member(pairs):
    clusters, sets = Clusters(), {number: {number} for number in range(21)}
    for one, other in pairs:
        clusters.join(one, other)
        joined = sets[one] | sets[other]
        for member in joined:
            sets[member] = joined
    assert all(clusters.of(number) == min(members) for number, members in sets.items())
