"""Answers a chunk: runs the recipe on it and puts its result together."""

import asyncio
import logging
import time

from configs.errors import QAStreamError
from configs.recipe import Recipe
from configs.sections import ModelSettings
from consumer.worker.checks.offload.pool import CheckingError, CheckingPool
from consumer.worker.model.language_model import LanguageModel
from consumer.worker.model.retry import CallFailedError
from consumer.worker.recipe.candidate import Candidate
from consumer.worker.recipe.chunk_calls import ChunkCalls
from consumer.worker.recipe.halves import halves
from consumer.worker.recipe.planning import plan_of
from consumer.worker.recipe.stage_requests import StageRequests
from consumer.worker.recipe.stage_runner import ChunkCandidates, StageRunner, merge
from languages import language_of
from schemas import (
    Chunk,
    ChunkRef,
    ModelRef,
    Origin,
    OutcomeError,
    Pair,
    RecipeRef,
    RejectedPair,
    Result,
    Status,
    Timing,
)
from schemas.ids import pair_id, record_id
from schemas.messages import now

TURNS = 100
MOST_CUTS = 2
"""Times that a chunk may be halved, so it is asked about in four parts at most."""
log = logging.getLogger(__name__)


class Answerer:
    """Answers chunks, any number at a time; the models' servers decide how many of their calls are under way."""

    def __init__(
        self, settings: ModelSettings, recipe: Recipe, model: LanguageModel, *, judge: LanguageModel | None = None
    ) -> None:
        """`judge` is the model that judges answers, if that is another one than `model`."""
        self._settings = settings
        self._recipe = recipe
        self._model = model
        self._judge = judge or model
        self._checking = CheckingPool()

    async def answer(self, chunk: Chunk, origin: Origin) -> Result:
        """Returns the chunk's result: ok, empty, or failed with its error.

        Raises a QAStreamError when no chunk can be answered any more.
        """
        began = time.monotonic()
        draft = self._draft(chunk, origin)
        if not any(c.isalnum() for c in chunk.text):
            return draft
        planned = plan_of(chunk, self._recipe.plan, language_of(chunk.text).code)
        draft = draft.model_copy(update={"planned": planned, **await self._models()})
        calls = ChunkCalls(self._model, self._judge, sample=chunk.sample)
        try:
            result = _finished(draft, await self._candidates(chunk, calls))
        except CallFailedError as exc:
            result = _failed(
                draft,
                error_class=exc.error.error_class,
                message=f"{exc.stage}: {exc.error}",
                attempts=max(1, exc.attempts),
            )
        except CheckingError as exc:
            log.exception("chunk %s could not be checked", chunk.chunk_id)
            result = _failed(draft, error_class="internal", message=str(exc).partition("\n")[0].rstrip(":"))
        except QAStreamError:
            raise
        except Exception as exc:  # one chunk that meets a bug of ours must not stop all others
            log.exception("chunk %s could not be answered", chunk.chunk_id)
            result = _failed(draft, error_class="internal", message=type(exc).__name__)
        return self._with_cost(result, calls, round((time.monotonic() - began) * 1000, 3))

    async def use_answers(self) -> None:
        """Returns when all answers that have come are in the cache, and have passed the stages that need no call."""
        await self._model.keep_answers()
        await self._judge.keep_answers()
        await _turn_loop()
        while self._checking.under_way:
            await self._checking.idle()
            await _turn_loop()

    async def close(self) -> None:
        await self._model.close()
        await self._judge.close()
        await self._checking.close()

    async def _models(self) -> dict[str, ModelRef]:
        """Returns the model and, if it is another one, the judge. Waits until a server of each answers."""
        model = ModelRef(name=self._model.name, root=await self._model.root())
        if self._judge is self._model:
            return {"model": model}
        return {"model": model, "judge": ModelRef(name=self._judge.name, root=await self._judge.root())}

    async def _candidates(self, chunk: Chunk, calls: ChunkCalls, *, cuts: int = 0) -> ChunkCandidates:
        """Runs the stages, on two halves of the chunk if an answer is too long for the server.

        Raises CallFailedError or CheckingError.
        """
        requests = StageRequests(self._recipe, chunk, self._settings, judge=self._judge.name)
        try:
            return await StageRunner(self._recipe, chunk, requests, calls, self._checking).run()
        except CallFailedError as exc:
            parts = halves(chunk) if exc.error.error_class == "truncated" and cuts < MOST_CUTS else None
            if parts is None:
                raise
            log.info("chunk %s is asked about in two parts: %s", chunk.chunk_id, exc)
        return merge([await self._candidates(part, calls, cuts=cuts + 1) for part in parts])

    def _draft(self, chunk: Chunk, origin: Origin) -> Result:
        return Result(
            record_id=record_id(chunk.chunk_id, chunk.generation, chunk.attempt),
            status=Status.EMPTY,
            document=chunk.document,
            chunk=ChunkRef(id=chunk.chunk_id, **chunk.model_dump(include=_CHUNK_FIELDS)),
            generation=chunk.generation,
            attempt=chunk.attempt,
            recipe=RecipeRef(name=self._recipe.name, hash=self._recipe.hash),
            model=ModelRef(name=self._model.name),
            origin=origin,
            created_at=now(),
        )

    def _with_cost(self, result: Result, calls: ChunkCalls, total_ms: float) -> Result:
        judge_endpoint = {"endpoint": calls.endpoint_of(self._judge) or ""}
        return result.model_copy(
            update={
                "model": result.model.model_copy(update={"endpoint": calls.endpoint_of(self._model) or ""}),
                "judge": result.judge and result.judge.model_copy(update=judge_endpoint),
                "usage": calls.usage,
                "timing": Timing(total_ms=total_ms, model_ms=round(calls.model_ms, 3)),
                "created_at": now(),
            }
        )


_CHUNK_FIELDS = {"index", "start", "end", "text", "headings", "content_key"}


async def _turn_loop() -> None:
    """Lets the event loop turn often enough for an answer to pass all stages that wait for nothing."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


def _finished(draft: Result, found: ChunkCandidates) -> Result:
    named = [(_pair(draft, number, each), each.reasons) for number, each in enumerate(found.candidates)]
    pairs = tuple(pair for pair, reasons in named if not reasons)
    return draft.model_copy(
        update={
            "status": Status.OK if pairs else Status.EMPTY,
            "planned": found.planned,
            "asked": found.asked,
            "pairs": pairs,
            "rejected": tuple(RejectedPair(pair=pair, reasons=reasons) for pair, reasons in named if reasons),
            "skipped": found.skipped,
            "text_scores": found.text_scores,
        }
    )


def _pair(draft: Result, number: int, candidate: Candidate) -> Pair:
    return Pair(
        id=pair_id(draft.record_id, number),
        **candidate.pair.model_dump(exclude={"evidence"}),
        evidence=candidate.evidence,
        scores=candidate.scores,
        language=language_of(candidate.pair.question).code,
        thinking=candidate.thinking,
    )


def _failed(draft: Result, *, error_class: str, message: str, attempts: int = 1) -> Result:
    error = OutcomeError(error_class=error_class, message=message, attempts=attempts)
    return draft.model_copy(update={"status": Status.FAILED, "error": error})
