"""A model behind its servers, where each answer is paid for once: cache, single flight, retries."""

import asyncio
import logging
import time
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter

from configs.failpoints import hit
from consumer.worker.model.call import Call
from consumer.worker.model.flights import Flights, Wanted
from consumer.worker.model.retry import Tried, Waits, call_until_answered
from consumer.worker.model.servers import Home, ModelServers
from consumer.worker.model.sqlite_cache import Cache
from consumer.worker.recipe.stage_requests import Prompted
from inference.chat import Completion
from inference.errors import MalformedError
from inference.openai_wire import fingerprint
from schemas.ids import digest

T = TypeVar("T")
ENTRY = TypeAdapter(Completion)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Obtained:
    """An answer and what it cost now: no calls if the cache had it."""

    answer: Completion
    calls: int
    model_ms: float


class Model:
    """`name` is what requests call it."""

    def __init__(
        self, name: str, servers: ModelServers, cache: Cache, *, waits: Waits, priority: int | None = None
    ) -> None:
        self.name = name
        self._servers = servers
        self._cache = cache
        self._waits = waits
        self._priority = priority
        self._flights: Flights[Obtained] = Flights()
        self._keeping: set[asyncio.Task[None]] = set()

    async def root(self) -> str:
        """What the servers have loaded under its name; waits until one answers."""
        return await self._servers.root()

    async def obtain(self, request: Prompted[T], *, sample: int, home: Home) -> Obtained:
        """An answer that `request` can read; `home` names the server that has the prefix of the prompt cached.

        Raises CallFailedError.
        """
        key = digest("call", fingerprint(request.request), await self._servers.root(), sample)
        obtained, leads = await self._flights.join(
            key, lambda wanted: self._cached_or_asked(key, request, home, wanted)
        )
        return obtained if leads else Obtained(obtained.answer, calls=0, model_ms=0.0)

    async def keep_answers(self) -> None:
        """Returns when those that have come are in the cache."""
        await asyncio.gather(*self._keeping)

    async def close(self) -> None:
        """End the calls under way; answers that have come are kept first."""
        await self._flights.cancel()
        await self.keep_answers()

    async def _cached_or_asked(self, key: str, request: Prompted[Any], home: Home, wanted: Wanted) -> Obtained:
        cached = _readable(await self._cache.get(key), request)
        if cached is not None:
            return Obtained(cached, calls=0, model_ms=0.0)
        began = time.monotonic()
        call = Call(self._servers, request, priority=self._priority, home=home, wanted=wanted)
        tried: Tried[Completion] = await call_until_answered(call.ask, waits=self._waits)
        hit("worker.answered")
        await self._keep(key, tried.value)
        hit("worker.cached")
        return Obtained(tried.value, tried.calls, round((time.monotonic() - began) * 1000, 3))

    async def _keep(self, key: str, answer: Completion) -> None:
        """It is paid for: whoever is cancelled meanwhile, it gets into the cache."""
        keeping = asyncio.create_task(self._cache.put(key, orjson.dumps(asdict(answer))))
        self._keeping.add(keeping)
        keeping.add_done_callback(self._keeping.discard)
        await asyncio.shield(keeping)


def _readable(cached: bytes | None, request: Prompted[Any]) -> Completion | None:
    """A cached answer; None also for what is none, as after damage: then it is asked for again."""
    try:
        answer = ENTRY.validate_json(cached, strict=True) if cached is not None else None
        if answer is not None:
            request.read(answer.content)
    except (ValueError, MalformedError):
        log.warning("the generation cache gave an entry that can't be read; it is replaced")
        return None
    return answer
