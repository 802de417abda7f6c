"""Units of measurement in Chinese and English, as dimensions and a factor.

A table of our own: pint takes 40 MB and seconds to load, knows no Chinese, and reads "units/kg" as micro-nits.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

Dimensions = tuple[tuple[str, int], ...]
"""Base units with their powers, in alphabetical order; empty for a plain ratio."""

_SI = {
    "m": "m", "g": "kg:1e-3", "s": "s", "A": "A", "K": "K", "mol": "mol", "cd": "cd", "Hz": "s-1", "N": "kg m s-2",
    "Pa": "kg m-1 s-2", "J": "kg m2 s-2", "W": "kg m2 s-3", "C": "A s", "V": "kg m2 s-3 A-1", "F": "kg-1 m-2 s4 A2",
    "Ω": "kg m2 s-3 A-2", "ohm": "kg m2 s-3 A-2", "S": "kg-1 m-2 s3 A2", "T": "kg s-2 A-1", "H": "kg m2 s-2 A-2",
    "lm": "lm", "lx": "lm m-2", "eV": "kg m2 s-2:1.602176634e-19", "L": "m3:1e-3", "l": "m3:1e-3", "bit": "bit",
    "B": "bit:8", "bar": "kg m-1 s-2:1e5", "Torr": "kg m-1 s-2:133.322368", "cal": "kg m2 s-2:4.184",
    "t": "kg:1e3", "Wh": "kg m2 s-2:3600", "metre": "m", "meter": "m", "gram": "kg:1e-3", "litre": "m3:1e-3",
    "liter": "m3:1e-3", "second": "s", "volt": "kg m2 s-3 A-1", "watt": "kg m2 s-3", "amp": "A", "ampere": "A",
    "hertz": "s-1", "joule": "kg m2 s-2", "pascal": "kg m-1 s-2", "byte": "bit:8",
}  # fmt: skip
_PREFIXES = {
    "p": -12,
    "n": -9,
    "μ": -6,
    "m": -3,
    "c": -2,
    "d": -1,
    "h": 2,
    "k": 3,
    "K": 3,
    "M": 6,
    "G": 9,
    "T": 12,
    "f": -15,
    "a": -18,
}
_LONG_PREFIXES = {"pico": -12, "nano": -9, "micro": -6, "milli": -3, "centi": -2, "kilo": 3, "mega": 6, "giga": 9}
_OTHERS = {
    "%": ":1e-2", "percent": ":1e-2", "‰": ":1e-3", "ppm": ":1e-6", "ppb": ":1e-9", "min": "s:60", "h": "s:3600",
    "hr": "s:3600", "d": "s:86400", "minute": "s:60", "hour": "s:3600", "day": "s:86400", "week": "s:604800",
    "month": "s:2629800", "year": "s:31557600", "yr": "s:31557600", "°": "deg", "degree": "deg", "°C": "degC",
    "degrees Celsius": "degC", "degree Celsius": "degC", "°F": "degF", "degrees Fahrenheit": "degF", "degrees C": "degC",
    "psi": "kg m-1 s-2:6894.757", "atm": "kg m-1 s-2:101325", "mmHg": "kg m-1 s-2:133.322387", "inch": "m:0.0254",
    "inches": "m:0.0254", "foot": "m:0.3048", "feet": "m:0.3048", "ft": "m:0.3048", "mile": "m:1609.344",
    "Å": "m:1e-10", "rpm": "r s-1:1.6666666666666666e-2", "r": "r", "dec": "dec", "dB": "dB", "dBm": "dBm",
    "sccm": "sccm", "slm": "sccm:1e3", "KiB": "bit:8192", "MiB": "bit:8388608", "GiB": "bit:8589934592",
    "nit": "cd m-2", "ha": "m2:1e4", "lb": "kg:0.45359237", "oz": "kg:0.0283495", "tonne": "kg:1e3", "kgf": "kg m s-2:9.80665",
    "USD": "USD", "EUR": "EUR", "euro": "EUR", "dollar": "USD", "yuan": "CNY", "RMB": "CNY", "CNY": "CNY", "€": "EUR",
    "度": "deg", "摄氏度": "degC", "华氏度": "degF", "小时": "s:3600", "个小时": "s:3600", "分钟": "s:60", "天": "s:86400",
    "周": "s:604800", "星期": "s:604800", "个星期": "s:604800", "个月": "s:2629800", "年": "s:31557600",
    "季度": "s:7889400", "公里": "m:1e3", "公斤": "kg", "斤": "kg:0.5", "吨": "kg:1e3", "亩": "m2:666.6667",
    "公顷": "m2:1e4", "英寸": "m:0.0254", "英尺": "m:0.3048", "元": "CNY", "美元": "USD", "欧元": "EUR", "日元": "JPY",
    "个百分点": "point:1e-2", "百分点": "point:1e-2", "percentage point": "point:1e-2", "basis point": "point:1e-4",
    "bp": "point:1e-4", "bps": "point:1e-4", "个基点": "point:1e-4", "基点": "point:1e-4", "sec": "s", "secs": "s", "mins": "s:60",
    "hrs": "s:3600", "cent": "USD:0.01", "美分": "USD:0.01", "decade": "s:315576000", "century": "s:3155760000", "centuries": "s:3155760000", "fortnight": "s:1209600",
    "世纪": "s:3155760000", "个世纪": "s:3155760000", "日": "s:86400", "成": ":1e-1", "埃": "m:1e-10",
}  # fmt: skip
_CHINESE = {
    "米": "m", "克": "kg:1e-3", "秒": "s", "安": "A", "安培": "A", "摩尔": "mol", "赫兹": "s-1", "赫": "s-1", "帕": "kg m-1 s-2",
    "帕斯卡": "kg m-1 s-2", "焦耳": "kg m2 s-2", "焦": "kg m2 s-2", "瓦": "kg m2 s-3", "瓦特": "kg m2 s-3", "伏": "kg m2 s-3 A-1",
    "伏特": "kg m2 s-3 A-1", "法拉": "kg-1 m-2 s4 A2", "欧姆": "kg m2 s-3 A-2", "欧": "kg m2 s-3 A-2", "升": "m3:1e-3",
    "电子伏": "kg m2 s-2:1.602176634e-19", "电子伏特": "kg m2 s-2:1.602176634e-19", "开": "K", "开尔文": "K", "托": "kg m-1 s-2:133.322368",
}  # fmt: skip
_CHINESE_PREFIXES = {"皮": -12, "纳": -9, "微": -6, "毫": -3, "厘": -2, "分": -1, "千": 3, "兆": 6, "吉": 9}
_NO_PLURAL = frozenset(
    ["m", "g", "s", "A", "K", "N", "J", "W", "C", "V", "F", "S", "T", "H", "L", "l", "B", "t", "h", "d", "r", "L"]
)


@dataclass(frozen=True, slots=True)
class Unit:
    """`factor` to base units; `above` is that of what stands before "per"."""

    dimensions: Dimensions
    factor: float
    above: float

    def power(self, exponent: int) -> "Unit":
        factor = self.factor**exponent
        return Unit(tuple((base, power * exponent) for base, power in self.dimensions), factor, factor)

    def times(self, other: "Unit") -> "Unit":
        return Unit(self._added(other, 1), self.factor * other.factor, self.above * other.factor)

    def per(self, other: "Unit") -> "Unit":
        return Unit(self._added(other, -1), self.factor / other.factor, self.above)

    def _added(self, other: "Unit", sign: int) -> Dimensions:
        powers = dict(self.dimensions)
        for base, power in other.dimensions:
            powers[base] = powers.get(base, 0) + sign * power
        return tuple(sorted((b, p) for b, p in powers.items() if p))


ONE = Unit((), 1.0, 1.0)


def _defined(definition: str) -> Unit:
    bases, _, factor = definition.partition(":")
    parts = re.findall(r"([A-Za-z]+)(-?\d*)", bases)
    return Unit(tuple(sorted((base, int(power or 1)) for base, power in parts)), *[float(factor or 1)] * 2)


def _entries() -> Iterator[tuple[str, Unit]]:
    for name, definition in _SI.items():
        unit = _defined(definition)
        prefixes = _LONG_PREFIXES if len(name) > 3 and name != "Torr" else _PREFIXES
        yield from ((prefix + name, _scaled(unit, power)) for prefix, power in prefixes.items())
    for name, definition in _CHINESE.items():
        unit = _defined(definition)
        yield name, unit
        yield from ((prefix + name, _scaled(unit, power)) for prefix, power in _CHINESE_PREFIXES.items())
    yield from ((f"平方{name}", unit.power(2)) for name, unit in _lengths())
    yield from ((f"立方{name}", unit.power(3)) for name, unit in _lengths())
    yield from ((name, _defined(definition)) for name, definition in (_SI | _OTHERS).items())


def _lengths() -> Iterator[tuple[str, Unit]]:
    metre = _defined("m")
    yield from (("米", metre), ("公里", _scaled(metre, 3)))
    yield from ((f"{prefix}米", _scaled(metre, power)) for prefix, power in _CHINESE_PREFIXES.items())


def _scaled(unit: Unit, power: int) -> Unit:
    factor = unit.factor * 10.0**power
    return Unit(unit.dimensions, factor, factor)


@lru_cache(maxsize=1)
def _table() -> dict[str, Unit]:
    return dict(_entries())


_LONGEST_CHINESE = 7
_LATIN = re.compile(r"(?:percentage|basis) points?|degrees? (?:Celsius|Fahrenheit|C\b)|[A-Za-zμΩÅ]+|°[CF]?|[%‰€]")
_EXPONENT = re.compile(r"\^?(-?[1-4])(?!\d)")
_TIMES = re.compile(r"\s?[·⋅*]\s?")
_PER = re.compile(r"\s?/\s?| per (?=[a-zA-Z])|每")


def unit_at(text: str, at: int) -> tuple[Unit, int] | None:
    """The unit that stands there, and where it ends. `text` has superscripts as ^2."""
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


def _divisor_at(text: str, at: int) -> tuple[Unit, int] | None:
    if text[at : at + 1] != "(":
        below = _power_at(text, at)
        # "每伏秒" divides by both.
        more = _power_at(text, below[1]) if below and text[at - 1] == "每" else None
        return (below[0].times(more[0]), more[1]) if below and more else below
    inner = unit_at(text, at + 1)
    return (inner[0], inner[1] + 1) if inner and text[inner[1] : inner[1] + 1] == ")" else None


def _power_at(text: str, at: int) -> tuple[Unit, int] | None:
    name = _name_at(text, at)
    if name is None:
        return None
    unit, end = name
    exponent = _EXPONENT.match(text, end) if text[end - 1] < "\u2e80" else None
    return (unit.power(int(exponent[1])), exponent.end()) if exponent else (unit, end)


def _name_at(text: str, at: int) -> tuple[Unit, int] | None:
    table = _table()
    if match := _LATIN.match(text, at):
        unit = table.get(match[0]) or _plural(match[0])
        return (unit, match.end()) if unit else None
    for length in range(min(_LONGEST_CHINESE, len(text) - at), 0, -1):
        if (unit := table.get(text[at : at + length])) and text[at : at + 1] > "\u2e80":
            return unit, at + length
    return None


def _plural(word: str) -> Unit | None:
    if word[-1] != "s" or word[:-1] in _NO_PLURAL or len(word) < 3:
        return None
    return _table().get(word[:-1])
