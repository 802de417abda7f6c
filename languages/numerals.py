"""Numbers in words: 三千五百, 两万, "fifty thousand", "twenty-one"."""

import re

CHINESE = re.compile("[零〇一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+)?")
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_GROUPS = {"万": 10**4, "亿": 10**8}

_SMALL = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS = {
    w: 10 * n for n, w in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
MULTIPLES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ANY = "|".join([*_SMALL, *_TENS, "hundred", *MULTIPLES])
ENGLISH = re.compile(rf"\b(?:{_ANY})(?:(?:[ -]| and )(?:{_ANY}))*\b", re.IGNORECASE)


def chinese_number(text: str) -> float:
    """Of what CHINESE finds."""
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


def english_number(text: str) -> float:
    """Of what ENGLISH finds."""
    total = section = 0
    for word in re.split(r"[ -]| and ", text.lower()):
        if word in MULTIPLES:
            total, section = total + (section or 1) * MULTIPLES[word], 0
        elif word == "hundred":
            section = (section or 1) * 100
        else:
            section += _SMALL.get(word, 0) + _TENS.get(word, 0)
    return float(total + section)
