"""Calculates how many pairs of each type give a data set with exact proportions of types."""

from collections.abc import Mapping
from fractions import Fraction
from math import inf

from configs.errors import SettingsError
from schemas import PairType

DEFAULT = "factual=15,comparative=15,reasoning=50,open=20"

Proportions = Mapping[str, Fraction]


def parse_proportions(text: str) -> dict[str, Fraction]:
    """Returns shares that add up to 1, from `type=number,…`; other types have the share 0. Raises SettingsError."""
    try:
        shares = {name.strip(): Fraction(value) for name, value in (part.split("=") for part in text.split(","))}
    except (ValueError, ZeroDivisionError):
        raise _refused(text) from None
    total = sum(shares.values())
    if set(shares) - set(PairType) or min(shares.values()) < 0 or total <= 0:
        raise _refused(text)
    return {kind: shares.get(kind, Fraction(0)) / total for kind in PairType}


def quotas(available: Mapping[str, int], proportions: Proportions, *, most: float = inf) -> dict[str, int]:
    """Returns the largest numbers of pairs by type in these proportions, at most `most` together.

    Each number differs from `share * total` by less than 1. `available` has how many pairs there are of each type.
    """
    total = min((available.get(kind, 0) + 1) // share for kind, share in proportions.items() if share)
    total = int(min(total, most))
    while (found := _quotas_of(total, available, proportions)) is None:
        total -= 1
    return found


def _quotas_of(total: int, available: Mapping[str, int], proportions: Proportions) -> dict[str, int] | None:
    """Returns numbers that add up to `total`, by largest remainders; None where there are too few pairs."""
    exact = {kind: share * total for kind, share in proportions.items()}
    found = {kind: int(value) for kind, value in exact.items()}
    missing = total - sum(found.values())
    if any(count > available.get(kind, 0) for kind, count in found.items()):
        return None
    more = [kind for kind in found if exact[kind] > found[kind] < available.get(kind, 0)]
    for kind in sorted(more, key=lambda kind: found[kind] - exact[kind])[:missing]:
        found[kind] += 1
    return found if missing <= len(more) else None


def _refused(text: str) -> SettingsError:
    return SettingsError(f"--balance {text}: takes shares of types ({', '.join(PairType)}), such as {DEFAULT}")
