"""The reported half of the labelled cases: figures may not fall. See benchmarks/quality/README.md."""

from collections import Counter

import orjson
import pytest

from benchmarks.quality.__main__ import main
from benchmarks.quality.cases import AUTHORS, FOLDER, WHOLE, Author, cases, lines
from benchmarks.quality.figures import failures, figures, of_mutations
from configs.recipe_parts import Checks
from consumer.worker.checks.checking import check_pairs
from consumer.worker.checks.pair import AnsweredPair
from server.embedded.pairs import extract

SETS = ("evidence", "support", "self_contained", "near_duplicates", "copies", "languages")
LEAST: dict[tuple[Author, ...], dict[str, tuple[float, float]]] = {
    AUTHORS: {
        "evidence: true quotes found": (1.0, 0.98),
        "support: bad pairs found": (0.95, 0.85),
        "self_contained: bad questions found": (0.95, 0.9),
        "near_duplicate: duplicates found": (0.95, 0.9),
        "answer_is_question: copies found": (0.95, 0.9),
        "language: bad pairs found": (0.9, 0.9),
    },
    ("first",): {
        "evidence: true quotes found": (1.0, 0.98),
        "support: bad pairs found": (0.95, 0.85),
        "self_contained: bad questions found": (0.95, 0.9),
        "near_duplicate: duplicates found": (0.95, 0.88),
        "answer_is_question: copies found": (0.95, 0.9),
        "language: bad pairs found": (0.9, 0.9),
    },
    ("second",): {
        "support: bad pairs found": (0.95, 0.85),
        "self_contained: bad questions found": (0.95, 0.87),
        "near_duplicate: duplicates found": (0.95, 0.9),
    },
    ("fourth",): {"near_duplicate: duplicates found": (0.95, 0.64)},
}
"""Precision and recall. The aims of near_duplicate and self_contained are 0.95 and 0.9: not reached where less is here."""


@pytest.mark.parametrize("authors", LEAST)
def test_precision_and_recall_on_the_reported_half(authors):
    found = {each.what: each for each in figures("report", authors)}
    assert set(found) == set(LEAST[authors])
    for what, (precision, recall) in LEAST[authors].items():
        assert found[what].precision >= precision, found[what]
        assert found[what].recall >= recall, found[what]


def test_mutations_of_true_quotes():
    found = of_mutations("report")
    assert (found.cases, found.precision) == (300, 1.0)
    assert found.recall >= 0.98


def test_cases_of_the_reported_half_are_not_listed(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["quality", "--half", "report", "--failures"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out == ""
    questions = {orjson.dumps(case) for name in SETS for case in cases(name, "report")}
    assert questions.isdisjoint(orjson.dumps(case) for _, case in failures())


@pytest.mark.parametrize("name", ["evidence", "support", "self_contained", "near_duplicates"])
def test_each_half_has_sixty_cases_and_none_is_there_twice(name):
    assert len(cases(name, "tune")) >= 60 <= len(cases(name, "report"))
    every = [line for author in (*AUTHORS, *WHOLE) for line in lines(name, author)]
    assert Counter(every).most_common(1)[0][1] == 1


@pytest.mark.parametrize(("name", "least"), [("display/oled.md", 11), ("display/lcd-basics.md", 20)])
def test_what_the_embedded_server_finds_in_the_samples_is_kept(name: str, least: int):
    text = (FOLDER.parents[2] / "data/texts" / name).read_text(encoding="utf-8")
    pairs = [
        AnsweredPair(type=p.type, question=p.question, answer=p.answer, reasoning=p.reasoning, evidence=(p.evidence,))
        for p in extract(text)
    ]
    checked = check_pairs(pairs, text=text, start=0, headings=(), checks=Checks())
    assert len(checked) > least
    assert [each.reasons for each in checked if each.reasons] == []
