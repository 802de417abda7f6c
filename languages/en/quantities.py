"""English numbers in words, and words around numbers."""

import re
from collections.abc import Iterator

from languages.language import Quantities

_BELOW_TWENTY = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_SMALL = {word: number for number, word in enumerate(_BELOW_TWENTY.split())}
_TENS = {w: 10 * n for n, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_MULTIPLES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ANY = "|".join([*_SMALL, *_TENS, "hundred", *_MULTIPLES])
_PATTERN = rf"\b(?:{_ANY})(?:(?:[ -]| and )(?:{_ANY}))*\b"
_FRACTIONS = {
    "one and a half": 1.5, "half": 0.5, "halved": 0.5, "halves": 0.5, "halving": 0.5, "one third": 1 / 3, "a third": 1 / 3,
    "two thirds": 2 / 3, "two-thirds": 2 / 3, "one-third": 1 / 3, "a quarter": 0.25, "one quarter": 0.25, "three quarters": 0.75,
    "three-quarters": 0.75, "twice": 2, "double": 2, "doubles": 2, "doubled": 2, "doubling": 2, "tenfold": 10, "dozen": 12,
}  # fmt: skip
_FRACTION = re.compile(rf"\b(?:{'|'.join(sorted(_FRACTIONS, key=len, reverse=True))})\b", re.IGNORECASE)
_ONE_IN = re.compile(rf"\bone (?:in|out of) (\d+|{_PATTERN})", re.IGNORECASE)
_AND_A_HALF = re.compile(r"\b(?P<count>an?|one|two|three|\d+) (?P<unit>\w+) and a half\b", re.IGNORECASE)
_HALF_A = re.compile(r"\bhalf (?:an?|of an?) (?=\w)", re.IGNORECASE)


def english_number(text: str) -> float:
    """The value of a number in words: "two hundred and five" is 205.0."""
    total = section = 0
    for word in re.split(r"[ -]| and ", text.lower()):
        if word in _MULTIPLES:
            total, section = total + (section or 1) * _MULTIPLES[word], 0
        elif word == "hundred":
            section = (section or 1) * 100
        else:
            section += _SMALL.get(word, 0) + _TENS.get(word, 0)
    return float(total + section)


def _fractions(text: str) -> Iterator[tuple[float, float, int, int]]:
    for match in _ONE_IN.finditer(text):
        below = float(match[1]) if match[1].isdigit() else english_number(match[1])
        if below > 1:
            yield (1 / below, 0.0, *match.span())
    yield from ((_FRACTIONS[match[0].lower()], 0.0, *match.span()) for match in _FRACTION.finditer(text))


def _and_a_half(match: re.Match[str]) -> str:
    count = match["count"]
    return f"{(float(count) if count.isdigit() else max(1.0, english_number(count))) + 0.5:g} {match['unit']}"


QUANTITIES = Quantities(
    numeral=_PATTERN,
    value=english_number,
    ignored=frozenset(("one", "zero")),
    multiple=rf"(?:{'|'.join(_MULTIPLES)})(?![A-Za-z])",
    multiples=_MULTIPLES,
    fractions=_fractions,
    halves=((_AND_A_HALF, _and_a_half), (_HALF_A, "0.5 ")),
    months=tuple("January February March April May June July August September October November December".split()),
    between="and|to|or",
    joining="and",
    one=r"\b(?:an?|one|each|every|per) (?=[a-z]{3})",
    change=r"\b(?:by|differ\w*|rise|per|every|each|higher|lower|hotter|cooler|colder|warmer|range|span|within|gap)\b",
    periods={
        "second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0, "month": 2629800.0, "quarter": 7889400.0,
        "year": 31557600.0, "daily": 86400.0, "hourly": 3600.0, "weekly": 604800.0, "monthly": 2629800.0, "yearly": 31557600.0,
        "annually": 31557600.0,
    },
    period_after=r"(?: [A-Za-z-]+){0,3}? (?:(?:an?|per|each|every) (?=[a-z]+\b)(second|minute|hour|day|week|month|quarter|year)\b)|"
    r"(?: [A-Za-z-]+){0,3}? (daily|hourly|weekly|monthly|yearly|annually)\b",
    about=r"\b(?:about|around|roughly|approximately|nearly|almost|some|over)",
    each=r"\b(?:per|each|every|an?)\b",
    counted="[A-Za-z]{3,}",
    times=r"\b(?:times|multiplied by)\b|(?<=[%f]) of\b",
    divided=r"\bdivided by\b",
    plus=r"\b(?:plus|added to)\b",
    minus=r"\bminus\b",
    equals=r"\b(?:equals?|is|are|gives?|makes?|comes? to)\b",
)  # fmt: skip
