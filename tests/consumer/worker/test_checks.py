from hypothesis import given
from hypothesis import strategies as st

from consumer.worker.answers import AnsweredPair
from consumer.worker.checks import language_of, locate_evidence, reasons_against
from schemas import PairType


def pair(
    question: str = "What is it?", answer: str = "A film.", evidence: tuple[str, ...] = ("a film",)
) -> AnsweredPair:
    return AnsweredPair(type=PairType.FACTUAL, question=question, answer=answer, evidence=evidence)


def checks(answered: AnsweredPair, text: str) -> list[str]:
    return [reason.check for reason in reasons_against(answered, locate_evidence(answered.evidence, text, 0))]


@given(st.text(min_size=1), st.integers(0, 10**9), st.data())
def test_evidence_has_its_place_in_the_document(text: str, start: int, data: st.DataObject):
    begin = data.draw(st.integers(0, len(text) - 1))
    quote = text[begin : data.draw(st.integers(begin + 1, len(text)))]
    for evidence in locate_evidence((quote,), text, start):
        assert text[evidence.start - start : evidence.end - start] == evidence.text == quote.strip()


def test_a_pair_with_a_true_quote_is_kept():
    assert checks(pair(), "This is a film.") == []


def test_one_false_quote_is_enough():
    assert checks(pair(evidence=("a film", "a foil")), "This is a film.") == ["evidence_verbatim"]


def test_no_quote_is_no_evidence():
    assert checks(pair(evidence=()), "This is a film.") == ["evidence_verbatim"]


def test_an_answer_that_repeats_the_question_is_rejected():
    assert checks(pair(question="A film?", answer="a film"), "This is a film.") == ["answer_is_question"]


def test_language():
    assert language_of("栅极氧化层的厚度为 2 nm。") == "zh"
    assert language_of("The gate oxide (栅氧) is 2 nm thick.") == "en"
    assert language_of("12345") == "en"
