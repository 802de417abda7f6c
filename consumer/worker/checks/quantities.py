"""The numbers of a text with their units: figures, words, fractions, ranges."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from languages.numerals import CHINESE, ENGLISH, MULTIPLES, chinese_number, english_number
from languages.units import ONE, Unit, unit_at

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_POWER = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_MINUS = str.maketrans("−–—‐‑﹣", "------")

_FIGURES = re.compile(
    r"(?<![A-Za-z\d_^.])(?<![A-Za-z]-)(?<![A-Za-z]\d-)"
    r"(?:(?P<tens>10\^(?P<power>-?\d{1,3}))"
    r"|(?P<number>\d{1,3}(?:[, ]\d{3})+(?!\d)|\d+)(?P<decimals>\.\d+)?(?:\s?[×x*]\s?10(?:\^|(?=-))(?P<exponent>-?\d{1,3})(?!\d))?)"
    r"(?P<multiple>\s?(?:万亿|[万亿]|(?:thousand|million|billion|trillion)(?![A-Za-z])))?"
)
_ITEM = re.compile(r"(?:^|\n|(?<=[；;。:：]))\s*[(（]?\d{1,2}(?:[.、)）](?!\d)|:)\s*")
_FRACTION = re.compile(
    r"(百万|十万|亿|百|千|万|[二三四五六七八九十]+)分之([零〇一二两三四五六七八九十百千点]+|\d+(?:\.\d+)?)"
)
_ENGLISH_FRACTIONS = {
    "one and a half": 1.5, "half": 0.5, "halved": 0.5, "halves": 0.5, "halving": 0.5, "one third": 1 / 3, "a third": 1 / 3,
    "two thirds": 2 / 3, "two-thirds": 2 / 3, "one-third": 1 / 3, "a quarter": 0.25, "one quarter": 0.25, "three quarters": 0.75,
    "three-quarters": 0.75, "twice": 2, "double": 2, "doubles": 2, "doubled": 2, "doubling": 2, "tenfold": 10, "dozen": 12,
}  # fmt: skip
_PARTS = re.compile(
    rf"\b(?:{'|'.join(sorted(_ENGLISH_FRACTIONS, key=len, reverse=True))})\b|一半|减半|半(?=年|小时|个)", re.IGNORECASE
)
_ONE_IN = re.compile(rf"\bone (?:in|out of) (\d+|{ENGLISH.pattern})", re.IGNORECASE)
_AND_A_HALF = re.compile(r"\b(?P<count>an?|one|two|three|\d+) (?P<unit>\w+) and a half\b", re.IGNORECASE)
_HALF_A = re.compile(r"\bhalf (?:an?|of an?) (?=\w)", re.IGNORECASE)
_AND_HALF_MORE = re.compile(r"(?P<count>[一二两三四五六七八九十]+|\d+)(?P<unit>个?(?:小时|[年月天周圈倍]))半")
_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = re.compile(rf"\b(?:{'|'.join(m.title() for m in _MONTHS)})\b")
_RANGE = re.compile(r"\s?(?:~|-|至|到|或|、|and|to|or)\s?")


TEMPERATURES = frozenset({(("degC", 1),), (("degF", 1),), (("K", 1),)})
_CHANGE = re.compile(
    r"差|升高|上升|降低|下降|提高|升温|降温|温升|温差|每|变化|±|"
    r"\b(?:by|differ\w*|rise|per|every|each|higher|lower|hotter|cooler|colder|warmer|range|span|within|gap)\b",
    re.IGNORECASE,
)
_STOP = re.compile(r"[，。；,;.]")
_PERIODS = {
    "second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0, "month": 2629800.0, "quarter": 7889400.0,
    "year": 31557600.0, "daily": 86400.0, "hourly": 3600.0, "weekly": 604800.0, "monthly": 2629800.0, "yearly": 31557600.0,
    "annually": 31557600.0, "秒": 1.0, "分钟": 60.0, "小时": 3600.0, "天": 86400.0, "日": 86400.0, "周": 604800.0,
    "星期": 604800.0, "月": 2629800.0, "季度": 7889400.0, "年": 31557600.0,
}  # fmt: skip
_PERIOD_AFTER = re.compile(
    r"(?: [A-Za-z-]+){0,3}? (?:(?:an?|per|each|every) (?=[a-z]+\b)(second|minute|hour|day|week|month|quarter|year)\b)|"
    r"(?: [A-Za-z-]+){0,3}? (?P<adverb>daily|hourly|weekly|monthly|yearly|annually)\b",
    re.IGNORECASE,
)
_PERIOD_BEFORE = re.compile(r"每个?(秒|分钟|小时|天|日|周|星期|月|季度|年)[^，。；：,;:\d每]{0,8}$")
_ONE = re.compile(
    r"\b(?:an?|one|each|every|per) (?=[a-z]{3})|(?<![十百千万第之统])一(?=个?[小分秒天日周月年季世星])", re.IGNORECASE
)
_NOTHING = re.compile(r"\s?(?:and|零|又)?\s?")
_MONTH_OF_YEAR = Unit((("month of the year", 1),), 1.0, 1.0)


_READ_LAST = 64
"""Texts that are remembered: each of a pair is read by several checks."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """`unit` is None where none is known. `step` is the value of the last digit that was written.

    `scale` is 1e8 in "48.6亿". `period` are the seconds of "a day" or 每天 beside it, 0 without. `change`: it is said by how much something changes.
    """

    value: float
    unit: Unit | None
    step: float
    start: int
    end: int
    in_words: bool = False
    scale: float = 1.0
    period: float = 0.0
    change: bool = False

    @property
    def size(self) -> float:
        """In base units."""
        return self.value * (self.unit.factor if self.unit else 1.0)


@lru_cache(maxsize=_READ_LAST)
def plain(text: str) -> str:
    """In one form: half width, ^ before exponents, - for minus. What `quantities` and `unit_at` read."""
    text = _POWER.sub(lambda match: "^" + match[0].translate(_SUPERSCRIPTS), text.translate(_MINUS))
    text = unicodedata.normalize("NFKC", text).translate(_MINUS).replace("∶", ":").replace("〜", "~")
    text = _AND_A_HALF.sub(lambda m: f"{_count(m['count']) + 0.5:g} {m['unit']}", text)
    text = _AND_HALF_MORE.sub(lambda m: f"{_count(m['count']) + 0.5:g}{m['unit']}", text)
    return _HALF_A.sub("0.5 ", text)


def _count(word: str) -> float:
    if word.isdigit():
        return float(word)
    return chinese_number(word) if CHINESE.fullmatch(word) else max(1.0, english_number(word))


@lru_cache(maxsize=_READ_LAST)
def quantities(text: str) -> tuple[Quantity, ...]:
    """In the order of the text, which `plain` gave; numbers of list items and those within names are left out."""
    taken = [match.span() for match in _ITEM.finditer(text)]
    found: list[Quantity] = []
    for quantity in (*_fractions(text), *_figures(text), *_words(text)):
        if not any(begin <= quantity.start < end for begin, end in taken):
            found.append(quantity)
            taken.append((quantity.start, quantity.end))
    return _ranges(text, [_placed(text, each) for each in sorted(found, key=lambda quantity: quantity.start)])


def with_sums(text: str) -> tuple[Quantity, ...]:
    """Besides, "4 h 18 min" as one quantity, and "a day" as one day."""
    found = quantities(text)
    ones = (_one(text, match) for match in _ONE.finditer(text))
    return (*found, *(each for each in ones if each), *sums(text, found))


def sums(text: str, found: Sequence[Quantity]) -> Iterator[Quantity]:
    """What follows one another in smaller and smaller units of the same kind."""
    for first, second in pairwise(found):
        if first.unit and second.unit and first.unit.dimensions == second.unit.dimensions != ():
            smaller = second.size < first.unit.factor and second.unit.factor < first.unit.factor
            if smaller and _NOTHING.fullmatch(text[first.end : second.start]):
                value = first.value + second.size / first.unit.factor
                yield replace(
                    first, value=value, step=second.step * second.unit.factor / first.unit.factor, end=second.end
                )


def _one(text: str, match: re.Match[str]) -> Quantity | None:
    found = unit_at(text, match.end())
    return Quantity(1.0, found[0], 0.0, match.start(), found[1], in_words=True) if found else None


def _placed(text: str, quantity: Quantity) -> Quantity:
    """With what stands around it."""
    after = _PERIOD_AFTER.match(text, quantity.end)
    match = after or _PERIOD_BEFORE.search(text, max(0, quantity.start - 16), quantity.start)
    change = quantity.unit is not None and quantity.unit.dimensions in TEMPERATURES and _is_change(text, quantity)
    if not match and not change:
        return quantity
    return replace(quantity, period=_PERIODS[match[match.lastindex or 1].lower()] if match else 0.0, change=change)


def _is_change(text: str, quantity: Quantity) -> bool:
    before = _STOP.split(text[max(0, quantity.start - 20) : quantity.start])[-1]
    after = _STOP.split(text[quantity.end : quantity.end + 10])[0]
    return _CHANGE.search(f"{before}|{after}") is not None


def _fractions(text: str) -> Iterator[Quantity]:
    for match in _FRACTION.finditer(text):
        below = {"十万": 1e5, "百万": 1e6, "亿": 1e8, "百": 100.0, "千": 1000.0, "万": 10000.0}.get(
            match[1]
        ) or chinese_number(match[1])
        above = float(match[2]) if match[2][0].isdigit() else chinese_number(match[2])
        yield Quantity(above / below, ONE, 1 / below if below >= 100 else 0.0, *match.span(), in_words=True)
    for match in _ONE_IN.finditer(text):
        below = float(match[1]) if match[1].isdigit() else english_number(match[1])
        if below > 1:
            yield Quantity(1 / below, ONE, 0.0, *match.span(), in_words=True)
    for match in _PARTS.finditer(text):
        value = _ENGLISH_FRACTIONS.get(match[0].lower(), 0.5)
        yield Quantity(value, ONE, 0.0, *match.span(), in_words=True)


def _figures(text: str) -> Iterator[Quantity]:
    for match in _FIGURES.finditer(text):
        step = 10.0 ** -max(0, len(match["decimals"] or "") - 1)
        if match["tens"]:
            value = float(f"1e{match['power']}")
            step = value
        else:
            value = float(re.sub("[, ]", "", match["number"]) + (match["decimals"] or ""))
        scale = float(f"1e{match['exponent'] or 0}") * _multiple((match["multiple"] or "").strip())
        sign = -1.0 if _is_negative(text, match.start()) else 1.0
        if not re.match(r"[A-Za-z]", text[match.end() : match.end() + 1]) or unit_at(text, match.end()):
            measured = _measured(text, sign * value * scale, step * scale, match.start(), match.end(), in_words=False)
            yield measured if scale == 1.0 else replace(measured, scale=scale)


def _multiple(word: str) -> float:
    return {"": 1.0, "万": 1e4, "亿": 1e8, "万亿": 1e12}.get(word) or float(MULTIPLES[word])


def _is_negative(text: str, start: int) -> bool:
    before = text[max(0, start - 3) : start]
    return bool(re.search(r"(?:^|[^A-Za-z\d)%°])-$|零下$|负$", before))


def _words(text: str) -> Iterator[Quantity]:
    for match in CHINESE.finditer(text):
        if match[0] not in ("一", "万", "亿", "千", "百", "零", "十", "一一"):
            yield _measured(text, chinese_number(match[0]), 1.0, *match.span(), in_words=True)
    for match in ENGLISH.finditer(text):
        if match[0].lower() not in ("one", "zero"):
            yield _measured(text, english_number(match[0]), 1.0, *match.span(), in_words=True)
    for match in _MONTH.finditer(text):
        yield Quantity(_MONTHS.index(match[0].lower()) + 1.0, _MONTH_OF_YEAR, 1.0, *match.span(), in_words=True)


def _measured(text: str, value: float, step: float, start: int, end: int, *, in_words: bool) -> Quantity:
    space = 1 if text[end : end + 1] in (" ", "-") and text[end + 1 : end + 2].strip() else 0
    found = unit_at(text, end + space)
    if found is None and (currency := _currency_before(text, start)):
        return Quantity(value, currency, step, start, end, in_words)
    if found and found[0].dimensions == (("s", 1),) and text[end : end + 1] == "年" and value >= 1000:
        found = None  # a date
    unit, end = found or (None, end)
    return Quantity(value, unit, step, start, end, in_words)


def _currency_before(text: str, start: int) -> Unit | None:
    match = re.search(r"(US\$|\$|€|EUR|USD|RMB|¥)\s?$", text[max(0, start - 5) : start])
    names = {"US$": "USD", "$": "USD", "€": "EUR", "EUR": "EUR", "USD": "USD", "RMB": "CNY", "¥": "CNY"}
    return Unit(((names[match[1]], 1),), 1.0, 1.0) if match else None


def _ranges(text: str, found: list[Quantity]) -> tuple[Quantity, ...]:
    """The first number of "20 to 30 nm" has the unit of the second."""
    for number in range(len(found) - 1, 0, -1):
        first, second = found[number - 1], found[number]
        if first.unit is None and second.unit is not None and _RANGE.fullmatch(text[first.end : second.start]):
            found[number - 1] = replace(first, unit=second.unit)
    return tuple(found)
