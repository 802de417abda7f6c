"""A question on its way through the stages. In the end it is a pair that is kept, or is rejected with its reasons."""

from dataclasses import dataclass, field, replace
from typing import Self

from configs.recipe_parts import Limits, Scoring
from consumer.worker.checks.checking import Checked
from consumer.worker.checks.pair import AnsweredPair
from consumer.worker.recipe.response_formats import MOST_MARK, CriterionMarks, ModelAnswer
from schemas import Evidence, Reason


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question with everything that is known about it. One with `reasons` is rejected and goes no further."""

    pair: AnsweredPair
    thinking: str = ""
    second: ModelAnswer | None = None
    evidence: tuple[Evidence, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)
    comment: str = ""
    reasons: tuple[Reason, ...] = ()

    def rejected(self, *reasons: Reason) -> Self:
        return replace(self, reasons=(*self.reasons, *reasons))

    def checked_for_cuts(self, limits: Limits) -> Self:
        """Rejects a candidate with a text as long as its limit: the schema's bound has cut it within a sentence."""
        bounds = {
            "question": limits.question_characters,
            "answer": limits.answer_characters,
            "reasoning": limits.reasoning_characters,
        }
        cut = [f"{name} at {most} characters" for name, most in bounds.items() if len(getattr(self.pair, name)) >= most]
        return self.rejected(Reason(check="cut", detail=", ".join(cut))) if cut and not limits.keep_cut else self

    def checked(self, checked: Checked) -> Self:
        """Adds what the checks found: evidence, and reasons against the pair."""
        return replace(self, evidence=checked.evidence, reasons=(*self.reasons, *checked.reasons))

    def answered(self, given: ModelAnswer, thinking: str, limits: Limits) -> Self:
        """Adds the answer, or rejects the question as unanswerable.

        Thoughts over the limit are left out, since half of a chain of thought teaches nothing.
        """
        answered = replace(
            self,
            pair=AnsweredPair(
                type=self.pair.type,
                question=given.question.strip() or self.pair.question,
                answer=given.answer,
                reasoning=given.reasoning,
                evidence=given.evidence,
            ),
            thinking=thinking if len(thinking) <= limits.thinking_characters else "",
        )
        if not given.answerable:
            return answered.rejected(Reason(check="unanswerable", detail=given.reasoning))
        return answered.checked_for_cuts(limits)

    def scored(self, name: str, marks: CriterionMarks, scoring: Scoring) -> Self:
        """Adds the scores `name` and `name.criterion`, and the reason `name_score` if they are too low."""
        scores = scores_of(marks)
        named = {name: scoring.total(scores)} | {f"{name}.{criterion}": score for criterion, score in scores.items()}
        scored = replace(self, scores=self.scores | named, comment=marks.comment)
        if scoring.passes(scores):
            return scored
        return scored.rejected(shortfall(f"{name}_score", scores, marks, scoring))


def scores_of(marks: CriterionMarks) -> dict[str, float]:
    """Returns scores from 0 to 1."""
    return {criterion: mark / MOST_MARK for criterion, mark in marks.marks.items()}


def shortfall(check: str, scores: dict[str, float], marks: CriterionMarks, scoring: Scoring) -> Reason:
    """Returns the reason that says which score is too low, with the comment of whoever gave the marks."""
    total = scoring.total(scores)
    low = [f"{name} {score:g}" for name, score in scores.items() if score < scoring.least]
    said = (
        f"{total:g} < {scoring.threshold:g}" if total < scoring.threshold else f"{', '.join(low)} < {scoring.least:g}"
    )
    return Reason(check=check, detail=f"{said}: {marks.comment}" if marks.comment else said)
