"""The five verbs that a worker needs of a model server, whichever API it speaks."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from configs.sections import ModelSettings
from inference.chat import ChatRequest, Completion
from inference.errors import FailureKind, OutageError, WrongServerError

CONNECT_S = 5.0
"""Most seconds for a connection to a server."""


@dataclass(frozen=True, slots=True)
class QueueSample:
    """The queue of a server, as its metrics show it: the requests of all users that run there or wait.

    `tokens` is the number of tokens that the server has made since its start, None if the server does not tell.
    `tokens_s` are the seconds that they took, summed over requests: two requests that run for a second are two seconds.
    """

    running: float
    waiting: float
    tokens: float | None = None
    tokens_s: float = 0.0


class ModelClient(Protocol):
    """One model server. Its methods may be called at any time, any number at once, also while the server is away.

    None of them tries again: that is up to the caller. When a caller is cancelled, the request is taken back from the
    server. No error message holds any of the prompt.
    """

    url: str
    """The base URL of the server."""

    async def complete(
        self, request: ChatRequest, *, timeout_s: float, headers: Iterable[tuple[str, bytes]] = ()
    ) -> Completion:
        """The finished completion of `request`; `headers` go along for traces.

        Raises a ModelError: TimedOutError if the completion is not there after `timeout_s` seconds, TruncatedError if
        it was cut at `max_tokens`, OutageError if the server is away, OverloadError if it has too much to do,
        TransientError if another try may help, MalformedError if its reply is no completion, and RefusedError if it
        will never accept this request.
        """

    async def models(self) -> dict[str, str]:
        """Lists what the server has loaded, by the names that requests may use. Raises a ModelError."""

    async def probe(self, model: str, *, timeout_s: float) -> None:
        """Returns when the server has made one token: it may list its model long before, or after, it can answer.

        Raises a ModelError; TimedOutError if there is no token after `timeout_s` seconds.
        """

    async def queue(self) -> QueueSample | None:
        """The server's queue; None if the server has no metrics that tell. Raises a ModelError."""

    async def close(self) -> None:
        """Closes all connections. Nothing may be called afterwards."""


def make_client(settings: ModelSettings, url: str, *, connections: int = 1) -> ModelClient:
    """Makes the client for a server, with at most `connections` open at once. It is the one place that picks an API.

    Raises SettingsError for a model_ca_file that can't be used.
    """
    from inference.openai_client import OpenAIClient  # noqa: PLC0415 - takes a second to import

    return OpenAIClient(settings, url, connections=connections)


async def identify(client: ModelClient, model: str) -> str:
    """Asks what the server has loaded under the name `model`.

    Raises WrongServerError if the server refuses the key or has no such model, and a ModelError if it does not answer.
    """
    try:
        served = await client.models()
    except OutageError as exc:
        if exc.kind is FailureKind.KEY_REFUSED:
            raise WrongServerError(f"{client.url} refuses the API key; set VLLM_API_KEY") from exc
        raise
    if model not in served:
        names = ", ".join(sorted(served)) or "none"
        raise WrongServerError(f"{client.url} has no model {model!r}; it serves: {names}. Set --model-name")
    return served[model]
