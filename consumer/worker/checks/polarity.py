"""Whether an answer negates and compares as its text does.

A clause of the answer is compared with the clause of the text that has its words in the same order. Only where these
are nearly the same words is it an error that one negates what the other affirms, or says more where it says less.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from consumer.worker.checks.quantities import plain
from languages.words import IDLE, WORD, clauses, stem

_NEITHER = (
    "不仅|不但|不断|不同|不锈|不管|不得不|不可或缺|不然|不久|无论|非常|非晶|否则|无线|无机|未来|差不多|之前|目前|前者|大约|大致|大概|"
    "大小|大多|大部分|长度|高度|宽度|厚度|强度|深度|高分子|多晶|多数|多少|多种|多层|正常|正在|正确|正是|生长|成长|反应|负责|小时|"
    "优点|优势|缺点|薄膜|厚膜|减去|增益|加工|加入|加上",
    r"not only|more or less|up to|over time|no longer than|no one|as long as|so long as|long[- ]term|short[- ]term|"
    r"higher-\w+|rising edge|falling edge|in order to",
)
_NO = (
    "[不没](?:得|可以?|能够?|会|应当?|宜|必|需要?|须|许|要|再|曾)(?!不|少)|没有|没|不|无法|无[需须]|无|未能?|非|勿|禁止|禁(?!带)|避免|防止|缺乏|切勿",
    r"not|cannot|never|no|none|neither|nor|without|lacks?|lacking|unable|prevent\w*|avoid\w*|hardly|free (?:of|from)|fails? to|failed to|"
    r"keep(?:s|ing)?(?=\b.*\bfrom\b)|"
    r"(?:do|does|did|is|are|was|were|ca|could|wo|would|should|must|need|has|have|had)n't",
)
_PREFIX = (
    r"\b(?:un(?!i|der|til|less|cle)|non-?)(?=[a-z]{3,}(?:ed|ing|able|al|ar|ent|ant|ic|ful|tile|n)\b)|\bin(?=(?:soluble|sensitive|dependent|active|"
    r"complete|visible|sufficient|stable|direct|accurate|effective|organic|flexible)\w*\b)"
)
_MORE = (
    "高于|大于|超过|多于|长于|快于|优于|以上|升高|上升|增加|增大|增强|增长|增多|增厚|提高|提升|延长|变[大宽长高厚快强多亮]|加[快大深宽厚强速]|扩大|扩展|"
    "膨胀|促进|加剧|翻[倍番]|加倍|至少|最少|不少|足够|充足|上涨|上调|升至|涨",
    r"higher|highest|above|over|more|most|greater|greatest|larger|largest|bigger|longer|increas\w*|ris\w+|rose|exceed\w*|rais\w*|at least|"
    r"faster|wider|thicker|stronger|deeper|brighter|hotter|gain\w*|grow\w*|grew|grown|maximum|after|better|up|improv\w*|lengthen\w*|widen\w*|"
    r"broaden\w*|deepen\w*|thicken\w*|strengthen\w*|enhanc\w*|boost\w*|accelerat\w*|speed(?:s|ed)? up|expand\w*|doubl(?:e[sd]|ing)|"
    r"tripl(?:e[sd]|ing)|promot\w*|heat(?:s|ed)(?: up)?|extend\w*|amplif\w*|maximi[sz]\w*",
)
_LESS = (
    "低于|小于|不到|不足|少于|短于|慢于|劣于|以下|降低|下降|减少|减小|减弱|减轻|减薄|减缓|缩短|变[小窄短低薄慢弱少暗]|减慢|缩小|缩减|收缩|"
    "抑制|减半|至多|最多|下跌|下调|降至|跌|下滑|削弱|延缓",
    r"lower|lowest|lower(?:s|ed|ing)|below|under|less|least|fewer|fewest|smaller|smallest|shorter|decreas\w*|fall\w*|fell|drop\w*|reduc\w*|at most|"
    r"slower|narrower|thinner|weaker|shallower|dimmer|colder|cooler|los[et]\w*|minimum|before|worse\w*|down|shorten\w*|narrow(?:s|ed|ing)|"
    r"weaken\w*|slow(?:s|ed|ing)?(?: down)?|shrink\w*|shrank|shrunk|declin\w*|diminish\w*|degrad\w*|delay(?:s|ed)|halv\w+|suppress\w*|inhibit\w*|"
    r"hinder\w*|cool(?:s|ed)(?: down)?|contract(?:s|ed|ing)|minimi[sz]\w*",
)
_HIGH = (
    "高|大|多|长|宽|厚|强|快|正|优|升|增|先|前|热|亮|深",
    r"high|large|long|big|fast|wide|thick|strong|positive|directly|deep|hot|bright|first",
)
_LOW = (
    "低|小|少|短|窄|薄|弱|慢|负|反|劣|降|减|后|冷|暗|浅",
    r"low|small|short|slow|narrow|thin|weak|negative|inversely|shallow|cold|dark|last",
)
"""Of a thing, not of how it changes or compares: what is not high is not the same as low."""


def _either(lists: tuple[str, str]) -> str:
    """Chinese alternatives are tried only at characters that are in one of them: they are many."""
    chinese, english = lists
    begins = "".join(sorted({character for character in chinese if character >= "\u2e80"}))
    return rf"(?=[{begins}])(?:{chinese})|\b(?:{english})\b"


_PART = re.compile(
    rf"(?P<neither>{_either(_NEITHER)})|(?P<less>{_either(_LESS)})|(?P<more>{_either(_MORE)})|(?P<no>{_either(_NO)}|{_PREFIX})"
    rf"|(?P<high>{_either(_HIGH)})|(?P<low>{_either(_LOW)})|(?P<word>{WORD.pattern})",
    re.IGNORECASE,
)
_SIGNS = {"more": 1, "high": 1, "less": -1, "low": -1}
_NEAR = 1
"""A negation with so many words between, or twice as many Chinese characters, turns a comparison round: "does not exceed"."""
_COVERED = 0.2
_WHOLE = 4
"""A clause of the text with so many words may stand as a whole within one of the answer."""


_WITH = re.compile(r"with(?:out)? (?:it|them|this|that|these|those)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clause:
    """`signs` are comparisons with the number of words before each: +1 upwards, -1 downwards, as negated.

    `denied` are the words after other negations.
    """

    text: str
    words: tuple[str, ...]
    signs: tuple[tuple[int, int], ...]
    denied: tuple[str, ...]


def parsed(text: str) -> tuple[Clause, ...]:
    read = [_clause(clause) for clause in _whole(clauses(plain(text).replace("’", "'")))]
    return tuple(clause for clause in read if clause.words)


def _whole(parts: list[str]) -> Iterator[str]:
    """With "without it" put before the next."""
    before = ""
    for part in parts:
        if _WITH.fullmatch(part):
            before = part
        else:
            yield f"{before} {part}" if before else part
            before = ""


def _clause(text: str) -> Clause:
    found: list[str] = []
    signs: list[tuple[int, int]] = []
    denied: list[str] = []
    pending: int | None = None
    for match in _PART.finditer(text):
        kind = match.lastgroup or ""
        if kind in _SIGNS:
            turned = kind in ("more", "less") and pending is not None and _length(found[pending:]) <= _NEAR
            signs.append((len(found), -_SIGNS[kind] if turned else _SIGNS[kind]))
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
    return Clause(text, tuple(found), tuple(signs), tuple(denied))


def _length(words: list[str]) -> float:
    return sum(0.5 if word >= "\u2e80" else 1.0 for word in words)


def turned(answer: str, text: tuple[Clause, ...], *, alignment: float) -> Iterator[str]:
    """Clauses of the answer that say the opposite of the text. `alignment`: share of words in common, in order."""
    for clause in parsed(answer):
        near = [(_nearness(clause, other, alignment), other) for other in text]
        best = max((nearness for nearness, _ in near), default=0.0)
        if best == 0.0:
            continue
        verdicts = {_opposed(clause, other) for nearness, other in near if nearness >= best - 0.05}
        if verdicts == {True}:
            yield clause.text


def _nearness(clause: Clause, other: Clause, least: float) -> float:
    """Share of the clause's words that are in the other, and a little for the other's that are in it.

    None if it is less than the least share, or the figures are other ones: these say something else.
    """
    figures = {word for word in clause.words if word[0].isdigit()}
    if figures and figures.isdisjoint(other.words):
        return 0.0
    common = LCSseq.similarity(clause.words, other.words)
    share, covered = common / len(clause.words), common / len(other.words)
    if len(other.words) >= _WHOLE and common == len(other.words):
        return max(least, share) + _COVERED * covered
    return share + _COVERED * covered if share >= least else 0.0


def _opposed(one: Clause, other: Clause) -> bool:
    signs = list(_facing(one, other))
    if any(ours != theirs for ours, theirs in signs):
        return True
    if len(one.signs) != len(other.signs) and not signs and (one.signs or other.signs):
        return False
    return len(one.denied) % 2 != len(other.denied) % 2 and _denied_in(one, other) and _denied_in(other, one)


def _facing(one: Clause, other: Clause) -> Iterator[tuple[list[int], list[int]]]:
    """Comparisons that stand between the same words of both, where there are as many of them."""
    ours, theirs = dict[int, list[int]](), dict[int, list[int]]()
    steps = _steps(one, other)
    for signs, side, place in ((one.signs, ours, 0), (other.signs, theirs, 1)):
        for at, sign in signs:
            slot = sum(step[place] < at for step in steps)
            side.setdefault(slot, []).append(sign)
    for slot in ours.keys() & theirs.keys():
        if len(ours[slot]) == len(theirs[slot]):
            yield ours[slot], theirs[slot]


def _steps(one: Clause, other: Clause) -> list[tuple[int, int]]:
    """Places of the words that both have, in their order."""
    return [
        (block.a + step, block.b + step)
        for block in LCSseq.opcodes(one.words, other.words).as_matching_blocks()
        for step in range(block.size)
    ]


def _denied_in(one: Clause, other: Clause) -> bool:
    """Whether what the one denies is spoken of by the other."""
    return all(word in other.words for word in one.denied)
