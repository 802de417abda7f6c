"""Precision and recall of the checks on the labelled cases."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.quality.cases import AUTHORS, Author, Half, cases, texts
from benchmarks.quality.mutations import Mutation, mutations
from configs.recipe_parts import Checks
from consumer.worker.checks.checking import check_pairs
from consumer.worker.checks.evidence import Quotable
from consumer.worker.checks.pair import AnsweredPair
from schemas import PairType

MUTATIONS = 300
SEEDS: Mapping[Half, int] = {"tune": 1, "report": 2}
Case = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """Counts of a check: cases found rightly, found wrongly, and missed."""

    what: str
    right: int
    wrong: int
    missed: int
    cases: int

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)


@dataclass(frozen=True, slots=True)
class Measured:
    """A labelled set and its check: `found` should be true exactly for the cases with `label`."""

    what: str
    set: str
    label: str
    found: Callable[[Case], bool]


def figures(half: Half, authors: tuple[Author, ...] = AUTHORS) -> list[Figure]:
    """The figures of one half. For evidence the checks find true quotes; in all other sets they find bad pairs."""
    found = (_figure(each.what, cases(each.set, half, authors), each.label, each.found) for each in measured())
    return [figure for figure in found if figure.cases]


def of_mutations(half: Half) -> Figure:
    made = mutations(MUTATIONS, SEEDS[half])
    labelled = [{"good": each.good, "mutation": each} for each in made]
    return _figure(f"evidence: {len(made)} mutations of true quotes", labelled, "good", _still_quoted)


def failures(authors: tuple[Author, ...] = AUTHORS) -> Iterator[tuple[str, Case]]:
    """Cases of the tune half that the checks get wrong. Nobody may look at cases of the other half."""
    for each in measured():
        wrong = (case for case in cases(each.set, "tune", authors) if _is(case, each.label) != each.found(case))
        yield from ((each.what, case) for case in wrong)


def measured() -> list[Measured]:
    chunks = texts()
    return [
        Measured("evidence: true quotes found", "evidence", "good", lambda c: _quoted(c, chunks[c["text"]])),
        Measured("support: bad pairs found", "support", "bad", lambda c: _refused(c, chunks, *SUPPORT)),
        Measured("self_contained: bad questions found", "self_contained", "bad", _points),
        Measured("near_duplicate: duplicates found", "near_duplicates", "duplicate", _alike),
        Measured("answer_is_question: copies found", "copies", "bad", _copies),
        Measured("language: bad pairs found", "languages", "bad", lambda c: _refused(c, chunks, "language")),
    ]


SUPPORT = ("numbers", "polarity", "overlap")


def _is(case: Case, label: str) -> bool:
    return not case["good"] if label == "bad" else bool(case[label])


def _figure(what: str, labelled: Iterable[Case], label: str, found: Callable[[Case], bool]) -> Figure:
    outcomes = [(_is(case, label), found(case)) for case in labelled]
    counts = {pair: outcomes.count(pair) for pair in ((True, True), (False, True), (True, False))}
    return Figure(what, counts[True, True], counts[False, True], counts[True, False], len(outcomes))


def _quoted(case: Case, text: str) -> bool:
    found = Quotable(text, 0).located((case["quote"],))
    assert all(text[each.start : each.end] == each.text for each in found)
    return bool(found)


def _still_quoted(case: Case) -> bool:
    """True when the quote is found, and found as the sentence that it was made from."""
    mutation: Mutation = case["mutation"]
    found = Quotable(mutation.text, 0).located((mutation.quote,))
    return bool(found) and (not mutation.good or _letters(found[0].text) == _letters(mutation.original))


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def reasons(case: Case, text: str) -> set[str]:
    """The names of the checks that refuse the case. Parts that a case leaves out are filled in."""
    pair = AnsweredPair(
        type=PairType.FACTUAL,
        question=case["question"],
        answer=case.get("answer", "-"),
        reasoning=case.get("reasoning", ""),
        evidence=tuple(case.get("evidence", ())),
    )
    (checked,) = check_pairs([pair], text=text, start=0, headings=(), checks=Checks())
    return {reason.check for reason in checked.reasons}


def _refused(case: Case, chunks: Mapping[str, str], *checks: str) -> bool:
    return not reasons(case, chunks[case["text"]]).isdisjoint(checks)


def _points(case: Case) -> bool:
    return "self_contained" in reasons({**case, "answer": "1"}, case["question"])


def _copies(case: Case) -> bool:
    return not reasons(case, case["question"]).isdisjoint({"answer_is_question", "empty"})


def _alike(case: Case) -> bool:
    """True when the second of two questions of one chunk is refused."""
    pairs = [AnsweredPair(type=PairType.FACTUAL, question=case[key], answer="1") for key in ("one", "other")]
    only = Checks(evidence=False, numbers=False, self_contained=False, language=False, copies=False)
    checked = check_pairs(pairs, text=case["one"], start=0, headings=(), checks=only)
    return [reason.check for reason in checked[1].reasons] == ["near_duplicate"]
