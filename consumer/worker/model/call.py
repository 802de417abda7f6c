"""One request until it is answered: what is remembered of it from attempt to attempt."""

from dataclasses import replace
from typing import Any

from consumer.worker.model.flights import Wanted
from consumer.worker.model.servers import Home, ModelServers
from consumer.worker.recipe.stage_requests import Prompted
from inference.chat import Completion
from inference.errors import CutShortError, KillsServerError, OutageError, RefusedError

SUSPECT = 2
"""Crashes with a request in hand after which it goes alone. At the first one, whatever was in flight is innocent."""
GUILTY = 3
GUILTY_BESIDE_OTHERS = 6
"""As one of many at a server that others use all the time too: so often it is no chance."""
MOST_TOKENS_FACTOR = 16


class Call:
    """Retries call `ask` again; what it raises says whether that can help."""

    def __init__(
        self,
        servers: ModelServers,
        request: Prompted[Any],
        *,
        priority: int | None = None,
        home: Home = lambda: None,
        wanted: Wanted = lambda: True,
    ) -> None:
        """`priority` changes when an answer comes, not what it is: it is no part of the cache's key."""
        self._servers = servers
        self._request = replace(request.request, priority=priority)
        self._read = request.read
        self._home = home
        self._wanted = wanted
        self._crashes = 0

    async def ask(self, tokens_factor: int) -> Completion:
        """An answer that can be read: only such may be cached. Raises a ModelError, or UnwantedError."""
        factor = min(tokens_factor, MOST_TOKENS_FACTOR)
        request = replace(self._request, max_tokens=self._request.max_tokens * factor)
        alone = self._crashes >= SUSPECT
        try:
            answer = await self._servers.complete(
                request, patience=factor, alone=alone, home=self._home, wanted=self._wanted
            )
        except OutageError as exc:
            self._crashes += exc.crashed
            if alone and exc.crashed and self._crashes >= (GUILTY_BESIDE_OTHERS if exc.beside_others else GUILTY):
                last = "beside requests of other users only" if exc.beside_others else "alone"
                raise KillsServerError(
                    f"the model server died of it {self._crashes} times, the last time {last}"
                ) from exc
            raise
        except RefusedError as exc:
            if factor > 1:  # more tokens than the server's context has left
                raise CutShortError(f"the answer was cut, and {request.max_tokens} tokens are refused: {exc}") from exc
            raise
        self._read(answer.content)
        return answer
