"""The endpoints of a model: one of them gets a call; some go away, and come back."""

import asyncio
import logging
import random
import time
from collections.abc import Callable

from consumer.worker.model.blame import blame
from consumer.worker.model.controller import LimitController
from consumer.worker.model.endpoint import LOOK_EVERY_S, ModelEndpoint
from consumer.worker.model.flights import StillWanted, UnwantedError
from consumer.worker.model.slots import Slots
from inference.chat import ChatRequest, Completion
from inference.errors import ModelError, OutageError, WrongServerError

SEARCH_EVERY_S = 0.15
"""The pause between looks while a limit is far from what the server can run: each look costs the server some ms."""
CALM_GROWTH, CALM_STEPS = 1.25, 6
"""The pause gets 1.25 times longer after a look that finds the queue right, at most 6 times: many workers ask it."""
PROBE_FIRST_S = 0.1
PROBE_MOST_S = 2.0
FINISH_POLL_S = 0.05
Home = Callable[[], str | None]
"""Gives the URL of the endpoint that a call prefers, if there is one."""
log = logging.getLogger(__name__)


def look_again_s(controller: LimitController, in_flight: int) -> float:
    """The mean pause in seconds before the next look at a server's queue."""
    if controller.searching(in_flight):
        return SEARCH_EVERY_S
    return LOOK_EVERY_S * CALM_GROWTH ** min(controller.calm, CALM_STEPS)


class ModelServers:
    """Calls wait here for a slot, and for a server that is away. `watch` must run meanwhile."""

    def __init__(self, endpoints: list[ModelEndpoint], *, any_model: bool = False) -> None:
        """`any_model`: the endpoints may have loaded different models."""
        self.endpoints = tuple(endpoints)
        self._any_model = any_model
        self._by_url = {endpoint.url: endpoint for endpoint in endpoints}
        self._slots = Slots(endpoints)
        self._changed = asyncio.Event()

    @property
    def available(self) -> bool:
        """True if some endpoint answers and may be called; without one, no more work should be taken in."""
        return any(not endpoint.away and not endpoint.state.paused for endpoint in self.endpoints)

    def in_flight(self, endpoint: ModelEndpoint) -> int:
        """Calls of this worker that are under way at the endpoint."""
        return self._slots.in_use(endpoint)

    def pause(self) -> None:
        """Begins no more calls; calls under way finish."""
        log.info("paused: no more calls are made until SIGUSR2")
        self._set_paused(paused=True)

    def resume(self) -> None:
        log.info("resumed")
        self._set_paused(paused=False)

    def _set_paused(self, *, paused: bool) -> None:
        for endpoint in self.endpoints:
            endpoint.state.paused = paused
        self._slots.look()

    async def finish(self) -> None:
        """Begins no more calls; returns when the calls under way have ended."""
        self._set_paused(paused=True)
        while any(self._slots.in_use(endpoint) for endpoint in self.endpoints):  # noqa: ASYNC110 - once, at the end
            await asyncio.sleep(FINISH_POLL_S)

    async def root(self) -> str:
        """Waits until a server answers, and gives what the servers have loaded under the model's name, with commas."""
        while True:
            if any(not endpoint.away for endpoint in self.endpoints):
                known = (each.state.root for each in self.endpoints if self._any_model or not each.away)
                return ", ".join(sorted({root for root in known if root}))
            self._changed.clear()
            await self._changed.wait()

    async def complete(
        self,
        request: ChatRequest,
        *,
        patience: float = 1.0,
        alone: bool = False,
        home: Home = lambda: None,
        wanted: StillWanted = lambda: True,
    ) -> Completion:
        """One completion, at the endpoint `home` while it has room, else at the least busy one.

        `alone` waits until this worker has nothing else under way there, and until other users have nothing there
        either, if their requests end in time. `patience` multiplies the timeout.

        Raises a ModelError, and UnwantedError if the call is not `wanted` any more when it could begin. After an
        OutageError call again: this waits for a server.
        """
        async with self._slots.slot(alone=alone, prefers=lambda: self._by_url.get(home() or "")) as endpoint:
            beside_others = alone and not await endpoint.becomes_idle()
            if not wanted():
                raise UnwantedError
            began_s = time.monotonic()
            try:
                completion = await endpoint.complete(request, patience=patience)
            except ModelError as exc:
                error = await blame(endpoint, exc, began_s=began_s, beside_others=beside_others)
                if error is exc:
                    raise
                raise error from exc
            endpoint.ended()
            return completion

    async def watch(self) -> None:
        """Adjusts limits, and notices endpoints that go away or come back. Ends only by an error or by cancellation.

        Raises WrongServerError for a wrong model or key at the start.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for endpoint in self.endpoints:
                    group.create_task(self._watch(endpoint))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            for endpoint in self.endpoints:
                await endpoint.signs.cancel()

    async def _watch(self, endpoint: ModelEndpoint) -> None:
        wait_s = PROBE_FIRST_S
        while True:
            if endpoint.away:
                back = await self._try(endpoint)
                endpoint.state.looked(back=back)
                wait_s = SEARCH_EVERY_S if back else min(2 * wait_s, PROBE_MOST_S)
            else:
                wait_s = await self._look(endpoint)
            await endpoint.state.wait_for_loss(within_s=wait_s * random.uniform(0.5, 1.5))  # noqa: S311 - no secret

    async def _look(self, endpoint: ModelEndpoint) -> float:
        """Adjusts the limit of an endpoint that answers; gives the pause in seconds before the next look."""
        try:
            await endpoint.look(self._slots.in_use(endpoint))
        except OutageError as exc:
            endpoint.lost(exc)
            return PROBE_FIRST_S
        self._slots.look()
        return look_again_s(endpoint.controller, self._slots.in_use(endpoint))

    async def _try(self, endpoint: ModelEndpoint) -> bool:
        """Looks at an endpoint that is away; True if it has the right model and answers."""
        try:
            root = await endpoint.identify()
            if endpoint.state.root is not None:  # at the start, the first real call will tell, at no extra cost
                await endpoint.probe()
            self._check_root(endpoint, root)
        except WrongServerError as exc:
            if endpoint.state.root is None:  # it never was right: a mistake in the settings
                raise
            log.warning("model server %s stays out: %s", endpoint.url, exc)
            return False
        except ModelError as exc:
            log.debug("model server %s is away: %s", endpoint.url, exc)
            if not endpoint.state.explained:
                endpoint.state.explained = True
                log.warning("waiting for the model server %s: %s", endpoint.url, exc)
            return False
        log.info("model server %s answers", endpoint.url, extra={"root": root})
        endpoint.state.came_back(root)
        self._changed.set()
        self._slots.look()
        return True

    def _check_root(self, endpoint: ModelEndpoint, root: str) -> None:
        """Raises WrongServerError if another endpoint that answers has loaded something else."""
        others = {other.state.root for other in self.endpoints if other is not endpoint and not other.away} - {None}
        if others - {root} and not self._any_model:
            names = ", ".join(sorted({root, *filter(None, others)}))
            raise WrongServerError(
                f"{endpoint.url} serves a different model than the other endpoints: {names}. Leave one out, or allow "
                "it in the recipe: any_model = true"
            )
