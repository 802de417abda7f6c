"""What the checks make of the labelled cases."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.quality.cases import Half, cases, texts
from benchmarks.quality.mutations import Mutation, mutations
from configs.checks import Checks
from consumer.worker.answers import AnsweredPair
from consumer.worker.checks import check_pairs, locate_evidence
from schemas import PairType

MUTATIONS = 300
SEEDS: Mapping[Half, int] = {"tune": 1, "report": 2}
Case = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """`right` of what was found were to be found, `missed` were not found."""

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


def figures(half: Half) -> list[Figure]:
    """For evidence what is found are true quotes; elsewhere what is found are bad pairs."""
    chunks = texts()
    return [
        _figure(
            "evidence: true quotes found", cases("evidence", half), "good", lambda c: _quoted(c, chunks[c["text"]])
        ),
        _of_mutations(mutations(MUTATIONS, SEEDS[half])),
        _figure("support: bad pairs found", _bad("support", half), "bad", lambda c: _refused(c, chunks, *SUPPORT)),
        _figure("self_contained: bad questions found", _bad("self_contained", half), "bad", _points),
        _figure("near_duplicate: duplicates found", cases("near_duplicates", half), "duplicate", _alike),
        _figure("answer_is_question: copies found", _bad("copies", half), "bad", _copies),
        _figure("language: bad pairs found", _bad("languages", half), "bad", lambda c: _refused(c, chunks, "language")),
    ]


SUPPORT = ("numbers", "polarity", "overlap")


def _bad(name: str, half: Half) -> list[dict[str, Any]]:
    return [case | {"bad": not case["good"]} for case in cases(name, half)]


def _figure(what: str, labelled: Iterable[Case], label: str, found: Callable[[Case], bool]) -> Figure:
    outcomes = [(bool(case[label]), found(case)) for case in labelled]
    counts = {pair: outcomes.count(pair) for pair in ((True, True), (False, True), (True, False))}
    return Figure(what, counts[True, True], counts[False, True], counts[True, False], len(outcomes))


def _quoted(case: Case, text: str) -> bool:
    found = locate_evidence((case["quote"],), text, 0)
    assert all(text[each.start : each.end] == each.text for each in found)
    return bool(found)


def _of_mutations(made: list[Mutation]) -> Figure:
    labelled = [{"good": each.good, "mutation": each} for each in made]
    return _figure(f"evidence: {len(made)} mutations of true quotes", labelled, "good", _still_quoted)


def _still_quoted(case: Case) -> bool:
    """Found, and as the sentence that it was made from."""
    mutation: Mutation = case["mutation"]
    found = locate_evidence((mutation.quote,), mutation.text, 0)
    return bool(found) and (not mutation.good or _letters(found[0].text) == _letters(mutation.original))


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def reasons(case: Case, text: str) -> set[str]:
    """Names of the checks that are against the case; what it does not tell of is filled in."""
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
    return "self_contained" in reasons(case | {"answer": "1"}, case["question"])


def _copies(case: Case) -> bool:
    return not reasons(case, case["question"]).isdisjoint({"answer_is_question", "empty"})


def _alike(case: Case) -> bool:
    """Both asked of one chunk: the later one goes."""
    pairs = [AnsweredPair(type=PairType.FACTUAL, question=case[key], answer="1") for key in ("one", "other")]
    only = Checks(evidence=False, numbers=False, self_contained=False, language=False, copies=False)
    checked = check_pairs(pairs, text=case["one"], start=0, headings=(), checks=only)
    return [reason.check for reason in checked[1].reasons] == ["near_duplicate"]
