"""Finds out which texts must be on the same side of a split into training and validation data."""


class Clusters:
    """Finds and joins clusters of numbers (union-find). Numbers that were never joined take no memory."""

    def __init__(self) -> None:
        self._above: dict[int, int] = {}

    def join(self, one: int, other: int) -> None:
        """Makes one cluster of the clusters of two numbers."""
        low, high = sorted((self.of(one), self.of(other)))
        if low != high:
            self._above[high] = low

    def of(self, number: int) -> int:
        """Returns the smallest number in the cluster of `number`."""
        root = number
        while (above := self._above.get(root)) is not None:
            root = above
        while (above := self._above.get(number)) is not None:
            self._above[number], number = root, above
        return root
