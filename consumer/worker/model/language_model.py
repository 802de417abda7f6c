"""A model behind its servers, where each completion is paid for once: cache, single flight, retries."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import orjson
from pydantic import TypeAdapter

from configs.failpoints import hit
from consumer.worker.model.cache import Cache
from consumer.worker.model.call import Call
from consumer.worker.model.flights import Flights, StillWanted
from consumer.worker.model.retry import CallFailedError, Waits, call_until_answered
from consumer.worker.model.servers import Home, ModelServers
from inference.chat import ChatRequest, Completion
from inference.errors import MalformedError
from inference.openai_wire import fingerprint
from schemas.ids import digest

ENTRY = TypeAdapter(Completion)
Read = Callable[[str], object]
"""Reads the content of a completion; raises MalformedError for one that can't be used."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Obtained:
    """A completion, and what it cost now: the number of calls and milliseconds, both 0 if the cache had it.

    `paid` are the completions of all calls, those that were cut or can't be read included.
    """

    completion: Completion
    calls: int
    model_ms: float
    paid: tuple[Completion, ...] = ()


class LanguageModel:
    """A model; `name` is what requests call it."""

    def __init__(
        self, name: str, servers: ModelServers, cache: Cache, *, waits: Waits, priority: int | None = None
    ) -> None:
        """`priority` goes along with each request; it is no part of the key of a cached completion."""
        self.name = name
        self._servers = servers
        self._cache = cache
        self._waits = waits
        self._priority = priority
        self._flights: Flights[Obtained] = Flights()
        self._keeping: set[asyncio.Task[None]] = set()

    async def root(self) -> str:
        """Waits until a server answers, and gives what the servers have loaded under the model's name."""
        return await self._servers.root()

    async def obtain(self, request: ChatRequest, read: Read, *, sample: int, home: Home) -> Obtained:
        """A completion that `read` can read. Another `sample` gives another completion of the same request.

        `home` names the server that has the beginning of the prompt in its prefix cache. Raises CallFailedError.
        """
        key = digest("call", fingerprint(request), await self._servers.root(), sample)
        obtained, leads = await self._flights.join(
            key, lambda wanted: self._cached_or_asked(key, request, read, home, wanted)
        )
        return obtained if leads else Obtained(obtained.completion, calls=0, model_ms=0.0)

    async def keep_answers(self) -> None:
        """Returns when all completions that have come are in the cache."""
        await asyncio.gather(*self._keeping)

    async def close(self) -> None:
        """Ends the calls under way. Completions that have come are kept first."""
        await self._flights.cancel()
        await self.keep_answers()

    async def _cached_or_asked(
        self, key: str, request: ChatRequest, read: Read, home: Home, wanted: StillWanted
    ) -> Obtained:
        cached = readable(await self._cache.get(key), read)
        if cached is not None:
            return Obtained(cached, calls=0, model_ms=0.0)
        began_s = time.monotonic()
        call = Call(self._servers, replace(request, priority=self._priority), read, home=home, wanted=wanted)
        try:
            completion, calls = await call_until_answered(call.ask, waits=self._waits)
        except CallFailedError as exc:
            exc.paid = tuple(call.paid)
            raise
        hit("worker.answered")
        await self._keep(key, completion)
        hit("worker.cached")
        return Obtained(completion, calls, round((time.monotonic() - began_s) * 1000, 3), tuple(call.paid))

    async def _keep(self, key: str, completion: Completion) -> None:
        """Puts a completion into the cache, also if the caller is cancelled meanwhile: it is paid for."""
        keeping = asyncio.create_task(self._cache.put(key, orjson.dumps(asdict(completion))))
        self._keeping.add(keeping)
        keeping.add_done_callback(self._keeping.discard)
        await asyncio.shield(keeping)


def readable(cached: bytes | None, read: Read) -> Completion | None:
    """The completion in a cache entry; None if there is none, or none that can be read, as after damage."""
    try:
        completion = ENTRY.validate_json(cached, strict=True) if cached is not None else None
        if completion is not None:
            read(completion.content)
    except (ValueError, MalformedError):
        log.warning("the generation cache gave an entry that can't be read; it is replaced")
        return None
    return completion
