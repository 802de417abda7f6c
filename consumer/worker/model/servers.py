"""All endpoints of the model: who gets which call, who is away, who is back."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from consumer.worker.model.controller import LimitController
from consumer.worker.model.endpoint import Endpoint
from consumer.worker.model.flights import Flights, UnwantedError, Wanted
from consumer.worker.model.slots import Slots
from inference.chat import ChatRequest, Completion
from inference.errors import (
    ModelError,
    OutageError,
    OverloadError,
    TimedOutError,
    TransientError,
    TruncatedError,
    WrongServerError,
)

LOOK_EVERY_S = 0.5
"""Between looks at a server's queue, more or less by half: sharers must not look in step."""
SEARCH_EVERY_S = 0.15
"""The same while a limit is far from what the server can run: each look costs the server some milliseconds."""
CALM_GROWTH, CALM_STEPS = 1.25, 6
"""The pause between looks grows so, so often, while the queue stays right: looks of many workers add up there."""
PROBE_FIRST_S = 0.1
PROBE_MOST_S = 2.0
FINISH_POLL_S = 0.05
IDLE_S = 60.0
"""So long a suspect bars our other calls until others have nothing at the server either."""
BUSY_S = 600.0
"""So long after one has waited in vain the next ones do not wait: there may be hundreds of them."""
Home = Callable[[], str | None]
"""URL of the endpoint that a call would rather go to."""
log = logging.getLogger(__name__)


def look_again_s(controller: LimitController, in_flight: int) -> float:
    """The mean pause before the next look at a server's queue."""
    if controller.searching(in_flight):
        return SEARCH_EVERY_S
    return LOOK_EVERY_S * CALM_GROWTH ** min(controller.calm, CALM_STEPS)


class ModelServers:
    """Calls wait here for a slot, and for a server that is away; `watch` must run meanwhile."""

    def __init__(
        self,
        endpoints: list[Endpoint],
        *,
        ask: Callable[..., Awaitable[Completion]] = Endpoint.complete,
        any_model: bool = False,
    ) -> None:
        """`ask` makes one call at an endpoint: `Endpoint.complete`, or what observes it.

        `any_model`: the endpoints may have loaded different ones.
        """
        self._endpoints = endpoints
        self._any_model = any_model
        self._ask = ask
        self._by_url = {endpoint.url: endpoint for endpoint in endpoints}
        self._slots = Slots(endpoints)
        self._changed = asyncio.Event()
        self._waited_for: set[Endpoint] = set()
        self._lost_now = {endpoint: asyncio.Event() for endpoint in endpoints}
        self._died: dict[Endpoint, asyncio.Future[bool]] = {}
        self._answered_s = dict.fromkeys(endpoints, float("-inf"))
        self._signs: Flights[None] = Flights()
        self._busy_until_s = dict.fromkeys(endpoints, float("-inf"))

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(self._endpoints)

    @property
    def available(self) -> bool:
        """Some endpoint answers and may be called; without one, no more work should be taken in."""
        return any(not endpoint.away and not endpoint.paused for endpoint in self._endpoints)

    def in_flight(self, endpoint: Endpoint) -> int:
        return self._slots.in_use(endpoint)

    def pause(self) -> None:
        """Begin no more calls; those under way finish."""
        self._set_paused(paused=True)

    def resume(self) -> None:
        self._set_paused(paused=False)

    def _set_paused(self, *, paused: bool) -> None:
        log.info("paused: no more calls are made until SIGUSR2" if paused else "resumed")
        for endpoint in self._endpoints:
            endpoint.paused = paused
        self._slots.look()

    async def finish(self) -> None:
        """Begin no more calls; returns when those under way have ended."""
        for endpoint in self._endpoints:
            endpoint.paused = True
        while any(self._slots.in_use(endpoint) for endpoint in self._endpoints):  # noqa: ASYNC110 - once, at the end
            await asyncio.sleep(FINISH_POLL_S)

    async def root(self) -> str:
        """What the servers have loaded under the model's name, each once; waits until one answers."""
        while True:
            if any(not endpoint.away for endpoint in self._endpoints):
                known = [each for each in self._endpoints if each.root and (self._any_model or not each.away)]
                return ", ".join(sorted({str(each.root) for each in known}))
            self._changed.clear()
            await self._changed.wait()

    async def complete(
        self,
        request: ChatRequest,
        *,
        patience: float = 1.0,
        alone: bool = False,
        home: Home = lambda: None,
        wanted: Wanted = lambda: True,
    ) -> Completion:
        """One chat completion, at `home` while it has room, else at the least busy endpoint.

        `alone` with nothing else under way there; of others, if their requests end in time.

        Raises a ModelError, or UnwantedError when it could begin and is not `wanted` any more. After an outage, call
        again: it waits for a server. A server that answers a probe at once has not died, whatever became of the
        connection.
        """
        async with self._slots.slot(alone=alone, prefers=lambda: self._by_url.get(home() or "")) as endpoint:
            beside_others = alone and not await self._idle(endpoint)
            if not wanted():
                raise UnwantedError
            began_s = time.monotonic()
            try:
                answer = await self._ask(endpoint, request, patience=patience)
            except OutageError as exc:
                self._lost(endpoint, exc)
                if not exc.crashed:
                    raise
                died = await asyncio.shield(self._died[endpoint])
                raise OutageError(str(exc), crashed=died, beside_others=beside_others) from exc
            except TransientError as exc:
                await self._require_sign_of_life(endpoint, exc, since_s=began_s)
                self._ended(endpoint, exc)
                raise
            except ModelError as exc:
                self._ended(endpoint, exc)
                raise
            self._ended(endpoint)
            return answer

    def _ended(self, endpoint: Endpoint, error: ModelError | None = None) -> None:
        """A call that the endpoint had; only one with tokens shows that its engine works."""
        if error is None or isinstance(error, TruncatedError):
            self._answered_s[endpoint] = time.monotonic()
        endpoint.controller.ended(overloaded=isinstance(error, OverloadError | TimedOutError))

    async def watch(self) -> None:
        """Adjust limits, notice endpoints that go away or come back.

        Raises WrongServerError for a wrong model or key at the start.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for endpoint in self._endpoints:
                    group.create_task(self._watch(endpoint))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            await self._signs.cancel()

    async def _watch(self, endpoint: Endpoint) -> None:
        wait_s = PROBE_FIRST_S
        while True:
            if endpoint.away:
                self._lost_now[endpoint].clear()
                back = await self._try(endpoint)
                if endpoint in self._died and not self._died[endpoint].done():
                    self._died[endpoint].set_result(not back)
                wait_s = SEARCH_EVERY_S if back else min(2 * wait_s, PROBE_MOST_S)
            else:
                wait_s = self._look_again_s(endpoint) if await self._look(endpoint) else PROBE_FIRST_S
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s * random.uniform(0.5, 1.5)):  # noqa: S311 - not for secrecy
                    await self._lost_now[endpoint].wait()

    async def _look(self, endpoint: Endpoint) -> bool:
        """One step of the endpoint's controller; False when the endpoint is away."""
        in_flight = self._slots.in_use(endpoint)
        try:
            sample = await endpoint.queue()
        except OutageError as exc:
            self._lost(endpoint, exc)
            return False
        except ModelError as exc:  # a busy server may be late with its metrics
            log.debug("no metrics from %s: %s", endpoint.url, exc)
            return True
        if sample is None:
            endpoint.controller.tick(in_flight)
        else:
            endpoint.controller.observe(sample, in_flight)
        self._slots.look()
        return True

    def _look_again_s(self, endpoint: Endpoint) -> float:
        return look_again_s(endpoint.controller, self._slots.in_use(endpoint))

    async def _try(self, endpoint: Endpoint) -> bool:
        """Has it the right model, and does it answer?"""
        try:
            root = await endpoint.identify()
            if endpoint.root is not None:  # it was away; at the start, the first real call will tell, at no extra cost
                await endpoint.probe()
            self._check_root(endpoint, root)
        except WrongServerError as exc:
            if endpoint.root is None:  # it never was right: a mistake in the settings
                raise
            log.warning("model server %s stays out: %s", endpoint.url, exc)
            return False
        except ModelError as exc:
            log.debug("model server %s is away: %s", endpoint.url, exc)
            if endpoint not in self._waited_for:
                self._waited_for.add(endpoint)
                log.warning("waiting for the model server %s: %s", endpoint.url, exc)
            return False
        log.info("model server %s answers", endpoint.url, extra={"root": root})
        endpoint.root, endpoint.away = root, False
        self._changed.set()
        self._slots.look()
        return True

    def _check_root(self, endpoint: Endpoint, root: str) -> None:
        others = {other.root for other in self._endpoints if other is not endpoint and not other.away and other.root}
        if others - {root} and not self._any_model:
            names = ", ".join(sorted({root, *others}))
            raise WrongServerError(
                f"{endpoint.url} serves a different model than the other endpoints: {names}. Leave one out, or allow "
                "it in the recipe: any_model = true"
            )

    def _lost(self, endpoint: Endpoint, exc: ModelError) -> None:
        if not endpoint.away:
            log.warning("model server %s is away (%s); waiting for it", endpoint.url, exc)
            self._died[endpoint] = asyncio.get_running_loop().create_future()
            self._lost_now[endpoint].set()
        endpoint.away = True
        self._waited_for.add(endpoint)

    async def _require_sign_of_life(self, endpoint: Endpoint, failed: TransientError, *, since_s: float) -> None:
        """Raises OutageError when the server answers nobody: it hangs, its engine does, or a proxy has nothing behind.

        One call that fails at a server that works is the chunk's own trouble.
        """
        if not endpoint.away:
            looked_s = time.monotonic()
            try:
                await self._look_for_life(endpoint, failed, since_s)
            except WrongServerError:  # it has been restarted with something else: the next call will find out
                return
            except ModelError as exc:
                if self._answered_s[endpoint] >= looked_s:
                    return
                self._lost(endpoint, exc)  # what `failed` says is not logged: it may repeat some of the prompt
            else:
                return
        raise OutageError(f"{endpoint.url} has stopped to answer") from failed

    async def _look_for_life(self, endpoint: Endpoint, failed: TransientError, since_s: float) -> None:
        """An API can list its models while the engine behind it hangs: only tokens are proof."""
        if self._answered_s[endpoint] < since_s:
            await self._signs.join(endpoint.url, lambda _: _give_a_sign(endpoint))
        elif isinstance(failed, TimedOutError):  # it may have ended since
            await endpoint.identify()

    async def _idle(self, endpoint: Endpoint) -> bool:
        """Wait until other users' requests are done as well, as far as the server's metrics tell; False: in vain."""
        if time.monotonic() < self._busy_until_s[endpoint]:
            return False
        try:
            async with asyncio.timeout(IDLE_S):
                await self._until_idle(endpoint)
        except TimeoutError:
            self._busy_until_s[endpoint] = time.monotonic() + BUSY_S
            log.warning(
                "model server %s has had requests of others for %.0f s: those of ours that were in hand at two crashes "
                "go one at a time, but beside them",
                endpoint.url,
                IDLE_S,
            )
            return False
        return True

    async def _until_idle(self, endpoint: Endpoint) -> None:
        while True:
            try:
                sample = await endpoint.queue()
            except ModelError:
                return
            if sample is None or sample.running + sample.waiting == 0:
                return
            await asyncio.sleep(LOOK_EVERY_S * random.uniform(0.2, 1.0))  # noqa: S311


async def _give_a_sign(endpoint: Endpoint) -> None:
    await endpoint.identify()
    await endpoint.probe()
