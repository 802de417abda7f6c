"""Comparison of the numbers of an answer, with their units, with the numbers of its sources."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from consumer.worker.checks.calculations import is_among, one_step, worked_out
from consumer.worker.checks.quantities import TEMPERATURES, Quantity, plain, quantities, sums, with_sums
from languages import LANGUAGES

_ALIKE = 1e-6
_ROUNDED = 0.02
_WORDS = [language.quantities for language in LANGUAGES]
_COUNTED = re.compile(rf"\s?({LANGUAGES.either(lambda it: it.quantities.counted)})")
_EACH = re.compile(LANGUAGES.either(lambda it: it.quantities.each))
_OVER = frozenset("".join(words.over for words in _WORDS))
_FEW = 10


class Sources:
    """The quantities of a text and its headings, which answers may name."""

    def __init__(self, *texts: str) -> None:
        self._text = "\n".join(plain(text) for text in texts)
        self._all = with_sums(self._text)

    def unsupported(self, question: str, answer: str, reasoning: str, evidence: str) -> Iterator[str]:
        """Numbers of the answer that are in neither text nor question, and that the reasoning does not work out."""
        answer = plain(answer)
        given = quantities(answer)
        if not given:
            return
        asked = with_sums(plain(question))
        known = _distinct(self._all + asked)
        unknown = [each for each in given if not (self._is_named(each, known, answer) or self._sums_up(each, answer))]
        if not unknown:
            return
        doubtful = frozenset(unknown)
        near = (*asked, *with_sums(plain(evidence)))
        results = worked_out(
            reasoning,
            answer,
            near,
            known=lambda each: self._has(each, known, each=True),
            written=lambda each: self._has(each, known, each=True) or _is_written(each, known),
        )
        whole = [
            each
            for each in sums(answer, given)
            if self._is_named(each, known, answer) or is_among(each, results, answer)
        ]
        right = [each for each in given if each not in doubtful]
        for quantity in unknown:
            worked = is_among(quantity, results, answer)
            told = any(each.start <= quantity.start < each.end for each in whole)
            if not worked and not told and not (quantity.in_words and one_step(quantity, right)):
                yield answer[quantity.start : quantity.end].strip()

    def _is_named(self, quantity: Quantity, known: Sequence[Quantity], answer: str) -> bool:
        each = _EACH.search(answer[max(0, quantity.start - 16) : quantity.end + 12]) is not None
        return self._has(quantity, known, each=each)

    def _has(self, quantity: Quantity, among: Sequence[Quantity], *, each: bool) -> bool:
        """True when the quantity is among these. A bare number counts unless that number has a unit of the same kind."""
        alike = [other for other in among if _same(quantity, other, each=each)]
        if quantity.unit is None or any(other.unit for other in alike):
            return bool(alike)
        return bool(alike) and not any(
            other.value == quantity.value and other.unit and other.unit.dimensions == quantity.unit.dimensions
            for other in among
        )

    def _sums_up(self, quantity: Quantity, answer: str) -> bool:
        """True for a small count in words ("three reasons") of things that the text does not count itself."""
        if quantity.in_words and answer[quantity.end : quantity.end + 1] in _OVER:
            return True  # 三年多
        if not quantity.in_words or quantity.unit is not None or not 1 < quantity.value <= _FEW:
            return False
        counted = _counted(answer, quantity)
        return not counted or (
            not any(words.one_of and f"{words.one_of}{counted}" in self._text for words in _WORDS)
            and all(_counted(self._text, other) != counted for other in self._all)
        )


def _distinct(quantities: Iterable[Quantity]) -> tuple[Quantity, ...]:
    """The quantities without repetitions, wherever those stand: a text of many equal numbers is read as fast as any."""
    return tuple({replace(each, start=0, end=0): None for each in quantities})


def _is_written(quantity: Quantity, among: Sequence[Quantity]) -> bool:
    """True when the figures alone occur, as 48.6 does in 48.6亿元."""
    return any(_close(quantity.value, number, quantity.step) for q in among for number in (q.value, q.value / q.scale))


def _counted(text: str, quantity: Quantity) -> str:
    """The first four characters of the name of the counted things; empty if there is none."""
    match = _COUNTED.match(text, quantity.end)
    if not match:
        return ""
    return match[1].lower().rstrip("s")[:4]


def _same(one: Quantity, other: Quantity, *, each: bool) -> bool:
    """True for equal quantities. With `each` the rest of a compound unit may be in words ("600 nm a minute")."""
    ours, theirs = (one.period, other.period) if one.period and other.period else (1.0, 1.0)
    if one.unit is None or other.unit is None:
        return _close(one.value / ours, other.value / theirs, one.step / ours) or _close(
            one.size / ours, other.size / theirs, one.step / ours
        )
    left, right = one.unit.dimensions, other.unit.dimensions
    if left == right:
        return _close(one.size / ours, other.size / theirs, one.step * one.unit.factor / ours)
    if {left, right} <= TEMPERATURES:
        return any(_close(a, b, one.step) for a in _kelvins(one, other) for b in _kelvins(other, one))
    rest = set(right) - set(left)
    if not each or not set(left) <= set(right) or any(power > 0 for _, power in rest):
        return False
    if rest == {("s", -1)} and one.period:
        return _close(one.size / one.period, other.size, one.step * one.unit.factor / one.period)
    return _close(one.size, other.value * other.unit.above, one.step * one.unit.factor)


def _kelvins(quantity: Quantity, other: Quantity) -> tuple[float, ...]:
    """The quantity in kelvins as a temperature, and as a difference too if one of the two is a difference."""
    assert quantity.unit is not None
    scale, value = quantity.unit.dimensions[0][0], quantity.value
    if scale == "K":
        return (value,)
    kelvins, difference = (value + 273.15, value) if scale == "degC" else ((value - 32) / 1.8 + 273.15, value / 1.8)
    return (kelvins, difference) if quantity.change or other.change else (kelvins,)


def _close(one: float, other: float, step: float) -> bool:
    """True for numbers that are equal, or differ by rounding to the last written digit."""
    apart = abs(one - other)
    return apart <= _ALIKE * abs(other) or (apart <= step * 0.5001 and apart <= _ROUNDED * abs(other))
