"""When two questions ask the same: the same words, but for those that only make it a question.

Not a matter of a share: one number, name or "not" that differs makes another question, however long the rest is.
"""

import re
from collections import Counter
from dataclasses import dataclass

from consumer.worker.checks.quantities import plain
from consumer.worker.checks.words import WORD, stem

_KINDS = {
    "why": re.compile(r"为什么|为何|为啥|為什麼|為何|原因是什么|\b(?:why|for what reason)\b", re.IGNORECASE),
    "when": re.compile(
        r"何时|什么时候|哪一年|哪年|\bwhen(?= (?:was|is|did|does|do|were|will|must|should)\b)", re.IGNORECASE
    ),
    "where": re.compile(r"哪里|何处|在哪|\bwhere\b", re.IGNORECASE),
    "who": re.compile(r"谁|\bwho\b", re.IGNORECASE),
}
_HOW = re.compile(r"如何|怎样|怎么|多少|几|\bhow (?:do|does|did|is|are|was|can|to)\b", re.IGNORECASE)
_DEFINES = re.compile(r"什么是|是什么|什么叫|定义|^what(?: i|')s |^what are ", re.IGNORECASE)
_CHINESE_FRAME = re.compile(
    r"为什么|為什麼|为何|為何|什么叫做?|什么时候|什么|如何|怎样|怎么|多少(?:分钟|小时|秒|天|年|元|公里|米)?|多长时间|多久|哪些|哪几[个种类]?|哪[一个种]?|何时|何处|请问|请|说明|解释|简述|描述|"
    r"定义|含义|意思|大约|通常|一般|具体|需要|必须|应该|应当|可以|能够|各自?|分别|指的?是|大概|左右|之间|才能"
)
_CHINESE_IDLE = frozenset("是为由起的了吗呢有约在时先要应该做叫其所会能被对较个使让令到之就已以")
_ENGLISH_FRAME = re.compile(
    r"\b(?:can|could|would) you (?:please )?|\bplease\b|\b(?:explain|describe|define|tell me|state|name|give|list)\b|\bwhat is meant by\b|"
    r"\bwhat does (?=.* mean\b)|\bmeans?\b|\b(?:the )?definition of\b|\btake place\b|\bused to\b|\bis it true that\b|\brole\b(?=.*\bplay\b)|\bplays?\b(?=.*\brole\b)",
    re.IGNORECASE,
)
_ENGLISH_IDLE = frozenset(
    "what which how why when where who whom whose is are was were be been being am do doe did does done have has had can could will "
    "would shall should must may might the a an of in on at for by to with and or that there it its this these those i you me us we "
    "s re much many some any as if".split()
)
_IDLE = _ENGLISH_IDLE | _CHINESE_IDLE
_SYNONYMS = {"percent": "%", "effect": "affect", "effects": "affect", "kilogram": "kg", "function": "purpos"}
_CHINESE_SYNONYMS = {"取决于": "决定", "功能": "作用", "使用": "用", "采用": "用"}
_ALIAS = re.compile(r"\(([A-Z][\w-]{1,11})\)")
_MARK = re.compile(r"%|(?<![\w)])-(?=\d)|[<>=≤≥]")
_ORDER = re.compile(
    r"(?<![相对之占])比(?![例较率值重])|(?<!相)对(?![比应称面])|再|然后|(?<=从)[^，,]{1,15}?到|影响|导致|引起|代替|取代|"
    r"\b(?:than|over|versus|before|after|affects?|causes?|replaces?)\b",
    re.IGNORECASE,
)
_BASELINE = re.compile(r"(?:^|[，,])[与和跟同]([^，,]+?)相比")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks. `before` are the words up to a comparison or another verb whose sides matter."""

    kind: str
    how: bool
    defines: bool
    words: Counter[str]
    before: Counter[str]


def asked(question: str) -> Asked:
    text = _ALIAS.sub(" ", plain(question).replace("’", "'"))
    kind = next((kind for kind, pattern in _KINDS.items() if pattern.search(text)), "")
    baseline = _BASELINE.search(text)
    order = _ORDER.search(text)
    before = text[: order.end()] if order else text.replace(baseline[0], "") if baseline else ""
    return Asked(kind, bool(_HOW.search(text)), bool(_DEFINES.search(text)), words_of(text), words_of(before))


def same(one: Asked, other: Asked) -> bool:
    if one.kind != other.kind or not one.words or (one.how and other.defines) or (one.defines and other.how):
        return False
    left, right = one.words - other.words, other.words - one.words
    return _spelled_alike(left, right) and not _swapped(one, other)


def _spelled_alike(left: Counter[str], right: Counter[str]) -> bool:
    """As "band gap" and "bandgap" are."""
    return "".join(left.elements()) == "".join(right.elements())


def _swapped(one: Asked, other: Asked) -> bool:
    """Whether what is compared, or comes first, changed places: "A than B", "B than A"."""
    left, right = one.before - other.before, other.before - one.before
    return bool(one.before and other.before and left and right)


def words_of(text: str) -> Counter[str]:
    """Without those that only make it a question; Chinese characters are counted."""
    for word, other in _CHINESE_SYNONYMS.items():
        text = text.replace(word, other)
    text = _ENGLISH_FRAME.sub(" ", _CHINESE_FRAME.sub(" ", text))
    found = Counter(_MARK.findall(text))
    for word in WORD.findall(text.replace("n't", " not")):
        if word.lower() not in _IDLE:
            found[_SYNONYMS.get(word.lower()) or stem(word)] += 1
    return Counter({word: 1 if word < "\u2e80" else count for word, count in found.items()})
