"""Recognition of Chinese, its marks and its headings."""

import re

from languages.language import Writing
from languages.scripts import foreign_letters, han, latin_words

_NUMBER = "一二三四五六七八九十百千零〇两0-9０-９"

WRITING = Writing(
    ends="。！？",
    clause_ends="，；、：",
    headings=(
        (re.compile(rf"第\s*[{_NUMBER}]+\s*[章篇编部卷](?!\w{{0,2}}分)"), 1),
        (re.compile(rf"第\s*[{_NUMBER}]+\s*[节節]"), 2),
        (re.compile(r"[一二三四五六七八九十百]+、\s*\S"), 2),
        (re.compile(r"[（(][一二三四五六七八九十百]+[）)]\s*\S"), 3),
    ),
    heading_starts="第（(一二三四五六七八九十百",
)


def claims(text: str) -> bool:
    """True when a fifth of the letters or more are Chinese: in technical texts the rest are names and units."""
    chinese = sum("\u4e00" <= c <= "\u9fff" for c in text)
    return chinese > 0 and chinese * 5 >= sum(c.isalpha() for c in text)


def accepts(text: str) -> bool:
    """True when at most one word is English, or there are two Chinese characters for each English word."""
    words = latin_words(text)
    return foreign_letters(text) <= 1 and (words < 2 or han(text) / 2 >= words)
