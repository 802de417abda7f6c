"""Counts of letters and words by script, which tell languages apart."""

import re

_HAN = re.compile("[\u3400-\u9fff]")
_FOREIGN = re.compile("[\u0400-\u052f\u0590-\u06ff\u0900-\u0dff\u0e00-\u0e7f\u3040-\u30ff\uac00-\ud7af]")
_WORD = re.compile(r"(?<![A-Za-z\d_/·.^-])(?:[A-Z]?[a-z]{2,}|[AaI])(?![A-Za-z\d_/^])")
_MEASURED = re.compile(r"\d\s*[A-Za-zµμΩ°/·^()²³⁻]+")


def han(text: str) -> int:
    """The number of Chinese characters."""
    return len(_HAN.findall(text))


def foreign_letters(text: str) -> int:
    """The number of letters outside Chinese and English: Cyrillic, Arabic, Indic, Thai, kana and hangul."""
    return len(_FOREIGN.findall(text))


def latin_words(text: str) -> int:
    """The number of words in Latin letters, without acronyms, formulas and units after a number."""
    return len(_WORD.findall(_MEASURED.sub(" ", text)))
