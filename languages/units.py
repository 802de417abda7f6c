"""Units of measurement as dimensions and a factor, and reading them in a text.

A definition is written "kg m2 s-2:1e3": base units with their powers, and a factor after the colon. The table is our
own, because pint takes 40 MB and seconds to load, knows no Chinese, and reads "units/kg" as micro-nits.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from languages import LANGUAGES

Dimensions = tuple[tuple[str, int], ...]
"""Base units with their powers, in alphabetical order. A plain ratio has none."""

_SYMBOLS = {
    "m": "m", "g": "kg:1e-3", "s": "s", "A": "A", "K": "K", "mol": "mol", "cd": "cd", "Hz": "s-1", "N": "kg m s-2",
    "Pa": "kg m-1 s-2", "J": "kg m2 s-2", "W": "kg m2 s-3", "C": "A s", "V": "kg m2 s-3 A-1", "F": "kg-1 m-2 s4 A2",
    "Ω": "kg m2 s-3 A-2", "ohm": "kg m2 s-3 A-2", "S": "kg-1 m-2 s3 A2", "T": "kg s-2 A-1", "H": "kg m2 s-2 A-2",
    "lm": "lm", "lx": "lm m-2", "eV": "kg m2 s-2:1.602176634e-19", "L": "m3:1e-3", "l": "m3:1e-3", "bit": "bit",
    "B": "bit:8", "bar": "kg m-1 s-2:1e5", "Torr": "kg m-1 s-2:133.322368", "cal": "kg m2 s-2:4.184", "t": "kg:1e3",
    "Wh": "kg m2 s-2:3600", "amp": "A",
}  # fmt: skip
_PREFIXES = {
    "p": -12, "n": -9, "μ": -6, "m": -3, "c": -2, "d": -1, "h": 2, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12, "f": -15, "a": -18,
}  # fmt: skip
_WHOLE_SYMBOLS = {
    "%": ":1e-2", "‰": ":1e-3", "ppm": ":1e-6", "ppb": ":1e-9", "min": "s:60", "h": "s:3600", "hr": "s:3600",
    "d": "s:86400", "yr": "s:31557600", "°": "deg", "°C": "degC", "°F": "degF", "psi": "kg m-1 s-2:6894.757",
    "atm": "kg m-1 s-2:101325", "mmHg": "kg m-1 s-2:133.322387", "Å": "m:1e-10", "rpm": "r s-1:1.6666666666666666e-2",
    "r": "r", "dec": "dec", "dB": "dB", "dBm": "dBm", "sccm": "sccm", "slm": "sccm:1e3", "KiB": "bit:8192",
    "MiB": "bit:8388608", "GiB": "bit:8589934592", "nit": "cd m-2", "ha": "m2:1e4", "lb": "kg:0.45359237",
    "oz": "kg:0.0283495", "kgf": "kg m s-2:9.80665", "USD": "USD", "EUR": "EUR", "RMB": "CNY", "CNY": "CNY",
    "€": "EUR", "bp": "point:1e-4", "bps": "point:1e-4",
}  # fmt: skip
_NO_PLURAL = frozenset("m g s A K N J W C V F S T H L l B t h d r".split())


@dataclass(frozen=True, slots=True)
class MeasurementUnit:
    """A unit. `factor` converts to base units; `above` is the factor of the part before "per" alone."""

    dimensions: Dimensions
    factor: float
    above: float

    def power(self, exponent: int) -> "MeasurementUnit":
        factor = self.factor**exponent
        return MeasurementUnit(tuple((base, power * exponent) for base, power in self.dimensions), factor, factor)

    def times(self, other: "MeasurementUnit") -> "MeasurementUnit":
        return MeasurementUnit(self._added(other, 1), self.factor * other.factor, self.above * other.factor)

    def per(self, other: "MeasurementUnit") -> "MeasurementUnit":
        return MeasurementUnit(self._added(other, -1), self.factor / other.factor, self.above)

    def _added(self, other: "MeasurementUnit", sign: int) -> Dimensions:
        powers = dict(self.dimensions)
        for base, power in other.dimensions:
            powers[base] = powers.get(base, 0) + sign * power
        return tuple(sorted((b, p) for b, p in powers.items() if p))


ONE = MeasurementUnit((), 1.0, 1.0)


def _defined(definition: str, prefix: int = 0) -> MeasurementUnit:
    """The unit of a definition, times ten to the power `prefix`."""
    bases, _, written = definition.partition(":")
    parts = re.findall(r"([A-Za-z]+)(-?\d*)", bases)
    factor = float(written or 1) * 10.0**prefix
    return MeasurementUnit(tuple(sorted((base, int(power or 1)) for base, power in parts)), factor, factor)


def _entries() -> Iterator[tuple[str, MeasurementUnit]]:
    """Names and their units. A later entry replaces an earlier one of the same name."""
    yield from _prefixed(_SYMBOLS, _PREFIXES)
    for language in LANGUAGES:
        names = language.units
        yield from _prefixed(names.prefixed, names.prefixes)
        for word, power in names.powers.items():
            yield from ((word + name, _defined(length).power(power)) for name, length in names.lengths.items())
    of_languages = (table for it in LANGUAGES for table in (it.units.prefixed, it.units.whole))
    for known in (_SYMBOLS, _WHOLE_SYMBOLS, *of_languages):
        yield from ((name, _defined(definition)) for name, definition in known.items())


def _prefixed(names: Mapping[str, str], prefixes: Mapping[str, int]) -> Iterator[tuple[str, MeasurementUnit]]:
    for name, definition in names.items():
        yield from ((prefix + name, _defined(definition, power)) for prefix, power in prefixes.items())


@lru_cache(maxsize=1)
def _table() -> dict[str, MeasurementUnit]:
    return dict(_entries())


_LONGEST = 7
"""Length of the longest name of a unit in a script without spaces, in characters."""
_LATIN = re.compile(rf"{LANGUAGES.either(lambda it: it.units.phrases)}|[A-Za-zμΩÅ]+|°[CF]?|[%‰€]")
_EXPONENT = re.compile(r"\^?(-?[1-4])(?!\d)")
_TIMES = re.compile(r"\s?[·⋅*]\s?")
_PER = re.compile(rf"\s?/\s?|{LANGUAGES.either(lambda it: it.units.per)}")


def unit_at(text: str, at: int) -> tuple[MeasurementUnit, int] | None:
    """The unit at `text[at:]` and its end in `text`, or None. Superscripts must be written as ^2."""
    first = _power_at(text, at)
    if first is None:
        return None
    unit, end = first
    while True:
        if (times := _TIMES.match(text, end)) and (more := _power_at(text, times.end())):
            unit, end = unit.times(more[0]), more[1]
        elif (per := _PER.match(text, end)) and (below := _divisor_at(text, per.end())):
            unit, end = unit.per(below[0]), below[1]
        else:
            return unit, end


def _divisor_at(text: str, at: int) -> tuple[MeasurementUnit, int] | None:
    if text[at : at + 1] != "(":
        below = _power_at(text, at)
        # 每伏秒 divides by both units.
        more = _power_at(text, below[1]) if below and text[at - 1] > "\u2e80" else None
        return (below[0].times(more[0]), more[1]) if below and more else below
    inner = unit_at(text, at + 1)
    return (inner[0], inner[1] + 1) if inner and text[inner[1] : inner[1] + 1] == ")" else None


def _power_at(text: str, at: int) -> tuple[MeasurementUnit, int] | None:
    name = _name_at(text, at)
    if name is None:
        return None
    unit, end = name
    exponent = _EXPONENT.match(text, end) if text[end - 1] < "\u2e80" else None
    return (unit.power(int(exponent[1])), exponent.end()) if exponent else (unit, end)


def _name_at(text: str, at: int) -> tuple[MeasurementUnit, int] | None:
    table = _table()
    if match := _LATIN.match(text, at):
        unit = table.get(match[0]) or _plural(match[0])
        return (unit, match.end()) if unit else None
    for length in range(min(_LONGEST, len(text) - at), 0, -1):
        if (unit := table.get(text[at : at + length])) and text[at : at + 1] > "\u2e80":
            return unit, at + length
    return None


def _plural(word: str) -> MeasurementUnit | None:
    if word[-1] != "s" or word[:-1] in _NO_PLURAL or len(word) < 3:
        return None
    return _table().get(word[:-1])
