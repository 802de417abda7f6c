"""One request until it is answered: what is remembered of it from attempt to attempt."""

from collections.abc import Callable
from dataclasses import replace

from consumer.worker.model.flights import StillWanted
from consumer.worker.model.servers import Home, ModelServers
from inference.chat import ChatRequest, Completion
from inference.errors import (
    CutShortError,
    KillsServerError,
    MalformedError,
    OutageError,
    RefusedError,
    TransientError,
    TruncatedError,
)

SUSPECT = 2
"""Crashes with a request in flight after which it goes alone. One crash does not say which of them caused it."""
GUILTY = 3
"""Crashes after which a request is found guilty, if it was alone at the last one."""
GUILTY_BESIDE_OTHERS = 6
"""The same for a server that other users use all the time: so many crashes are no chance."""
MOST_TOKENS_FACTOR = 16


class Call:
    """A request that `retry` makes again by calling `ask`, whose errors say whether that can help."""

    def __init__(
        self,
        servers: ModelServers,
        request: ChatRequest,
        read: Callable[[str], object],
        *,
        home: Home = lambda: None,
        wanted: StillWanted = lambda: True,
    ) -> None:
        """`read` raises MalformedError for an answer that can't be used."""
        self._servers = servers
        self._request = request
        self._read = read
        self._home = home
        self._wanted = wanted
        self._crashes = 0
        self.paid: list[Completion] = []
        """All completions so far, those that were cut or can't be read included."""

    async def ask(self, tokens_factor: int) -> Completion:
        """A completion that can be read, within `tokens_factor` times the tokens. Only such may be cached.

        Raises a ModelError, or UnwantedError.
        """
        factor = min(tokens_factor, MOST_TOKENS_FACTOR)
        request = replace(self._request, max_tokens=self._request.max_tokens * factor)
        alone = self._crashes >= SUSPECT
        try:
            completion = await self._servers.complete(
                request, patience=factor, alone=alone, home=self._home, wanted=self._wanted
            )
        except (TruncatedError, TransientError, MalformedError) as exc:
            self.paid += [exc.partial] if exc.partial else []
            raise
        except OutageError as exc:
            self._crashes += exc.crashed
            if alone and exc.crashed:
                self._accuse(exc)
            raise
        except RefusedError as exc:
            if factor > 1:  # more tokens than the server's context has left
                raise CutShortError(
                    f"the answer was cut, and {request.max_tokens} tokens are refused: {exc}", failure=exc.failure
                ) from exc
            raise
        self.paid.append(completion)
        self._read(completion.content)
        return completion

    def _accuse(self, exc: OutageError) -> None:
        """Raises KillsServerError if the server has died of the request often enough."""
        if self._crashes >= (GUILTY_BESIDE_OTHERS if exc.beside_others else GUILTY):
            last = "beside requests of other users only" if exc.beside_others else "alone"
            said = f"the model server died of this request {self._crashes} times, the last time {last}"
            raise KillsServerError(said) from exc
