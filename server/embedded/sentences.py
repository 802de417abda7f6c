"""Text to sentences, word for word.

A sentence is found the same whatever stands around its paragraph: each block (paragraph, list item) is segmented alone.
Segmentation is `sentencex` (Wikimedia), which knows Chinese and English and their abbreviations.
"""

import re
from collections.abc import Iterator

import sentencex

_END = "。！？!?.；;：:…"
_CLOSING = "”’\"')）】》」』]"
# sentencex keeps "。2004年" together, as it does "3.2004", and takes the K of "1 ppm/K." for an initial.
_MISSED_END = re.compile(r"(?<=[。！？])(?=\d)|(?:(?<=/[A-Z]\.)|(?<=\d [A-Z]\.))\s(?=[A-Z])")
_ITEM = re.compile(r"[ \t]*(?:[-*+•·‣]|\d{1,2}[.)、]|[（(]\d{1,2}[）)])[ \t]+")
_HEADING = re.compile(
    r"[ \t]*(?:#{1,6}[ \t]|第[一二三四五六七八九十百\d]+[章节篇部]|[一二三四五六七八九十]{1,3}、|"
    r"\d{1,2}(?:\.\d{1,2})*[.、]?[ \t])"
)
_TABLE_OR_RULE = re.compile(r"[ \t]*(?:\||[-=*_]{3,}[ \t]*$|```|~~~)")
_ABBREVIATION = re.compile(r"\b(?:approx|Fig|Figs|Eq|Eqs|No|Ref|vs|ca|e\.g|i\.e|resp|cf|Dr|Mr|Prof)\.$")


def sentences(text: str) -> Iterator[str]:
    """Whole sentences in the order of the text, each an exact substring of it. No headings, tables or fragments."""
    for block in _blocks(text):
        for segment in sentencex.segment("zh" if is_chinese(block) else "en", block):
            for piece in _MISSED_END.split(segment):
                sentence = _without_marker(piece).strip()
                if _is_whole(sentence):
                    yield sentence


def is_chinese(text: str) -> bool:
    """Whether Chinese characters are a fifth of the letters or more."""
    chinese = sum("\u4e00" <= c <= "\u9fff" for c in text)
    return chinese > 0 and chinese * 5 >= sum(c.isalpha() for c in text)


def one_line(sentence: str) -> str:
    """Hard line breaks undone: none in Chinese, a space elsewhere."""
    joined = re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef])\s*\n\s*(?=[\u3000-\u9fff\uff00-\uffef])", "", sentence)
    return re.sub(r"\s+", " ", joined).strip()


def _blocks(text: str) -> Iterator[str]:
    """Lines that belong together; headings and table rows are left out."""
    block: list[str] = []
    for line in text.splitlines(keepends=True):
        boundary = not line.strip() or _is_heading(line) or _TABLE_OR_RULE.match(line) is not None
        if (boundary or _ITEM.match(line)) and block:
            yield "".join(block)
            block = []
        if not boundary:
            block.append(line)
    if block:
        yield "".join(block)


def _is_heading(line: str) -> bool:
    """Numbered or marked, and no sentence."""
    return _HEADING.match(line) is not None and (line.lstrip().startswith("#") or not _ends_whole(line.strip()))


def _without_marker(piece: str) -> str:
    marker = _ITEM.match(piece)
    return piece[marker.end() :] if marker else piece


def _is_whole(sentence: str) -> bool:
    return _ends_whole(sentence) and not _ABBREVIATION.search(sentence)


def _ends_whole(sentence: str) -> bool:
    return sentence.rstrip(_CLOSING)[-1:] in tuple(_END)
