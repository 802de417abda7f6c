"""Counts planned, kept and rejected pairs by type or language."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from consumer.dataset.report.numbers import PairNumbers
from schemas import PairType

TYPES: tuple[str, ...] = tuple(PairType)


@dataclass(slots=True)
class Groups:
    """Counts pairs by the name of their group. Without a plan, the pairs that came count as planned."""

    planned: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)

    def take(self, kept: Iterable[str], rejected: Iterable[str], planned: Mapping[str, int] | None = None) -> None:
        """Counts the pairs of one chunk, each given by the name of its group."""
        got, refused = Counter(kept), Counter(rejected)
        self.kept += got
        self.rejected += refused
        self.planned += Counter(planned) if planned else got + refused

    def all(self) -> PairNumbers:
        """Returns the numbers of all groups together."""
        return self._group("all", self.planned.total(), self.kept.total(), self.rejected.total())

    def each(self) -> tuple[PairNumbers, ...]:
        """Returns the numbers of each group: types in the order of their definition, then other names."""
        names = sorted(self.planned | self.kept | self.rejected, key=_place)
        return tuple(self._group(name, self.planned[name], self.kept[name], self.rejected[name]) for name in names)

    def _group(self, name: str, planned: int, kept: int, rejected: int) -> PairNumbers:
        return PairNumbers(
            name=name or "unknown", planned=planned, asked=kept + rejected, kept=kept, rejected=rejected,
            planned_share=ratio(planned, self.planned.total()), kept_share=ratio(kept, self.kept.total()),
            passed=ratio(kept, kept + rejected),
        )  # fmt: skip


def ratio(part: float, whole: float) -> float | None:
    """Returns the quotient, rounded to 6 digits; None where `whole` is 0."""
    return round(part / whole, 6) if whole else None


def _place(name: str) -> tuple[int, str]:
    return TYPES.index(name) if name in TYPES else len(TYPES), name
