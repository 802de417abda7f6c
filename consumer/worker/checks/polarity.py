"""Comparison of the negations and comparisons of an answer with those of its text.

A clause of the answer is compared with the clause of the text that has its words in the same order. It is an error if
one negates and the other affirms, or one says more and the other less, but only if the words are nearly the same.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from consumer.worker.checks.quantities import plain
from languages import LANGUAGES
from languages.words import IDLE, WORD, clauses, stem

_PART = re.compile(
    rf"(?P<neither>{LANGUAGES.either(lambda it: it.words.neither)})|(?P<less>{LANGUAGES.either(lambda it: it.words.less)})"
    rf"|(?P<more>{LANGUAGES.either(lambda it: it.words.more)})|(?P<no>{LANGUAGES.either(lambda it: it.words.no)})"
    rf"|(?P<high>{LANGUAGES.either(lambda it: it.words.high)})|(?P<low>{LANGUAGES.either(lambda it: it.words.low)})|(?P<word>{WORD.pattern})",
    re.IGNORECASE,
)
_LEADING = LANGUAGES.pattern(lambda it: it.words.leading)
_SIGNS = {"more": 1, "high": 1, "less": -1, "low": -1}
_NEAR = 1
"""Most words, or twice as many Chinese characters, between a negation and the comparison that it reverses."""
_COVERED = 0.2
_WHOLE = 4
"""Fewest words of a clause of the text that may be a part of a longer clause of the answer."""


@dataclass(frozen=True, slots=True)
class ParsedClause:
    """A clause as stems. A sign is the number of words before a comparison and its direction: +1 for more, -1 for less.

    A negation reverses the sign of a comparison near it. `denied` are the words after other negations.
    """

    text: str
    words: tuple[str, ...]
    signs: tuple[tuple[int, int], ...]
    denied: tuple[str, ...]


def parsed(text: str) -> tuple[ParsedClause, ...]:
    read = [_clause(clause) for clause in _whole(clauses(plain(text).replace("’", "'")))]
    return tuple(clause for clause in read if clause.words)


def _whole(parts: list[str]) -> Iterator[str]:
    """The clauses, with one such as "without it" joined to the clause after it."""
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
    """Clauses of the answer that say the opposite of the text.

    `alignment` is the share of words, 0 to 1, that two clauses must have in common and in order to be compared.
    """
    for clause in parsed(answer):
        near = [(_nearness(clause, other, alignment), other) for other in text]
        best = max((nearness for nearness, _ in near), default=0.0)
        if best == 0.0:
            continue
        verdicts = {_opposed(clause, other) for nearness, other in near if nearness >= best - 0.05}
        if verdicts == {True}:
            yield clause.text


def _nearness(clause: ParsedClause, other: ParsedClause, least: float) -> float:
    """The share of the clause's words that the other has, plus a little for the share of the other's words.

    It is 0 if the share is under `least`, or if no figure is the same: such clauses say different things.
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
    return len(one.denied) % 2 != len(other.denied) % 2 and (
        set(one.denied) <= set(other.words) and set(other.denied) <= set(one.words)
    )


def _facing(one: ParsedClause, other: ParsedClause) -> Iterator[tuple[list[int], list[int]]]:
    """The signs between the same words of both clauses, where both have equally many."""
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
    """The indices, in both clauses, of the words that they have in common and in order."""
    return [
        (block.a + step, block.b + step)
        for block in LCSseq.opcodes(one.words, other.words).as_matching_blocks()
        for step in range(block.size)
    ]
