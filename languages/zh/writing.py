"""Recognition of Chinese, its marks and its headings."""

import re

from languages.language import HeadingForm, SentenceMarks
from languages.scripts import foreign_letters, han, latin_words

_NUMBER = "一二三四五六七八九十百千零〇两0-9０-９"

SENTENCES = SentenceMarks(ends="。！？", clause_ends="，；、：")
HEADINGS = (
    HeadingForm(re.compile(rf"第\s*[{_NUMBER}]+\s*[章篇编部卷](?!\w{{0,2}}分)"), 1),
    HeadingForm(re.compile(rf"第\s*[{_NUMBER}]+\s*[节節]"), 2),
    HeadingForm(re.compile(r"[一二三四五六七八九十百]+、\s*\S"), 2),
    HeadingForm(re.compile(r"[（(][一二三四五六七八九十百]+[）)]\s*\S"), 3),
)
HEADING_STARTS = "第（(一二三四五六七八九十百"


def claims(text: str) -> bool:
    """True when a fifth of the letters or more are Chinese: in technical texts the rest are names and units."""
    chinese = sum("\u4e00" <= c <= "\u9fff" for c in text)
    return chinese > 0 and chinese * 5 >= sum(c.isalpha() for c in text)


def accepts(text: str) -> bool:
    """True when at most one word is English, or there are two Chinese characters for each English word."""
    words = latin_words(text)
    return foreign_letters(text) <= 1 and (words < 2 or han(text) / 2 >= words)
