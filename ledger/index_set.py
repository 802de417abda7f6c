"""A set of chunk indexes that is cheap for a million indexes in any order, and for one index of any size."""

BLOCK = 4096


class IndexSet:
    """One integer of bits for each block that has any: a million indexes take some 150 kB, one at most 1 kB."""

    __slots__ = ("_blocks",)

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}

    def add(self, index: int) -> bool:
        """Adds `index` and tells whether it is new."""
        number, bit = divmod(index, BLOCK)
        bits = self._blocks.get(number, 0)
        if bits >> bit & 1:
            return False
        self._blocks[number] = bits | 1 << bit
        return True

    def count_below(self, end: int) -> int:
        """Counts the indexes that are less than `end`."""
        number, bit = divmod(end, BLOCK)
        below = sum(bits.bit_count() for block, bits in self._blocks.items() if block < number)
        return below + (self._blocks.get(number, 0) & ((1 << bit) - 1)).bit_count()
