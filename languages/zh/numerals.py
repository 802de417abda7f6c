"""Chinese numbers in words: 三千五百, 两万, 三分之一, 两个半小时."""

import re
from collections.abc import Iterator

from languages.language import FractionInWords, Numerals

_PATTERN = "[零〇一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+)?"
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_GROUPS = {"万": 10**4, "亿": 10**8}
_DENOMINATORS = {"十万": 1e5, "百万": 1e6, "亿": 1e8, "百": 100.0, "千": 1000.0, "万": 10000.0}
_FRACTION = re.compile(
    r"(百万|十万|亿|百|千|万|[二三四五六七八九十]+)分之([零〇一二两三四五六七八九十百千点]+|\d+(?:\.\d+)?)"
)
_HALF = re.compile("一半|减半|半(?=年|小时|个)")
_AND_HALF_MORE = re.compile(r"(?P<count>[一二两三四五六七八九十]+|\d+)(?P<unit>个?(?:小时|[年月天周圈倍]))半")


def chinese_number(text: str) -> float:
    """The value of a number in characters: 三千五百 is 3500.0."""
    whole, _, decimals = text.partition("点")
    fraction = float("0." + "".join(str(_DIGITS[c]) for c in decimals)) if decimals else 0.0
    if not any(c in _UNITS or c in _GROUPS for c in whole):
        return float("".join(str(_DIGITS[c]) for c in whole)) + fraction
    total = section = digit = 0
    for c in whole:
        if c in _DIGITS:
            digit = _DIGITS[c]
        elif c in _UNITS:
            section, digit = section + (digit or 1) * _UNITS[c], 0
        else:
            total, section, digit = (total + section + digit or 1) * _GROUPS[c], 0, 0
    return total + section + digit + fraction


def _fractions(text: str) -> Iterator[FractionInWords]:
    for match in _FRACTION.finditer(text):
        below = _DENOMINATORS.get(match[1]) or chinese_number(match[1])
        above = float(match[2]) if match[2][0].isdigit() else chinese_number(match[2])
        yield FractionInWords(above / below, 1 / below if below >= 100 else 0.0, *match.span())
    yield from (FractionInWords(0.5, 0.0, *match.span()) for match in _HALF.finditer(text))


def _and_a_half(match: re.Match[str]) -> str:
    count = match["count"]
    return f"{(float(count) if count.isdigit() else chinese_number(count)) + 0.5:g}{match['unit']}"


NUMERALS = Numerals(
    pattern=_PATTERN,
    value=chinese_number,
    ignored=frozenset(("一", "万", "亿", "千", "百", "零", "十", "一一")),
    multiple="万亿|[万亿]",
    multiples={"万": 1e4, "亿": 1e8, "万亿": 1e12},
    continuing="百千万亿",
    fractions=_fractions,
    halves=((_AND_HALF_MORE, _and_a_half),),
)
