"""One model server as a worker uses it: its client, its limit of calls, its pace, and whether it answers."""

import asyncio
import logging
import random
import time
from collections.abc import Callable

from configs.sections import ModelSettings
from consumer.worker.model.controller import LimitController
from consumer.worker.model.endpoint_state import EndpointState
from consumer.worker.model.flights import Flights
from inference.chat import ChatRequest, Completion
from inference.client import ModelClient, QueueSample, identify, make_client
from inference.errors import ModelError, OutageError, OverloadError, TimedOutError, TruncatedError

PROBE_S = 30.0
"""Seconds in which a server that works makes one token, whatever else it has to do."""
LOOK_EVERY_S = 0.5
"""Mean pause between two looks at a server's queue. It varies by half: workers must not look in step."""
IDLE_S = 60.0
"""Longest time for which a suspect request may hold the endpoint alone while other users' requests finish."""
BUSY_S = 600.0
"""After a vain wait for an idle server, suspects skip that wait for this time: there may be hundreds of them."""
START_LIMIT = 8
SPARE_CONNECTIONS = 8
"""Connections beside those of the calls, for lists of models and metrics."""
log = logging.getLogger(__name__)


class ModelEndpoint:
    """A model server behind its client. `sample` is its queue as last seen; `signs` are the probes under way."""

    def __init__(self, client: ModelClient, *, model: str, timeout_s: float, controller: LimitController) -> None:
        self.url, self.close = client.url, client.close
        self.state = EndpointState()
        self.controller = controller
        self.sample = QueueSample(0, 0)
        self.signs: Flights[None] = Flights()
        self._client = client
        self._model = model
        self._timeout_s = timeout_s
        self._pace = Pace()
        self._probe_s = PROBE_S

    @property
    def away(self) -> bool:
        return self.state.away

    @property
    def limit(self) -> int:
        """Most calls that may be under way now."""
        return 0 if self.state.paused else self.controller.limit

    async def complete(self, request: ChatRequest, *, patience: float = 1.0) -> Completion:
        """Gives a completion within `patience` times the timeout, or less by the server's pace. Raises a ModelError."""
        allowed_s = self._pace.timeout_s(request.max_tokens, most_s=self._timeout_s * patience)
        began_s = time.monotonic()
        completion = await self._client.complete(request, timeout_s=allowed_s)
        self._pace.answered(completion.completion_tokens, time.monotonic() - began_s)
        return completion

    async def identify(self) -> str:
        """Asks what the server has loaded under the model's name. Raises WrongServerError or a ModelError."""
        return await identify(self._client, self._model)

    async def probe(self) -> None:
        """Returns when the server has made one token. Raises a ModelError.

        The server has PROBE_S seconds. After a probe that was late the next one has twice as long, up to the timeout:
        the queue before it may be long.
        """
        allowed_s = min(self._probe_s, self._timeout_s)
        try:
            await self._client.probe(self._model, timeout_s=allowed_s)
        except TimedOutError as exc:
            self._probe_s = 2 * allowed_s
            raise TimedOutError(f"not one token within {allowed_s:.3g} s") from exc
        self._probe_s = PROBE_S

    async def queue(self) -> QueueSample | None:
        """Asks for the server's queue; gives None if the server does not tell. Raises a ModelError."""
        sample = await self._client.queue()
        self.sample = sample or self.sample
        return sample

    async def look(self, in_flight: int) -> None:
        """Adjusts the limit by one step; `in_flight` are this worker's calls at the server. Raises OutageError."""
        try:
            sample = await self.queue()
        except OutageError:
            raise
        except ModelError as exc:  # a busy server may be late with its metrics
            log.debug("no metrics from %s: %s", self.url, exc)
            return
        if sample is None:
            self.controller.tick(in_flight)
        else:
            self.controller.observe(sample, in_flight)

    def lost(self, error: ModelError) -> None:
        """Takes note that a call or a look got no answer: the server is away until a look finds it back."""
        if self.state.lost():
            log.warning("model server %s is away (%s); waiting for it", self.url, error)

    def ended(self, error: ModelError | None = None) -> None:
        """Takes note of a call that the server answered, with a completion or with `error`."""
        if error is None or isinstance(error, TruncatedError):
            self.state.answered_s = time.monotonic()
        self.controller.ended(overloaded=isinstance(error, OverloadError | TimedOutError))

    async def becomes_idle(self) -> bool:
        """Waits until other users have no requests at the server, as its metrics tell; False if that is in vain."""
        if time.monotonic() < self.state.busy_until_s:
            return False
        try:
            async with asyncio.timeout(IDLE_S):
                await self._until_idle()
        except TimeoutError:
            self.state.busy_until_s = time.monotonic() + BUSY_S
            log.warning(
                "model server %s has had requests of other users for %.0f s: our requests that were in flight at two "
                "crashes now go one at a time, beside theirs",
                self.url,
                IDLE_S,
            )
            return False
        return True

    async def _until_idle(self) -> None:
        while True:
            try:
                sample = await self.queue()
            except ModelError:
                return
            if sample is None or sample.running + sample.waiting == 0:
                return
            await asyncio.sleep(LOOK_EVERY_S * random.uniform(0.2, 1.0))  # noqa: S311 - not for secrecy


class Pace:
    """Learns how long a server takes for a token, so that a hung request is given up long before the timeout."""

    LEAST_S = 60.0
    MARGIN = 10.0
    SMOOTHING = 0.1
    FEW = 20

    def __init__(self) -> None:
        self._seconds_each = 0.0
        self._seen = 0

    def answered(self, tokens: int, seconds: float) -> None:
        """Takes note of an answer of `tokens` that took `seconds`."""
        if tokens > 0:
            self._seen += 1
            weight = max(self.SMOOTHING, 1 / self._seen)
            self._seconds_each += weight * (seconds / tokens - self._seconds_each)

    def timeout_s(self, tokens: int, *, most_s: float) -> float:
        """The time for an answer of up to `tokens`: ten times what they take, or `most_s` while too little was seen."""
        if self._seen < self.FEW:
            return most_s
        return min(most_s, max(self.LEAST_S, self.MARGIN * self._seconds_each * tokens))


def make_endpoints(
    settings: ModelSettings, *, concurrency: int, observed: Callable[[ModelClient], ModelClient] = lambda client: client
) -> list[ModelEndpoint]:
    """An endpoint for each model server, with at most `concurrency` calls under way at each; close them.

    `observed` may put something around a client. Raises SettingsError for a model_ca_file that can't be used.
    """
    return [
        ModelEndpoint(
            observed(make_client(settings, url, connections=concurrency + SPARE_CONNECTIONS)),
            model=settings.model_name,
            timeout_s=settings.timeout_s,
            controller=LimitController(
                least=1, most=concurrency, start=min(START_LIMIT, concurrency), share=settings.share
            ),
        )
        for url in settings.model_urls
    ]
