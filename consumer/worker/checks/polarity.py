"""Whether an answer negates and compares as its text does.

A clause of the answer is compared with the clause of the text that has its words in the same order. Only where these
are nearly the same words is it an error that one negates what the other affirms, or says more where it says less.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from consumer.worker.checks.quantities import plain
from languages import LANGUAGES
from languages.en.words import stem
from languages.language import Comparisons
from languages.words import IDLE, WORD, clauses


def _either(pattern: Callable[[Comparisons], str]) -> str:
    return LANGUAGES.either(lambda language: pattern(language.comparisons))


_PART = re.compile(
    rf"(?P<neither>{_either(lambda words: words.neither)})|(?P<less>{_either(lambda words: words.less)})"
    rf"|(?P<more>{_either(lambda words: words.more)})|(?P<no>{_either(lambda words: words.no)})"
    rf"|(?P<high>{_either(lambda words: words.high)})|(?P<low>{_either(lambda words: words.low)})|(?P<word>{WORD.pattern})",
    re.IGNORECASE,
)
_LEADING = re.compile(_either(lambda words: words.leading), re.IGNORECASE)
_SIGNS = {"more": 1, "high": 1, "less": -1, "low": -1}
_NEAR = 1
"""A negation with so many words between, or twice as many Chinese characters, turns a comparison round: "does not exceed"."""
_COVERED = 0.2
_WHOLE = 4
"""A clause of the text with so many words may stand as a whole within one of the answer."""


@dataclass(frozen=True, slots=True)
class ParsedClause:
    """`signs` are comparisons with the number of words before each: +1 upwards, -1 downwards, as negated.

    `denied` are the words after other negations.
    """

    text: str
    words: tuple[str, ...]
    signs: tuple[tuple[int, int], ...]
    denied: tuple[str, ...]


def parsed(text: str) -> tuple[ParsedClause, ...]:
    read = [_clause(clause) for clause in _whole(clauses(plain(text).replace("’", "'")))]
    return tuple(clause for clause in read if clause.words)


def _whole(parts: list[str]) -> Iterator[str]:
    """With "without it" put before the next."""
    before = ""
    for part in parts:
        if _LEADING.fullmatch(part):
            before = part
        else:
            yield f"{before} {part}" if before else part
            before = ""


def _clause(text: str) -> ParsedClause:
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
    return ParsedClause(text, tuple(found), tuple(signs), tuple(denied))


def _length(words: list[str]) -> float:
    return sum(0.5 if word >= "\u2e80" else 1.0 for word in words)


def turned(answer: str, text: tuple[ParsedClause, ...], *, alignment: float) -> Iterator[str]:
    """ParsedClauses of the answer that say the opposite of the text. `alignment`: share of words in common, in order."""
    for clause in parsed(answer):
        near = [(_nearness(clause, other, alignment), other) for other in text]
        best = max((nearness for nearness, _ in near), default=0.0)
        if best == 0.0:
            continue
        verdicts = {_opposed(clause, other) for nearness, other in near if nearness >= best - 0.05}
        if verdicts == {True}:
            yield clause.text


def _nearness(clause: ParsedClause, other: ParsedClause, least: float) -> float:
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


def _opposed(one: ParsedClause, other: ParsedClause) -> bool:
    signs = list(_facing(one, other))
    if any(ours != theirs for ours, theirs in signs):
        return True
    if len(one.signs) != len(other.signs) and not signs and (one.signs or other.signs):
        return False
    return len(one.denied) % 2 != len(other.denied) % 2 and _denied_in(one, other) and _denied_in(other, one)


def _facing(one: ParsedClause, other: ParsedClause) -> Iterator[tuple[list[int], list[int]]]:
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


def _steps(one: ParsedClause, other: ParsedClause) -> list[tuple[int, int]]:
    """Places of the words that both have, in their order."""
    return [
        (block.a + step, block.b + step)
        for block in LCSseq.opcodes(one.words, other.words).as_matching_blocks()
        for step in range(block.size)
    ]


def _denied_in(one: ParsedClause, other: ParsedClause) -> bool:
    """Whether what the one denies is spoken of by the other."""
    return all(word in other.words for word in one.denied)
