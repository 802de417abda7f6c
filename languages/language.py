"""In which language a text is."""

import re
from typing import Literal

Language = Literal["zh", "en"]

_HAN = re.compile("[\u3400-\u9fff]")
_OTHER = re.compile("[\u0400-\u052f\u0590-\u06ff\u0900-\u0dff\u0e00-\u0e7f\u3040-\u30ff\uac00-\ud7af]")
_WORD = re.compile(r"(?<![A-Za-z\d_/·.^-])(?:[A-Z]?[a-z]{2,}|[AaI])(?![A-Za-z\d_/^])")
_MEASURED = re.compile(r"\d\s*[A-Za-zµμΩ°/·^()²³⁻]+")


def language_of(text: str) -> Language:
    """Language of a text: zh when Chinese characters are a fifth of the letters or more, else en."""
    letters = sum(c.isalpha() for c in text)
    chinese = sum("\u4e00" <= c <= "\u9fff" for c in text)
    return "zh" if chinese * 5 >= letters > 0 and chinese else "en"


def is_in(language: Language, text: str) -> bool:
    """Whether a question or an answer is in that language; names, numbers and units are in any."""
    if len(_OTHER.findall(text)) > 1:
        return False
    chinese = len(_HAN.findall(text)) / 2
    words = len(_WORD.findall(_MEASURED.sub(" ", text)))
    if language == "zh":
        return words < 2 or chinese >= words
    return chinese == 0 or words > chinese
