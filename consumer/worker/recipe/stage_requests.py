"""Makes the chat request of each stage of a recipe, with the function that reads its answer. No I/O.

The task prompts show the results of earlier stages between lines `<question>`, `<answer>`, `<evidence>` and so on. The
embedded server reads these lines too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from string import Template
from typing import Generic, TypeVar

from configs.recipe import Recipe
from configs.recipe_parts import Scoring, Stage
from configs.sections import ModelSettings
from consumer.worker.checks.pair import AnsweredPair
from consumer.worker.recipe import prompts
from consumer.worker.recipe import response_formats as formats
from consumer.worker.recipe.candidate import Candidate
from consumer.worker.recipe.planning import plan_of
from consumer.worker.recipe.prompts import block, one_line
from consumer.worker.recipe.response_formats import CriterionMarks, ModelAnswer
from inference.chat import ChatMessage, ChatRequest, ResponseFormat
from languages import language_of
from schemas import Chunk, PairType

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StageRequest(Generic[T]):
    """The chat request of one stage. `read` turns the content of the answer into a value, or raises MalformedError."""

    stage: str
    chat: ChatRequest
    read: Callable[[str], T]


class StageRequests:
    """Makes the requests of one chunk. Only make requests of stages that the recipe has."""

    def __init__(self, recipe: Recipe, chunk: Chunk, settings: ModelSettings, *, judge: str) -> None:
        """`judge` is the name of the model that judges answers."""
        self._recipe = recipe
        self._settings = settings
        self._judge = judge
        self._language = language_of(chunk.text).code
        self._frame = prompts.frame(chunk, recipe.terms.get(self._language, {}))
        self.plan = plan_of(chunk, recipe.plan, self._language)

    def one_call(self, stage: Stage) -> StageRequest[tuple[AnsweredPair, ...]]:
        values = self._planned() | {"examples": prompts.whole_examples(self._recipe.examples, self._language)}
        wanted = formats.pairs_format(self._recipe.limits, self._recipe.plan.most)
        return StageRequest("one_call", self._chat(stage, values, wanted), partial(formats.parse_pairs, wanted=wanted))

    def text_gate(self, stage: Scoring) -> StageRequest[CriterionMarks]:
        return self._marks("text_gate", stage, {})

    def ask(self, stage: Stage) -> StageRequest[tuple[tuple[PairType, str], ...]]:
        values = self._planned() | {"examples": prompts.example_questions(self._recipe.examples, self._language)}
        wanted = formats.questions_format(self._recipe.limits, self.plan)
        return StageRequest("ask", self._chat(stage, values, wanted), partial(formats.parse_questions, wanted=wanted))

    def question_gate(
        self, stage: Scoring, candidates: Sequence[Candidate]
    ) -> StageRequest[tuple[CriterionMarks, ...]]:
        """Makes one request for the marks of all candidates, which come in their order."""
        lines = [f"{n}. ({each.pair.type}) {one_line(each.pair.question)}" for n, each in enumerate(candidates, 1)]
        criteria = list(stage.criteria)
        wanted = formats.many_marks_format(self._recipe.limits, criteria, len(candidates))
        read = partial(formats.parse_many_marks, wanted=wanted, criteria=criteria, count=len(candidates))
        shown = {"questions": block("questions", lines)}
        return StageRequest("question_gate", self._chat(stage, shown, wanted), read)

    def answer(self, stage: Stage, candidate: Candidate) -> StageRequest[ModelAnswer]:
        examples = prompts.whole_examples(self._recipe.examples, self._language, candidate.pair.type)
        wanted = formats.answer_format(self._recipe.limits)
        return self._answer("answer", stage, _shown(candidate) | {"examples": examples}, wanted)

    def second_answer(self, stage: Stage, candidate: Candidate) -> StageRequest[ModelAnswer]:
        wanted = formats.second_answer_format(self._recipe.limits)
        return self._answer("second_answer", stage, _shown(candidate), wanted)

    def judge(self, stage: Scoring, candidate: Candidate) -> StageRequest[CriterionMarks]:
        return self._marks("judge", stage, _shown(candidate), self._judge)

    def rewrite(self, stage: Stage, candidate: Candidate) -> StageRequest[ModelAnswer]:
        wanted = formats.rewriting_format(self._recipe.limits)
        values = _shown(candidate) | {"comment": block("comment", [one_line(candidate.comment)])}
        return self._answer("rewrite", stage, values, wanted)

    def _planned(self) -> dict[str, str]:
        return {"pairs": str(sum(self.plan.values())), "plan": prompts.plan_lines(self.plan)}

    def _answer(
        self, name: str, stage: Stage, values: Mapping[str, str], wanted: ResponseFormat
    ) -> StageRequest[ModelAnswer]:
        return StageRequest(name, self._chat(stage, values, wanted), partial(formats.parse, ModelAnswer, wanted=wanted))

    def _marks(
        self, name: str, stage: Scoring, values: Mapping[str, str], model: str | None = None
    ) -> StageRequest[CriterionMarks]:
        criteria = list(stage.criteria)
        wanted = formats.marks_format(self._recipe.limits, criteria)
        read = partial(formats.parse_marks, wanted=wanted, criteria=criteria)
        return StageRequest(name, self._chat(stage, values, wanted, model), read)

    def _chat(
        self, stage: Stage, values: Mapping[str, str], wanted: ResponseFormat, model: str | None = None
    ) -> ChatRequest:
        """Makes a request from the content of the chunk only: equal chunks make equal requests.

        The system prompt comes first, then the chunk, then the task, because prefix caches reuse what is the same in
        all stages.
        """
        recipe, settings = self._recipe, self._settings
        thinking = recipe.thinking if stage.thinking is None else stage.thinking
        task = Template(recipe.prompt(stage.prompt, self._language)).substitute(values, **recipe.limits.placeholders)
        return ChatRequest(
            model=model or settings.model_name,
            messages=(
                ChatMessage("system", recipe.prompt(recipe.system, self._language)),
                ChatMessage("user", f"{self._frame}\n\n{task.strip()}"),
            ),
            temperature=settings.temperature if stage.temperature is None else stage.temperature,
            max_tokens=settings.max_tokens + (0 if thinking is False else settings.reasoning_max_tokens),
            response_format=wanted,
            thinking=thinking,
        )


def _shown(candidate: Candidate) -> dict[str, str]:
    """Returns the placeholders of a prompt that show a candidate."""
    pair, second = candidate.pair, candidate.second
    return {
        "type": pair.type.value,
        "question": block("question", [one_line(pair.question)]),
        "answer": block("answer", [pair.answer]),
        "reasoning": block("reasoning", [pair.reasoning]),
        "evidence": block("evidence", map(one_line, pair.evidence)),
        "second": block("second_answer", [(second.answer if second.answerable else "") or "–"] if second else []),
    }
