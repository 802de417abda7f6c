"""Numbers that a reasoning works out: results of correct calculations that start from known numbers.

A number in the reasoning proves nothing, because a model that invents a number writes it there too. A written
calculation ("60 / 0.4 = 150") is therefore done again. For a result that is told in words, one step of arithmetic from
known numbers must lead to it.
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, pairwise

from consumer.worker.checks.quantities import Quantity, plain, quantities, sums, with_sums
from languages import LANGUAGES
from languages.units import MeasurementUnit

Known = Callable[[Quantity], bool]
Reading = Callable[[Quantity], float]
Token = Quantity | str | int
"""A number; an operator or bracket; an exponent."""

_REMARK = re.compile(r"(?<![/·])\([^()\d]*\)")
_DIGITS = re.compile(r"\d+")
_BEFORE_MINUS = "".join(language.quantities.before_minus for language in LANGUAGES)
_TIGHT_MINUS = re.compile(rf"(?<=[A-Za-z\d%)℃{_BEFORE_MINUS}])-(?=[\d$])(?<!\^-)")
_TOKEN = re.compile(
    rf"(?P<power>\^\d|{LANGUAGES.either(lambda it: it.quantities.power)})|(?P<times>[×*·✕]|x(?=\s?\d)|{LANGUAGES.either(lambda it: it.quantities.times)})"
    rf"|(?P<over>[/÷]|{LANGUAGES.either(lambda it: it.quantities.divided)})|(?P<plus>\+|{LANGUAGES.either(lambda it: it.quantities.plus)})"
    rf"|(?P<minus>-|{LANGUAGES.either(lambda it: it.quantities.minus)})|(?P<equals>[=≈≒→]|{LANGUAGES.either(lambda it: it.quantities.equals)})"
    r"|(?P<open>\()|(?P<close>\))|(?P<end>[，。；;、!?\n]|[,.:](?=\s|$|[\u4e00-\u9fff]))",
    re.IGNORECASE,
)
_EQUALS, _OPEN, _CLOSE, _END = "=", "(", ")", "end"
_OPERATORS = {"times": "*", "over": "/", "plus": "+", "minus": "-", "equals": "=", "open": "(", "close": ")"}
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2}
_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_CONSTANTS = frozenset(
    (1, 2, 7, 8, 10, 12, 24, 30, 32, 52, 60, 100, 180, 273, 273.15, 360, 365, 1000, 1024, 1.8, 3600, 86400, 3.14, 3.1416)
) | {10.0**power for power in range(-12, 13)}  # fmt: skip
"""Numbers that a calculation may use without a source: conversions of units, 100 %, two sides."""
_MOST = 12
"""Most numbers whose pairs are all tried."""
_POINT = (("point", 1),)
_PERCENT = MeasurementUnit((), 0.01, 0.01)
_ABOUT = re.compile(rf"(?:≈|~|{LANGUAGES.either(lambda it: it.quantities.about)}) ?[$€¥]?$", re.IGNORECASE)

_BASE_UNITS: Reading = operator.attrgetter("size")
_READINGS: tuple[Reading, ...] = (
    operator.attrgetter("value"),
    lambda q: q.size if _is_ratio(q) else q.value,
    _BASE_UNITS,
)
"""Ways to take the numbers of a calculation: as written, with per cent as a fraction, or in base units."""


def worked_out(
    reasoning: str, answer: str, near: Sequence[Quantity], *, known: Known, written: Known
) -> tuple[Quantity, ...]:
    """Numbers that the reasoning, or the answer itself, works out.

    `near` are the numbers of question and evidence, from which a result that is told in words may start too. `written`
    tells that a bare number is known, whatever its unit, which is enough for a correct calculation.
    """
    results = [*_calculated(reasoning, written)]
    results += _calculated(answer, lambda q: written(q) or is_among(q, results))
    named = with_sums(plain(reasoning))
    start = [q for q in (*near, *named) if known(q) or is_among(q, results)]
    factors = [replace(q, unit=None) for q in named if _is_factor_of_time(q)]
    for quantity in named:
        others = [q for q in factors if q.value != quantity.value]
        if not known(quantity) and one_step(quantity, [*start, *others]):
            results.append(quantity)
    return tuple(results)


def _is_factor_of_time(quantity: Quantity) -> bool:
    """True for a factor such as 12 in "12 months make 24 km", or a plain 60."""
    timed = quantity.unit is None or quantity.unit.dimensions == (("s", 1),)
    return timed and quantity.value in _CONSTANTS and quantity.value > 1


def agrees(quantity: Quantity, result: Quantity, text: str) -> bool:
    """True when a number of an answer is the result. Percentage points may be a difference of percentages."""
    if quantity.unit and result.unit and not (_is_ratio(quantity) and _is_ratio(result)):
        same = quantity.unit.dimensions == result.unit.dimensions
        return same and is_rounded(quantity, result.size, quantity.size, text)
    readings = ((result.value, quantity.value), (result.size, quantity.size))
    return any(is_rounded(quantity, exact, written, text) for exact, written in readings)


def is_rounded(quantity: Quantity, exact: float, written: float, text: str) -> bool:
    """True when `written`, a reading of the quantity, is `exact` rounded to its last digit, or to 3 % after "about"."""
    apart = abs(exact - written)
    if apart <= 1e-3 * abs(exact):
        return True
    step = quantity.step * (abs(written / quantity.value) if quantity.value else 1.0)
    if apart <= step * 0.5001:
        return apart <= 0.1 * abs(exact)
    about = _ABOUT.search(text[max(0, quantity.start - 16) : quantity.start])
    return about is not None and apart <= 0.03 * abs(exact) and float(f"{quantity.value:.1e}") == quantity.value


def _is_ratio(quantity: Quantity) -> bool:
    return quantity.unit is not None and quantity.unit.dimensions in ((), _POINT)


def _calculated(text: str, known: Known) -> Iterator[Quantity]:
    """Numbers of correct equations with at most one unknown number, and the results of known numbers."""
    text = _TIGHT_MINUS.sub(" - ", _REMARK.sub(" ", plain(text)))
    found: list[Quantity] = []
    for left, right in _equations(text):
        numbers = [token for token in (*left, *right) if isinstance(token, Quantity)]
        new = [q for q in numbers if not (known(q) or is_among(q, found) or _is_factor(q, numbers, known))]
        free = [q for q in new if abs(q.value) not in _CONSTANTS]
        if len(new) < len(numbers) and len(free) <= 1 and _is_true(left, right, text):
            found += numbers
            yield from numbers
        if len(new) < len(numbers) and len(left) > 1 < len(right):
            for side in (left, right):
                if not any(q in free for q in side):
                    yield from (Quantity(value, None, 0.0, 0, 0) for value in _values(side))


def _values(side: list[Token]) -> Iterator[float]:
    found = (_evaluated(side, reading) for reading in _READINGS)
    yield from dict.fromkeys(value for value in found if value is not None)


def _is_factor(quantity: Quantity, numbers: Sequence[Quantity], known: Known) -> bool:
    """True for a factor such as 1.125 or 0.875 when 12.5 % is known."""
    if quantity.unit is not None or not 0 < quantity.value < 3:
        return False
    share = round(abs(quantity.value - 1) * 100, 6)
    as_share = replace(quantity, value=share, step=quantity.step * 100, unit=_PERCENT)
    return bool(share) and len(numbers) > 1 and known(as_share)


def is_among(quantity: Quantity, results: Iterable[Quantity], text: str = "") -> bool:
    """True when a number of `text` agrees with one of the results."""
    return any(agrees(quantity, result, text) for result in results)


def _equations(text: str) -> Iterator[tuple[list[Token], list[Token]]]:
    """Neighbouring sides of "a = b = c", at least one of them a calculation."""
    for chain in _chains(text):
        for left, right in pairwise(chain):
            if left and right and len(left) + len(right) > 2:
                yield left, right


def _chains(text: str) -> Iterator[list[list[Token]]]:
    chain: list[list[Token]] = [[]]
    for token in _tokens(text):
        if token == _END:
            yield chain
            chain = [[]]
        elif token == _EQUALS:
            chain.append([])
        else:
            side = chain[-1]
            if isinstance(token, Quantity) and side and (isinstance(side[-1], Quantity) or side[-1] == _CLOSE):
                if len(chain) > 1:  # "2 + 3 = 5 of 7": the equation ends before "of 7"
                    yield chain
                    chain = [[]]
                chain[-1] = [token]
            else:
                side.append(token)
    yield chain


def _tokens(text: str) -> Iterator[Token]:
    numbers = {quantity.start: quantity for quantity in (*quantities(text), *sums(text, quantities(text)))}
    at = after = 0
    while at < len(text):
        if at in numbers:
            yield numbers[at]
            at = after = max(at + 1, numbers[at].end)
        elif (match := _TOKEN.match(text, at)) and not (
            text[at] in "/-" and text[at - 1 : at].isalpha() and at > after
        ):
            kind = match.lastgroup or ""
            if match["power"]:
                exponent = _DIGITS.search(match["power"])
                yield int(exponent[0]) if exponent else 2
            else:
                yield _OPERATORS.get(kind, _END)
            at = match.end()
        else:
            at += 1


def _is_true(left: list[Token], right: list[Token], text: str) -> bool:
    result, calculation = (right, left) if len(right) == 1 else (left, right)
    written = result[-1]
    if not isinstance(written, Quantity) or len(result) > 1:
        return False  # both sides are calculations
    for reading in _READINGS:
        exact = _evaluated(calculation, reading)
        if exact is None or not is_rounded(written, exact, reading(written), text):
            continue
        if reading is _BASE_UNITS or _units_agree(calculation, written):
            return True
    return False


def _units_agree(calculation: list[Token], result: Quantity) -> bool:
    """True when the result has the unit of one of the numbers, or a written factor converts it."""
    numbers = [token for token in calculation if isinstance(token, Quantity)]
    units = [q.unit for q in numbers if q.unit and not _is_ratio(q)]
    if result.unit is None or not units or _is_ratio(result) or result.unit in units:
        return True
    if all(unit.dimensions != result.unit.dimensions for unit in units):
        return True
    return any(q.unit is None and q.value in _CONSTANTS for q in numbers)


def _evaluated(tokens: list[Token], reading: Reading) -> float | None:
    """The value of a calculation; None if the tokens are not one."""
    values: list[float] = []
    pending: list[str] = []
    try:
        for token in tokens:
            if isinstance(token, Quantity):
                values.append(reading(token))
            elif isinstance(token, int):
                values[-1] **= token
            elif token == _OPEN:
                pending.append(token)
            elif token == _CLOSE:
                while pending[-1] != _OPEN:
                    _apply(values, pending.pop())
                pending.pop()
            else:
                while pending and pending[-1] != _OPEN and _PRECEDENCE[pending[-1]] >= _PRECEDENCE[token]:
                    _apply(values, pending.pop())
                pending.append(token)
        while pending:
            _apply(values, pending.pop())
    except (IndexError, KeyError, ZeroDivisionError, OverflowError):
        return None
    return values[0] if len(values) == 1 else None


def _apply(values: list[float], sign: str) -> None:
    right, left = values.pop(), values.pop()
    values.append(_ARITHMETIC.get(sign, operator.truediv)(left, right))


def one_step(quantity: Quantity, start: Sequence[Quantity]) -> bool:
    """True when one step from `start` gives the quantity: a sum, difference, ratio, share or change in per cent."""
    distinct = list({(q.value, q.unit): q for q in start}.values())[:_MOST]
    return any(
        _is_near(quantity, exact) for one, other in combinations(distinct, 2) for exact in _steps(one, other, quantity)
    ) or any(_is_ratio(one) and _is_near(quantity, 1 - one.size) for one in distinct)


def _is_near(quantity: Quantity, exact: float) -> bool:
    """True when the quantity is close to `exact`. The limit is tight, since some of many steps come near by chance."""
    return abs(quantity.size - exact) <= 0.025 * abs(exact) and is_rounded(quantity, exact, quantity.size, "")


def _steps(one: Quantity, other: Quantity, result: Quantity) -> Iterator[float]:
    """Results, in base units, of all steps that give a number of the wanted dimensions."""
    a, b = one.size, other.size
    plain_result = result.unit is None or _is_ratio(result)
    if _dimensions(one) == _dimensions(other):
        if _dimensions(one) == _dimensions(result) or (one.unit is None and other.unit is None):
            yield from (abs(a - b), a + b)
        if result.unit is None and _is_ratio(one):
            yield abs(a - b) * 100  # "from 60% to 75% it is 15 points"
        if plain_result and a and b and not _is_ratio(one):
            yield from (a / b, b / a, abs(a - b) / a, abs(a - b) / b)
    for share, whole in ((one, other), (other, one)):
        if (_is_ratio(share) or share.unit is None) and _dimensions(whole) == _dimensions(result):
            yield whole.size * share.size
            if share.size:
                yield whole.size / share.size
            if _is_ratio(share) and 0 < share.size < 1:
                yield from (whole.size * (1 + share.size), whole.size * (1 - share.size))
                yield from (whole.size / (1 + share.size), whole.size / (1 - share.size))


def _dimensions(quantity: Quantity) -> object:
    """The dimensions, with percentage points as per cent, since they are differences of percentages."""
    return None if quantity.unit is None else () if _is_ratio(quantity) else quantity.unit.dimensions
