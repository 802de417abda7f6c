"""Reading of the numbers of a text with their units: figures, words, fractions and ranges."""

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from languages import LANGUAGES
from languages.language import Quantities, rewritten
from languages.units import ONE, MeasurementUnit, unit_at

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_POWER = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_MINUS = str.maketrans("−–—‐‑﹣", "------")
_WORDS = [language.quantities for language in LANGUAGES]
_NUMERALS = [(words, re.compile(words.numeral, re.IGNORECASE)) for words in _WORDS if words.numeral]
_MULTIPLES = {word: factor for words in _WORDS for word, factor in words.multiples.items()}
_FIGURES = re.compile(
    r"(?<![A-Za-z\d_^.])(?<![A-Za-z]-)(?<![A-Za-z]\d-)"
    r"(?:(?P<tens>10\^(?P<power>-?\d{1,3}))"
    r"|(?P<number>\d{1,3}(?:[, ]\d{3})+(?!\d)|\d+)(?P<decimals>\.\d+)?(?:\s?[×x*]\s?10(?:\^|(?=-))(?P<exponent>-?\d{1,3})(?!\d))?)"
    rf"(?P<multiple>\s?(?:{LANGUAGES.either(lambda it: it.quantities.multiple)}))?"
)
_ITEM = re.compile(r"(?:^|\n|(?<=[；;。:：]))[^\S\n]*[(（]?\d{1,2}(?:[.、)）](?!\d)|:)\s*")
_RANGE = re.compile(rf"\s?(?:~|-|{LANGUAGES.either(lambda it: it.quantities.between)})\s?")
_NEGATIVE = re.compile(rf"(?:^|[^A-Za-z\d)%°])-$|{LANGUAGES.either(lambda it: it.quantities.below_zero)}")
TEMPERATURES = frozenset({(("degC", 1),), (("degF", 1),), (("K", 1),)})
_CHANGE = re.compile(rf"±|{LANGUAGES.either(lambda it: it.quantities.change)}", re.IGNORECASE)
_STOP = re.compile(r"[，。；,;.]")
_PERIODS = {name: seconds for words in _WORDS for name, seconds in words.periods.items()}
_PERIOD_AFTER = LANGUAGES.pattern(lambda it: it.quantities.period_after)
_PERIOD_BEFORE = re.compile(LANGUAGES.either(lambda it: it.quantities.period_before))
_ONE = LANGUAGES.pattern(lambda it: it.quantities.one)
_JOINED = re.compile(rf"\s?(?:{LANGUAGES.either(lambda it: it.quantities.joining)})?\s?")
_YEARS = frozenset("".join(words.year for words in _WORDS))
_MONTHS = {month: number for words in _WORDS for number, month in enumerate(words.months, 1)}
_MONTH = re.compile(rf"\b(?:{'|'.join(_MONTHS)})\b")
_MONTH_OF_YEAR = MeasurementUnit((("month of the year", 1),), 1.0, 1.0)
_READ_LAST = 64
"""Number of texts to cache, because several checks read each text of a pair."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number at `text[start:end]`. `unit` is None if unknown. `step` is the value of the last written digit.

    `scale` is 1e8 for 48.6亿. `period` is the length in seconds of "a day" or 每天 beside the number, 0 if there is none.
    `change` is true for a difference of temperatures.
    """

    value: float
    unit: MeasurementUnit | None
    step: float
    start: int
    end: int
    in_words: bool = False
    scale: float = 1.0
    period: float = 0.0
    change: bool = False

    @property
    def size(self) -> float:
        """The value in base units."""
        return self.value * (self.unit.factor if self.unit else 1.0)


@lru_cache(maxsize=_READ_LAST)
def plain(text: str) -> str:
    """The form of a text that `quantities` and `unit_at` read: half width, ^ before exponents, - for minus."""
    text = _POWER.sub(lambda match: "^" + match[0].translate(_SUPERSCRIPTS), text.translate(_MINUS))
    text = unicodedata.normalize("NFKC", text).translate(_MINUS).replace("∶", ":").replace("〜", "~")
    for words in _WORDS:
        text = rewritten(text, words.halves)
    return text


@lru_cache(maxsize=_READ_LAST)
def quantities(text: str) -> tuple[Quantity, ...]:
    """The quantities of a text that `plain` gave, in order, without numbers of list items and within names."""
    taken = bytearray(len(text))
    for match in _ITEM.finditer(text):
        taken[match.start() : match.end()] = bytes([1]) * len(match[0])
    found: list[Quantity] = []
    for quantity in (*_fractions(text), *_figures(text), *_words(text)):
        if not taken[quantity.start]:
            found.append(quantity)
            taken[quantity.start : quantity.end] = bytes([1]) * (quantity.end - quantity.start)
    return _ranges(text, [_placed(text, each) for each in sorted(found, key=lambda quantity: quantity.start)])


def with_sums(text: str) -> tuple[Quantity, ...]:
    """The quantities, and besides "4 h 18 min" as one quantity and "a day" as one day."""
    found = quantities(text)
    units = ((match.start(), unit_at(text, match.end())) for match in _ONE.finditer(text))
    ones = (Quantity(1.0, unit[0], 0.0, start, unit[1], in_words=True) for start, unit in units if unit)
    return (*found, *ones, *sums(text, found))


def sums(text: str, found: Sequence[Quantity]) -> Iterator[Quantity]:
    """Sums of quantities that follow one another in smaller units of the same kind."""
    for first, second in pairwise(found):
        if first.unit and second.unit and first.unit.dimensions == second.unit.dimensions != ():
            smaller = second.size < first.unit.factor and second.unit.factor < first.unit.factor
            if smaller and _JOINED.fullmatch(text[first.end : second.start]):
                value = first.value + second.size / first.unit.factor
                yield replace(
                    first, value=value, step=second.step * second.unit.factor / first.unit.factor, end=second.end
                )


def _placed(text: str, quantity: Quantity) -> Quantity:
    """The quantity with `period` and `change` from the words around it."""
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
    for words in _WORDS:
        for value, step, start, end in words.fractions(text):
            yield Quantity(value, ONE, step, start, end, in_words=True)


def _figures(text: str) -> Iterator[Quantity]:
    for match in _FIGURES.finditer(text):
        step = 10.0 ** -max(0, len(match["decimals"] or "") - 1)
        if match["tens"]:
            value = float(f"1e{match['power']}")
            step = value
        else:
            value = float(re.sub("[, ]", "", match["number"]) + (match["decimals"] or ""))
        scale = float(f"1e{match['exponent'] or 0}") * _MULTIPLES.get((match["multiple"] or "").strip(), 1.0)
        sign = -1.0 if _NEGATIVE.search(text[max(0, match.start() - 3) : match.start()]) else 1.0
        if not re.match(r"[A-Za-z]", text[match.end() : match.end() + 1]) or unit_at(text, match.end()):
            measured = _measured(text, sign * value * scale, step * scale, match.start(), match.end(), in_words=False)
            yield measured if scale == 1.0 else replace(measured, scale=scale)


def _words(text: str) -> Iterator[Quantity]:
    for words, pattern in _NUMERALS:
        for match in pattern.finditer(text):
            if match[0].lower() not in words.ignored:
                yield _measured(text, _value_in(words, match[0]), 1.0, *match.span(), in_words=True)
    for match in _MONTH.finditer(text):
        yield Quantity(float(_MONTHS[match[0]]), _MONTH_OF_YEAR, 1.0, *match.span(), in_words=True)


def _value_in(words: Quantities, numeral: str) -> float:
    try:
        return words.value(numeral)
    except OverflowError:  # "a million million million …"
        return math.inf


def _measured(text: str, value: float, step: float, start: int, end: int, *, in_words: bool) -> Quantity:
    space = 1 if text[end : end + 1] in (" ", "-") and text[end + 1 : end + 2].strip() else 0
    found = unit_at(text, end + space)
    if found is None and (currency := _currency_before(text, start)):
        return Quantity(value, currency, step, start, end, in_words)
    if found and found[0].dimensions == (("s", 1),) and text[end : end + 1] in _YEARS and value >= 1000:
        found = None  # a date
    unit, end = found or (None, end)
    return Quantity(value, unit, step, start, end, in_words)


def _currency_before(text: str, start: int) -> MeasurementUnit | None:
    match = re.search(r"(US\$|\$|€|EUR|USD|RMB|¥)\s?$", text[max(0, start - 5) : start])
    names = {"US$": "USD", "$": "USD", "€": "EUR", "EUR": "EUR", "USD": "USD", "RMB": "CNY", "¥": "CNY"}
    return MeasurementUnit(((names[match[1]], 1),), 1.0, 1.0) if match else None


def _ranges(text: str, found: list[Quantity]) -> tuple[Quantity, ...]:
    """The quantities, where the first number of "20 to 30 nm" gets the unit of the second."""
    for number in range(len(found) - 1, 0, -1):
        first, second = found[number - 1], found[number]
        if first.unit is None and second.unit is not None and _RANGE.fullmatch(text[first.end : second.start]):
            found[number - 1] = replace(first, unit=second.unit)
    return tuple(found)
