"""From a chunk to its result: ask, check, keep or reject."""

import logging
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

from configs.checks import Checks
from configs.recipe import Recipe
from configs.settings import Settings
from consumer.worker.answers import Answer, parse_pairs
from consumer.worker.cache import Cache
from consumer.worker.call import Call
from consumer.worker.checks import Checked, check_pairs, language_of
from consumer.worker.errors import MalformedError, WorkerError
from consumer.worker.flights import Flights
from consumer.worker.prompts import chat_request
from consumer.worker.retry import CallFailedError, Tried, Waits, call_until_answered
from consumer.worker.servers import ModelServers
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
    Usage,
)
from schemas.ids import digest, pair_id, record_id
from schemas.messages import now
from telemetry.failpoints import hit

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Obtained:
    """An answer and what it cost now: no calls if the cache had it."""

    answer: Answer
    calls: int
    model_ms: float


class Answerer:
    """Answers chunks, any number at a time; `servers` decides how many of their calls are under way together."""

    def __init__(
        self, settings: Settings, recipe: Recipe, servers: ModelServers, cache: Cache, *, waits: Waits | None = None
    ) -> None:
        self._settings = settings
        self._recipe = recipe
        self._servers = servers
        self._cache = cache
        self._waits = waits or Waits()
        self._flights: Flights[Obtained] = Flights()

    async def answer(self, chunk: Chunk, origin: Origin) -> Result:
        """The chunk's outcome: ok, empty, or failed with its error. Raises WorkerError when the model is not ours."""
        began = time.monotonic()
        draft = self._draft(chunk, origin)
        if not any(c.isalnum() for c in chunk.text):
            return draft
        root = await self._servers.root()
        draft = draft.model_copy(update={"model": ModelRef(name=self._settings.model_name, root=root)})
        try:
            obtained, leads = await self._obtain(chunk, root)
            return self._finished(draft, obtained if leads else replace(obtained, calls=0, model_ms=0.0), began)
        except CallFailedError as exc:
            error = OutcomeError(
                error_class=exc.error.error_class, message=str(exc.error), attempts=max(1, exc.attempts)
            )
            return _failed(draft, error, began)
        except WorkerError:
            raise
        except Exception as exc:  # one chunk that meets a bug of ours must not stop all others
            log.exception("chunk %s could not be answered", chunk.chunk_id)
            return _failed(draft, OutcomeError(error_class="internal", message=type(exc).__name__), began)

    async def close(self) -> None:
        await self._flights.cancel()

    async def _obtain(self, chunk: Chunk, root: str) -> tuple[Obtained, bool]:
        settings = self._settings
        body = chat_request(
            self._recipe,
            chunk,
            model=settings.model_name,
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
            reasoning_max_tokens=settings.reasoning_max_tokens,
        )
        key = digest("call", orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode(), root, chunk.sample)
        return await self._flights.join(key, lambda: self._cached_or_asked(key, body))

    async def _cached_or_asked(self, key: str, body: dict[str, Any]) -> Obtained:
        cached = _readable(await self._cache.get(key))
        if cached is not None:
            return Obtained(cached, calls=0, model_ms=0.0)
        began = time.monotonic()
        call = Call(self._servers, body, priority=self._settings.priority)
        tried: Tried[Answer] = await call_until_answered(call.ask, waits=self._waits)
        hit("worker.answered")
        await self._cache.put(key, orjson.dumps(asdict(tried.value)))
        hit("worker.cached")
        return Obtained(tried.value, tried.calls, _ms_since(began))

    def _draft(self, chunk: Chunk, origin: Origin) -> Result:
        return Result(
            record_id=record_id(chunk.chunk_id, chunk.generation, chunk.attempt),
            status=Status.EMPTY,
            document=chunk.document,
            chunk=ChunkRef(id=chunk.chunk_id, **chunk.model_dump(include=_CHUNK_FIELDS)),
            generation=chunk.generation,
            attempt=chunk.attempt,
            recipe=RecipeRef(name=self._recipe.name, hash=self._recipe.hash),
            model=ModelRef(name=self._settings.model_name),
            origin=origin,
            created_at=now(),
        )

    def _finished(self, draft: Result, obtained: Obtained, began: float) -> Result:
        answer = obtained.answer
        chunk = draft.chunk
        found = check_pairs(
            parse_pairs(answer.content), text=chunk.text, start=chunk.start, headings=chunk.headings, checks=Checks()
        )
        checked = [_pair(draft, number, each) for number, each in enumerate(found)]
        pairs = tuple(pair for pair, rejected in checked if rejected is None)
        return draft.model_copy(
            update={
                "status": Status.OK if pairs else Status.EMPTY,
                "pairs": pairs,
                "rejected": tuple(rejected for _, rejected in checked if rejected is not None),
                "model": draft.model.model_copy(update={"endpoint": answer.endpoint}),
                "usage": _usage(obtained),
                "timing": Timing(total_ms=_ms_since(began), model_ms=obtained.model_ms),
                "created_at": now(),
            }
        )


_CHUNK_FIELDS = {"index", "start", "end", "text", "headings", "content_key"}


def _readable(cached: bytes | None) -> Answer | None:
    """A cached answer; None also for one that was damaged on the disk: then it is asked for again."""
    try:
        answer = Answer(**orjson.loads(cached)) if cached is not None else None
        if answer is not None:
            parse_pairs(answer.content)
    except (ValueError, TypeError, MalformedError):
        log.warning("the generation cache gave an entry that can't be read; it is replaced")
        return None
    return answer


def _pair(draft: Result, number: int, checked: Checked) -> tuple[Pair, RejectedPair | None]:
    answered = checked.pair
    pair = Pair(
        id=pair_id(draft.record_id, number),
        type=answered.type,
        question=answered.question,
        answer=answered.answer,
        reasoning=answered.reasoning,
        evidence=checked.evidence,
        language=language_of(answered.question),
    )
    return pair, RejectedPair(pair=pair, reasons=checked.reasons) if checked.reasons else None


def _usage(obtained: Obtained) -> Usage:
    if not obtained.calls:
        return Usage(cached_calls=1)
    answer = obtained.answer
    return Usage(
        calls=obtained.calls,
        prompt_tokens=answer.prompt_tokens,
        cached_prompt_tokens=answer.cached_prompt_tokens,
        completion_tokens=answer.completion_tokens,
    )


def _failed(draft: Result, error: OutcomeError, began: float) -> Result:
    return draft.model_copy(
        update={
            "status": Status.FAILED,
            "error": error,
            "usage": Usage(calls=error.attempts),
            "timing": Timing(total_ms=_ms_since(began)),
            "created_at": now(),
        }
    )


def _ms_since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 3)
