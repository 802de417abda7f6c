"""What each stage of a recipe asks about a chunk, and how its answer is read. No I/O.

The task prompts show what earlier stages gave between lines `<question>`, `<answer>`, `<evidence>` and so on, which
the embedded server reads as well.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from configs.recipe import Recipe
from configs.recipe_parts import Scoring, Stage
from consumer.worker.recipe import prompts
from consumer.worker.recipe import response_formats as answers
from consumer.worker.recipe.candidate import Candidate
from consumer.worker.recipe.planning import plan_of
from consumer.worker.recipe.prompts import Sending, block, one_line
from consumer.worker.recipe.response_formats import AnsweredPair, GivenAnswer, Marks
from inference.chat import ChatRequest, ResponseFormat
from languages import language_of
from schemas import Chunk, PairType

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prompted(Generic[T]):
    """A request of a stage, and how its answer is read: `read` raises MalformedError."""

    stage: str
    request: ChatRequest
    read: Callable[[str], T]


class Stages:
    """The requests of one chunk. Only call for stages that the recipe has."""

    def __init__(self, recipe: Recipe, chunk: Chunk, sent: Sending, judging: Sending) -> None:
        """`judging` is for the judge of answers, which may be another model."""
        self._recipe = recipe
        self._sent = sent
        self._judging = judging
        self._language = language_of(chunk.text).code
        self._frame = prompts.frame(chunk, recipe.terms.get(self._language, {}))
        self.plan = plan_of(chunk, recipe.plan, self._language)

    def one_call(self, stage: Stage) -> Prompted[tuple[AnsweredPair, ...]]:
        values = self._planned() | {"examples": prompts.whole_examples(self._recipe.examples, self._language)}
        schema = answers.pairs_format(self._recipe.limits, self._recipe.plan.most)
        return Prompted("one_call", self._request(stage, values, schema), answers.parse_pairs)

    def text_gate(self, stage: Scoring) -> Prompted[Marks]:
        return self._marks("text_gate", stage, {}, self._sent)

    def ask(self, stage: Stage) -> Prompted[tuple[tuple[PairType, str], ...]]:
        values = self._planned() | {"examples": prompts.example_questions(self._recipe.examples, self._language)}
        schema = answers.questions_format(self._recipe.limits, self.plan)
        return Prompted("ask", self._request(stage, values, schema), answers.parse_questions)

    def question_gate(self, stage: Scoring, candidates: Sequence[Candidate]) -> Prompted[tuple[Marks, ...]]:
        """Marks in the order of the candidates."""
        lines = [f"{n}. ({each.type}) {one_line(each.question)}" for n, each in enumerate(candidates, 1)]
        criteria = list(stage.criteria)
        schema = answers.many_marks_format(self._recipe.limits, criteria, len(candidates))
        read = partial(answers.parse_many_marks, criteria=criteria, count=len(candidates))
        shown = {"questions": block("questions", lines)}
        return Prompted("question_gate", self._request(stage, shown, schema), read)

    def answer(self, stage: Stage, candidate: Candidate) -> Prompted[GivenAnswer]:
        examples = prompts.whole_examples(self._recipe.examples, self._language, candidate.type)
        schema = answers.answer_format(self._recipe.limits)
        return self._given("answer", stage, _shown(candidate) | {"examples": examples}, schema)

    def second_answer(self, stage: Stage, candidate: Candidate) -> Prompted[GivenAnswer]:
        schema = answers.second_answer_format(self._recipe.limits)
        return self._given("second_answer", stage, _shown(candidate), schema)

    def judge(self, stage: Scoring, candidate: Candidate) -> Prompted[Marks]:
        return self._marks("judge", stage, _shown(candidate), self._judging)

    def rewrite(self, stage: Stage, candidate: Candidate) -> Prompted[GivenAnswer]:
        schema = answers.rewriting_format(self._recipe.limits)
        values = _shown(candidate) | {"comment": block("comment", [one_line(candidate.comment)])}
        return self._given("rewrite", stage, values, schema)

    def _planned(self) -> dict[str, str]:
        return {"pairs": str(sum(self.plan.values())), "plan": prompts.plan_lines(self.plan)}

    def _given(
        self, name: str, stage: Stage, values: Mapping[str, str], schema: ResponseFormat
    ) -> Prompted[GivenAnswer]:
        return Prompted(name, self._request(stage, values, schema), partial(answers.parsed, GivenAnswer))

    def _marks(self, name: str, stage: Scoring, values: Mapping[str, str], sent: Sending) -> Prompted[Marks]:
        criteria = list(stage.criteria)
        schema = answers.marks_format(self._recipe.limits, criteria)
        read = partial(answers.parse_marks, criteria=criteria)
        return Prompted(name, self._request(stage, values, schema, sent), read)

    def _request(
        self, stage: Stage, values: Mapping[str, str], schema: ResponseFormat, sent: Sending | None = None
    ) -> ChatRequest:
        return prompts.chat_request(
            self._recipe,
            stage,
            self._frame,
            self._language,
            values=values,
            schema=schema,
            sent=sent or self._sent,
        )


def _shown(candidate: Candidate) -> dict[str, str]:
    """What a prompt may show of a candidate."""
    second = candidate.second
    return {
        "type": candidate.type.value,
        "question": block("question", [one_line(candidate.question)]),
        "answer": block("answer", [candidate.answer]),
        "reasoning": block("reasoning", [candidate.reasoning]),
        "evidence": block("evidence", map(one_line, candidate.quotes)),
        "second": block("second_answer", [(second.answer if second.answerable else "") or "–"] if second else []),
    }
