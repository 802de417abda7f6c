"""Texts that belong on the same side of a split."""


class Clusters:
    """Union-find over numbers. Only those that were joined take memory; each cluster goes by its smallest number."""

    def __init__(self) -> None:
        self._above: dict[int, int] = {}

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.of(one), self.of(other)))
        if low != high:
            self._above[high] = low

    def of(self, number: int) -> int:
        root = number
        while (above := self._above.get(root)) is not None:
            root = above
        while (above := self._above.get(number)) is not None:
            self._above[number], number = root, above
        return root
