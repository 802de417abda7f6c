"""A recipe's stages over one chunk, from its text to candidates that are kept or rejected.

one call for all, or text gate → questions → question gate → answers; then the checks without a model → judge → once
more for what is worth writing anew.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from configs.recipe import Recipe
from configs.recipe_parts import Rewriting, Scoring, Stage
from consumer.worker.checks import Checked, check_pairs
from consumer.worker.recipe.candidate import (
    Candidate,
    against,
    against_cuts,
    from_pair,
    scores_of,
    shortfall,
    with_answer,
    with_scores,
)
from consumer.worker.recipe.chunk_calls import Conversation, together
from consumer.worker.recipe.stage_requests import Stages
from schemas import Chunk, PairType, Reason

Step = Callable[[Candidate], Awaitable[Candidate]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """What a chunk gave. Every question that was asked is among the candidates."""

    planned: dict[PairType, int]
    candidates: tuple[Candidate, ...] = ()
    text_scores: dict[str, float] = field(default_factory=dict)
    skipped: Reason | None = None

    @property
    def asked(self) -> dict[PairType, int]:
        return dict(Counter(candidate.type for candidate in self.candidates))


def merged(parts: Sequence[Harvest]) -> Harvest:
    """Of the parts of one chunk. The lowest text scores count; skipped only if all parts are."""
    planned: Counter[PairType] = Counter()
    scores: dict[str, float] = {}
    for part in parts:
        planned.update(part.planned)
        scores |= {name: min(score, scores.get(name, score)) for name, score in part.text_scores.items()}
    skipped = [part.skipped for part in parts]
    return Harvest(
        planned=dict(planned),
        candidates=tuple(candidate for part in parts for candidate in part.candidates),
        text_scores=scores,
        skipped=skipped[0] if all(skipped) else None,
    )


class Harvester:
    """The stages of one recipe for one chunk. Raises CallFailedError when a call does."""

    def __init__(self, recipe: Recipe, chunk: Chunk, stages: Stages, talk: Conversation) -> None:
        self._recipe = recipe
        self._chunk = chunk
        self._stages = stages
        self._talk = talk

    async def harvest(self) -> Harvest:
        recipe, planned = self._recipe, self._stages.plan
        scores: dict[str, float] = {}
        if recipe.text_gate is not None:
            scores, skipped = await self._text_gate(recipe.text_gate)
            if skipped is not None:
                return Harvest(planned=planned, text_scores=scores, skipped=skipped)
        candidates = self._checked(await self._answered())
        if recipe.judge is not None:
            candidates = await self._judged(candidates, recipe.judge)
        return Harvest(planned=planned, candidates=candidates, text_scores=scores)

    async def _text_gate(self, stage: Scoring) -> tuple[dict[str, float], Reason | None]:
        marks = (await self._talk.ask(self._stages.text_gate(stage))).value
        scores = scores_of(marks)
        passes = stage.passes(scores)
        return scores, None if passes else shortfall("text_score", scores, marks, stage)

    async def _answered(self) -> tuple[Candidate, ...]:
        recipe = self._recipe
        if recipe.one_call is not None:
            pairs = (await self._talk.ask(self._stages.one_call(recipe.one_call))).value
            return tuple(from_pair(pair, recipe.limits) for pair in pairs)
        candidates = await self._asked(recipe.ask) if recipe.ask is not None else ()
        if recipe.question_gate is not None:
            candidates = await self._sifted(candidates, recipe.question_gate)
        return await _each(candidates, self._answer)

    async def _asked(self, stage: Stage) -> tuple[Candidate, ...]:
        if not self._stages.plan:
            return ()
        asked = (await self._talk.ask(self._stages.ask(stage))).value
        candidates = (Candidate(type=kind, question=question.strip()) for kind, question in asked)
        return tuple(
            against_cuts(each, self._recipe.limits) if each.question else against(each, Reason(check="empty"))
            for each in candidates
        )

    async def _sifted(self, candidates: tuple[Candidate, ...], stage: Scoring) -> tuple[Candidate, ...]:
        going = [candidate for candidate in candidates if not candidate.reasons]
        if not going:
            return candidates
        marks = iter((await self._talk.ask(self._stages.question_gate(stage, going))).value)
        return tuple(
            candidate if candidate.reasons else with_scores(candidate, "question", next(marks), stage)
            for candidate in candidates
        )

    async def _answer(self, candidate: Candidate) -> Candidate:
        recipe, stages = self._recipe, self._stages
        requests = [stages.answer(recipe.answer, candidate)] if recipe.answer is not None else []
        if recipe.second_answer is not None:
            requests.append(stages.second_answer(recipe.second_answer, candidate))
        first, *others = await together(map(self._talk.ask, requests))
        answered = with_answer(candidate, first.value, first.thinking, recipe.limits)
        return replace(answered, second=others[0].value) if others else answered

    def _checked(self, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """By the checks without a model, all together, since they look for questions that are alike."""
        going = [candidate for candidate in candidates if not candidate.reasons]
        chunk = self._chunk
        checked = iter(
            check_pairs(
                [candidate.as_answered for candidate in going],
                text=chunk.text,
                start=chunk.start,
                headings=chunk.headings,
                checks=self._recipe.checks,
            )
        )
        return tuple(each if each.reasons else _with_checks(each, next(checked)) for each in candidates)

    async def _judged(self, candidates: tuple[Candidate, ...], stage: Scoring) -> tuple[Candidate, ...]:
        async def judge(candidate: Candidate) -> Candidate:
            if "answer" in candidate.scores:
                return candidate
            marks = (await self._talk.judge(self._stages.judge(stage, candidate))).value
            return with_scores(candidate, "answer", marks, stage)

        judged = await _each(candidates, judge)
        if self._recipe.rewrite is None:
            return judged
        return await _each(self._checked(await self._revised(judged, self._recipe.rewrite)), judge)

    async def _revised(self, candidates: tuple[Candidate, ...], stage: Rewriting) -> tuple[Candidate, ...]:
        """Those that the judge was not much against are written anew, and stand as if they had not been judged."""

        async def revise(candidate: Candidate) -> Candidate:
            if not _worth(candidate, stage):
                return candidate
            reply = await self._talk.ask(self._stages.rewrite(stage, candidate))
            scores = {name: score for name, score in candidate.scores.items() if not name.startswith("answer")}
            fresh = replace(candidate, reasons=(), evidence=(), scores=scores)
            return with_answer(fresh, reply.value, reply.thinking, self._recipe.limits)

        return tuple(await together(map(revise, candidates)))


def _worth(candidate: Candidate, stage: Rewriting) -> bool:
    """Only the judge was against it, and not much."""
    only_judged = [reason.check for reason in candidate.reasons] == ["answer_score"]
    return only_judged and candidate.scores["answer"] >= stage.worth


def _with_checks(candidate: Candidate, checked: Checked) -> Candidate:
    return against(replace(candidate, evidence=checked.evidence), *checked.reasons)


async def _each(candidates: Sequence[Candidate], step: Step) -> tuple[Candidate, ...]:
    """Those that nothing is against take the step, all at the same time."""

    async def taken(candidate: Candidate) -> Candidate:
        return candidate if candidate.reasons else await step(candidate)

    return tuple(await together(map(taken, candidates)))
