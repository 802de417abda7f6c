"""The reported half of the labelled cases: figures may not fall. See benchmarks/quality/README.md."""

from collections import Counter

import pytest

from benchmarks.quality.cases import FOLDER, cases
from benchmarks.quality.figures import figures
from configs.checks import Checks
from consumer.worker.answers import AnsweredPair
from consumer.worker.checks import check_pairs
from server.embedded.extract import extract

LEAST = {
    "evidence: true quotes found": (1.0, 0.98),
    "evidence: 300 mutations of true quotes": (1.0, 0.98),
    "support: bad pairs found": (0.93, 0.85),
    "self_contained: bad questions found": (0.95, 0.9),
    "near_duplicate: duplicates found": (0.95, 0.88),
    "answer_is_question: copies found": (0.95, 0.9),
    "language: bad pairs found": (0.9, 0.9),
}
"""Precision and recall. Wanted were 0.95 and 0.85 of support, 0.95 and 0.9 of near-duplicates: not reached."""


def test_precision_and_recall_on_the_reported_half():
    found = {each.what: each for each in figures("report")}
    assert set(found) == set(LEAST)
    for what, (precision, recall) in LEAST.items():
        assert found[what].precision >= precision, found[what]
        assert found[what].recall >= recall, found[what]


@pytest.mark.parametrize("name", ["evidence", "support", "self_contained", "near_duplicates"])
def test_each_half_has_sixty_cases_and_none_is_there_twice(name):
    assert len(cases(name, "tune")) >= 60 <= len(cases(name, "report"))
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    assert Counter(lines).most_common(1)[0][1] == 1


def test_what_the_embedded_server_finds_in_the_samples_is_kept():
    text = (FOLDER.parents[2] / "data/texts/display/oled.md").read_text(encoding="utf-8")
    pairs = [
        AnsweredPair(type=p.type, question=p.question, answer=p.answer, reasoning=p.reasoning, evidence=(p.evidence,))
        for p in extract(text)
    ]
    checked = check_pairs(pairs, text=text, start=0, headings=(), checks=Checks())
    assert len(checked) > 20
    assert [each.reasons for each in checked if each.reasons] == []
