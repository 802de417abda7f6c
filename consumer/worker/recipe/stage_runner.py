"""Runs a recipe's stages on one chunk, from its text to candidates that are kept or rejected.

The stages: either one call for everything, or text gate → questions → question gate → answers. Then come the checks
that need no model, the judge, and a second round for candidates that are worth rewriting.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from configs.recipe import Recipe
from configs.recipe_parts import Rewriting, Scoring, Stage
from consumer.worker.checks.offload.child import CheckRequest
from consumer.worker.checks.offload.pool import CheckingPool
from consumer.worker.checks.pair import AnsweredPair
from consumer.worker.recipe.candidate import Candidate, scores_of, shortfall
from consumer.worker.recipe.chunk_calls import ChunkCalls, together
from consumer.worker.recipe.stage_requests import StageRequests
from schemas import Chunk, PairType, Reason

Step = Callable[[Candidate], Awaitable[Candidate]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkCandidates:
    """The result of all stages. Every question that was asked is among the candidates, kept or rejected."""

    planned: dict[PairType, int]
    candidates: tuple[Candidate, ...] = ()
    text_scores: dict[str, float] = field(default_factory=dict)
    skipped: Reason | None = None

    @property
    def asked(self) -> dict[PairType, int]:
        return dict(Counter(candidate.pair.type for candidate in self.candidates))


def merge(parts: Sequence[ChunkCandidates]) -> ChunkCandidates:
    """Merges the parts of one chunk. The lowest text scores count; the chunk is skipped only if all parts are."""
    planned: Counter[PairType] = Counter()
    scores: dict[str, float] = {}
    for part in parts:
        planned.update(part.planned)
        scores |= {name: min(score, scores.get(name, score)) for name, score in part.text_scores.items()}
    skipped = [part.skipped for part in parts]
    return ChunkCandidates(
        planned=dict(planned),
        candidates=tuple(candidate for part in parts for candidate in part.candidates),
        text_scores=scores,
        skipped=skipped[0] if all(skipped) else None,
    )


class StageRunner:
    """Runs the stages of one recipe on one chunk."""

    def __init__(
        self, recipe: Recipe, chunk: Chunk, requests: StageRequests, calls: ChunkCalls, checking: CheckingPool
    ) -> None:
        self._recipe = recipe
        self._chunk = chunk
        self._requests = requests
        self._calls = calls
        self._checking = checking

    async def run(self) -> ChunkCandidates:
        """Raises CallFailedError when a call fails for good, and CheckingError when an answer can't be checked."""
        recipe, planned = self._recipe, self._requests.plan
        scores: dict[str, float] = {}
        if recipe.text_gate is not None:
            scores, skipped = await self._text_gate(recipe.text_gate)
            if skipped is not None:
                return ChunkCandidates(planned=planned, text_scores=scores, skipped=skipped)
        candidates = await self._checked(await self._answered())
        if recipe.judge is not None:
            candidates = await self._judged(candidates, recipe.judge)
        return ChunkCandidates(planned=planned, candidates=candidates, text_scores=scores)

    async def _text_gate(self, stage: Scoring) -> tuple[dict[str, float], Reason | None]:
        marks = (await self._calls.ask(self._requests.text_gate(stage))).value
        scores = scores_of(marks)
        passes = stage.passes(scores)
        return scores, None if passes else shortfall("text_score", scores, marks, stage)

    async def _answered(self) -> tuple[Candidate, ...]:
        recipe = self._recipe
        if recipe.one_call is not None:
            pairs = (await self._calls.ask(self._requests.one_call(recipe.one_call))).value
            return tuple(Candidate(pair=pair).checked_for_cuts(recipe.limits) for pair in pairs)
        candidates = await self._asked(recipe.ask) if recipe.ask is not None else ()
        if recipe.question_gate is not None:
            candidates = await self._gated(candidates, recipe.question_gate)
        return await _for_each(candidates, self._answer)

    async def _asked(self, stage: Stage) -> tuple[Candidate, ...]:
        if not self._requests.plan:
            return ()
        asked = (await self._calls.ask(self._requests.ask(stage))).value
        pairs = (AnsweredPair(type=kind, question=question.strip(), answer="") for kind, question in asked)
        candidates = map(Candidate, pairs)
        return tuple(
            each.checked_for_cuts(self._recipe.limits) if each.pair.question else each.rejected(Reason(check="empty"))
            for each in candidates
        )

    async def _gated(self, candidates: tuple[Candidate, ...], stage: Scoring) -> tuple[Candidate, ...]:
        going = [candidate for candidate in candidates if not candidate.reasons]
        if not going:
            return candidates
        marks = iter((await self._calls.ask(self._requests.question_gate(stage, going))).value)
        return tuple(
            candidate if candidate.reasons else candidate.scored("question", next(marks), stage)
            for candidate in candidates
        )

    async def _answer(self, candidate: Candidate) -> Candidate:
        recipe, requests = self._recipe, self._requests
        wanted = [requests.answer(recipe.answer, candidate)] if recipe.answer is not None else []
        if recipe.second_answer is not None:
            wanted.append(requests.second_answer(recipe.second_answer, candidate))
        first, *others = await together(map(self._calls.ask, wanted))
        answered = candidate.answered(first.value, first.thinking, recipe.limits)
        return replace(answered, second=others[0].value) if others else answered

    async def _checked(self, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """Checks all candidates together, because one check looks for questions that are alike."""
        going = tuple(candidate.pair for candidate in candidates if not candidate.reasons)
        if not going:
            return candidates
        chunk = self._chunk
        asked = CheckRequest(going, chunk.text, chunk.start, chunk.headings, self._recipe.checks)
        checked = iter(await self._checking.check(asked))
        return tuple(each if each.reasons else each.checked(next(checked)) for each in candidates)

    async def _judged(self, candidates: tuple[Candidate, ...], stage: Scoring) -> tuple[Candidate, ...]:
        async def judge(candidate: Candidate) -> Candidate:
            if "answer" in candidate.scores:
                return candidate
            marks = (await self._calls.judge(self._requests.judge(stage, candidate))).value
            return candidate.scored("answer", marks, stage)

        judged = await _for_each(candidates, judge)
        if self._recipe.rewrite is None:
            return judged
        return await _for_each(await self._checked(await self._rewritten(judged, self._recipe.rewrite)), judge)

    async def _rewritten(self, candidates: tuple[Candidate, ...], stage: Rewriting) -> tuple[Candidate, ...]:
        """Rewrites the candidates that are worth it. The judge has to judge them again."""

        async def rewrite(candidate: Candidate) -> Candidate:
            if not _worth_rewriting(candidate, stage):
                return candidate
            reply = await self._calls.ask(self._requests.rewrite(stage, candidate))
            scores = {name: score for name, score in candidate.scores.items() if not name.startswith("answer")}
            fresh = replace(candidate, reasons=(), evidence=(), scores=scores)
            return fresh.answered(reply.value, reply.thinking, self._recipe.limits)

        return tuple(await together(map(rewrite, candidates)))


def _worth_rewriting(candidate: Candidate, stage: Rewriting) -> bool:
    """True when only the judge rejected the candidate, with a score of at least `stage.worth`."""
    only_judged = [reason.check for reason in candidate.reasons] == ["answer_score"]
    return only_judged and candidate.scores["answer"] >= stage.worth


async def _for_each(candidates: Sequence[Candidate], step: Step) -> tuple[Candidate, ...]:
    """Runs `step` concurrently on every candidate that has not been rejected."""

    async def taken(candidate: Candidate) -> Candidate:
        return candidate if candidate.reasons else await step(candidate)

    return tuple(await together(map(taken, candidates)))
