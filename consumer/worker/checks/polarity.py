"""Whether an answer negates and compares as its text does.

A clause of the answer is compared with the clause of the text that has its words in the same order. Only where these
are nearly the same words is it an error that one negates what the other affirms, or says more where it says less.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from consumer.worker.checks.quantities import plain
from consumer.worker.checks.words import IDLE, WORD, clauses, stem

_NEITHER = (
    "不仅|不但|不断|不同|不锈|不管|不得不|不可或缺|无论|非常|否则|无线|无机|未来|差不多|之前|目前|前者|大约|大致|大概|"
    "大小|大多|大部分|长度|高度|宽度|厚度|强度|深度|多晶|多数|多少|多种|正常|正在|生长|成长",
    r"not only|more or less|up to|over time",
)
_NO = (
    "没有|没|不|无法|无|未|非|勿|禁止|禁(?!带)|避免|防止|缺乏",
    r"not|cannot|never|no|none|neither|nor|without|lacks?|unable|prevent\w*|avoid\w*|keep(?:s|ing)?(?=\b.*\bfrom\b)|"
    r"(?:do|does|did|is|are|was|were|ca|could|wo|would|should|must|need|has|have|had)n't",
)
_MORE = (
    "高于|大于|超过|多于|以上|升高|上升|增加|增大|增强|增长|提高|提升|延长|变大|变宽|加快|扩大|至少|足够|充足|"
    "高|大|多|长|宽|厚|强|快|正|优|升|增",
    r"high\w*|above|over|more|greater|larg\w*|longer|increas\w*|ris\w+|rose|exceed\w*|rais\w*|at least|faster|wider|"
    r"thicker|stronger|gain\w*|grow\w*|grew|maximum|after|better|up|improv\w*|lengthen\w*",
)
_LESS = (
    "低于|小于|不到|不足|少于|以下|降低|下降|减少|减小|减弱|缩短|变小|变窄|减慢|缩小|至多|最多|"
    "低|小|少|短|窄|薄|弱|慢|负|劣|降|减",
    r"low\w*|below|under|less|fewer|small\w*|shorter|decreas\w*|fall\w*|fell|drop\w*|reduc\w*|at most|slower|narrower|"
    r"thinner|weaker|los[et]\w*|minimum|before|worse|down|shorten\w*",
)
_NEAR = 4
"""A negation this many words before a comparison turns it round: "does not exceed"."""


def _either(lists: tuple[str, str]) -> str:
    chinese, english = lists
    return rf"{chinese}|\b(?:{english})\b"


_PART = re.compile(
    rf"(?P<neither>{_either(_NEITHER)})|(?P<less>{_either(_LESS)})|(?P<more>{_either(_MORE)})|(?P<no>{_either(_NO)})"
    rf"|(?P<word>{WORD.pattern})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Clause:
    """`more` is +1 for each comparison upwards, -1 downwards, as negated. `denied` are the words after other negations."""

    text: str
    words: tuple[str, ...]
    more: tuple[int, ...]
    denied: tuple[str, ...]


def parsed(text: str) -> tuple[Clause, ...]:
    read = (_clause(clause) for clause in clauses(plain(text).replace("’", "'")))
    return tuple(clause for clause in read if clause.words)


def _clause(text: str) -> Clause:
    found: list[str] = []
    more: list[int] = []
    denied: list[str] = []
    pending: int | None = None
    for match in _PART.finditer(text):
        kind = match.lastgroup
        if kind in ("more", "less"):
            sign = 1 if kind == "more" else -1
            turned = pending is not None and len(found) - pending <= _NEAR
            more.append(-sign if turned else sign)
            pending = None if turned else pending
        elif kind == "no":
            if pending == len(found):  # "cannot avoid"
                pending = None
                continue
            if pending is not None:
                denied.append(found[pending])
            pending = len(found)
        else:
            found.extend(word for word in map(stem, WORD.findall(match[0])) if word not in IDLE)
    if pending is not None:
        denied.extend(found[pending : pending + 1] or [""])
    return Clause(text, tuple(found), tuple(more), tuple(denied))


def turned(answer: str, text: tuple[Clause, ...], *, alignment: float) -> Iterator[str]:
    """Clauses of the answer that say the opposite of the text. `alignment`: share of words in common, in order."""
    for clause in parsed(answer):
        near = [(_alignment(clause, other), other) for other in text]
        best = max((share for share, _ in near), default=0.0)
        if best < alignment:
            continue
        verdicts = {_opposed(clause, other) for share, other in near if share >= best - 0.05}
        if verdicts == {True}:
            yield clause.text


def _alignment(clause: Clause, other: Clause) -> float:
    """Share of the clause's words; none if its figures are other ones: they say something else."""
    figures = {word for word in clause.words if word[0].isdigit()}
    if figures and figures.isdisjoint(other.words):
        return 0.0
    return LCSseq.similarity(clause.words, other.words) / len(clause.words)


def _opposed(one: Clause, other: Clause) -> bool:
    if len(one.more) != len(other.more):
        return False
    if one.more != other.more:
        return True
    return len(one.denied) % 2 != len(other.denied) % 2 and _denied_in(one, other) and _denied_in(other, one)


def _denied_in(one: Clause, other: Clause) -> bool:
    """Whether what the one denies is spoken of by the other."""
    return all(word in other.words for word in one.denied)
