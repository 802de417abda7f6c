"""Splits a text into sentences, each an exact piece of the text.

A sentence is found the same whatever stands around its paragraph, because each paragraph and list item is split alone.
"""

import re
from collections.abc import Iterator

from languages import LANGUAGES
from languages.sentences import CLOSERS, sentence_rules

_UNIT_BEFORE_END = re.compile(r"(?<=/[A-Z]\.)\s(?=[A-Z])")  # the K of "1 ppm/K." is no initial
_ITEM = re.compile(r"[ \t]*(?:[-*+•·‣]|\d{1,2}[.)、]|[（(]\d{1,2}[）)])[ \t]+")
_NUMBERED_HEADING = re.compile(r"#{1,6}[ \t]|\d{1,2}(?:\.\d{1,2})*[.、]?[ \t]")
_TABLE_OR_RULE = re.compile(r"[ \t]*(?:\||[-=*_]{3,}[ \t]*$|```|~~~)|.*\S(?: {3,}|\t)\s*\S")
_MARKUP = re.compile(r"[`{}<>\[\]|\\@#*_=$~^]|://|--|\.\.|…|\(\)|www\.")
_BRACKETS = (("(", ")"), ("（", "）"), ("【", "】"), ("“", "”"), ("「", "」"), ("《", "》"))


def sentences(text: str) -> Iterator[str]:
    """Whole sentences in the order of the text. Headings, tables, code and fragments are left out."""
    for block in _blocks(text):
        ends = [end for end, of_sentence in sentence_rules().sentence_ends(block) if of_sentence]
        for start, end in zip([0, *ends], [*ends, len(block)], strict=True):
            for sentence in map(str.strip, _UNIT_BEFORE_END.split(block[start:end])):
                if _is_prose(sentence):
                    yield sentence


def one_line(sentence: str) -> str:
    """The sentence without hard line breaks: a break becomes nothing between Chinese characters, a space elsewhere."""
    joined = re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef])\s*\n\s*(?=[\u3000-\u9fff\uff00-\uffef])", "", sentence)
    return re.sub(r"\s+", " ", joined).strip()


def _blocks(text: str) -> Iterator[str]:
    """Paragraphs and list items, the latter without their marker."""
    block: list[str] = []
    for line in text.splitlines(keepends=True):
        item = _ITEM.match(line)
        boundary = not line.strip() or _is_heading(line.strip()) or _TABLE_OR_RULE.match(line) is not None
        if (boundary or item) and block:
            yield "".join(block)
            block = []
        if not boundary:
            block.append(line[item.end() :] if item else line)
    yield "".join(block)


def _is_heading(line: str) -> bool:
    forms = [pattern for language in LANGUAGES for pattern, _ in language.writing.headings]
    is_numbered = any(form.match(line) for form in (_NUMBERED_HEADING, *forms))
    return is_numbered and (line.startswith("#") or not _ends(line))


def _is_prose(sentence: str) -> bool:
    return (
        _ends(sentence)
        and not _MARKUP.search(sentence)
        and all(sentence.count(opening) == sentence.count(closing) for opening, closing in _BRACKETS)
        and sentence.count('"') % 2 == 0
    )


def _ends(sentence: str) -> bool:
    return sentence.rstrip(CLOSERS)[-1:] in tuple("。！？!?.；;")
