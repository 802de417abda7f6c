"""The reasons why a call, a chunk, a record or a file may fail: metrics, retries and documents derive from this table.

`error_class` of results and dead letters is a name of this table. A record of another version may hold another name.
"""

from enum import Enum, StrEnum
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator


class Fault(StrEnum):
    """The side that has to change before a repetition can work."""

    SERVER = "server"
    CHUNK = "chunk"
    INPUT = "input"
    QASTREAM = "QAStream"


class Retry(Enum):
    """The rule by which a failed call is made again. A call that waits until it is answered uses up no attempt."""

    UNTIL_ANSWERED = "until it is answered"
    ATTEMPTS = "up to the bounded number of attempts, after a wait"
    MORE_TOKENS = "up to the bounded number of attempts, at once, each with twice the tokens"
    NEVER = "never"


class ErrorClass(NamedTuple):
    """One row: `seen_as` says what shows the error, `happens` what follows, `advice` what the user of a letter can do.

    `of_call` is true for outcomes of a single call to a model server. `longest_wait_s` bounds the random wait before a
    call is made again.
    """

    name: str
    fault: Fault
    retry: Retry
    of_call: bool
    seen_as: str
    happens: str = "dead letter"
    advice: str = ""
    longest_wait_s: float = 0.0

    @property
    def in_letters(self) -> bool:
        """False for classes whose calls are made again until they are answered: no chunk ever fails with them."""
        return self.retry is not Retry.UNTIL_ANSWERED


_ROWS = (
    ErrorClass(
        "outage", Fault.SERVER, Retry.UNTIL_ANSWERED, True,
        "connection refused, reset or closed; 502; 401, 403, 404; 500 with `EngineCore`; `finish_reason: abort`; a "
        "transient error of a server that answers nobody (below)",
        "the endpoint gets no calls and is probed, 0.1–2 s apart, with one real completion. That has 30 s, and twice "
        "as long after each probe that was late. The calls of the endpoint go to another one, or wait. Without any "
        "endpoint the worker reads no more from Kafka",
        longest_wait_s=2.0,
    ),
    ErrorClass(
        "overload", Fault.SERVER, Retry.UNTIL_ANSWERED, True, "429, 503",
        "the limit of the endpoint is cut; the call waits as `Retry-After` asks, else up to 10 s", longest_wait_s=10.0,
    ),
    ErrorClass(
        "transient", Fault.CHUNK, Retry.ATTEMPTS, True,
        "no answer in time; 408, 409, 425, 500, 504; each from a server that answers others",
        "the call is made again after a random wait of up to 8 s; then a dead letter",
        "The server failed at every attempt, or was too late, while it answered other requests. Its log says why. If "
        "answers are late, raise `--timeout-s` or lower `--max-tokens`.", longest_wait_s=8.0,
    ),
    ErrorClass(
        "malformed", Fault.CHUNK, Retry.ATTEMPTS, True, "200 with something else than the answer that was asked for",
        "the call is made again after a random wait of up to 8 s, except after a refusal of the model, thoughts "
        "without an answer, or `finish_reason: content_filter`; then a dead letter",
        "The server ignores `response_format`, or its decoder makes broken JSON: start vLLM with `python -m server`, "
        "which sets a backend that does not.", longest_wait_s=8.0,
    ),
    ErrorClass(
        "truncated", Fault.CHUNK, Retry.MORE_TOKENS, True, "`finish_reason: length`",
        "the call is made again at once with twice the `max_tokens`, up to 16 times as many. If the answer is still "
        "cut, or the server's context has no room for more, the worker asks about two halves of the chunk, and about "
        "halves of those; then a dead letter",
        "The answer did not fit: raise `--max-tokens`, or `--reasoning-max-tokens` for a thinking model.",
    ),
    ErrorClass(
        "refused", Fault.CHUNK, Retry.NEVER, True, "400, 413, 422 and other 4xx", advice="The server will never accept "
        "the request, most often because prompt and answer exceed `--max-model-len`.",
    ),
    ErrorClass(
        "kills_server", Fault.CHUNK, Retry.NEVER, False,
        "the server died three times with the request in hand, the last time with no other request; or six times, "
        "where other users always have requests there",
        advice="The server died of this chunk three times, the last time with no other request.",
    ),
    ErrorClass(
        "too_large", Fault.INPUT, Retry.NEVER, False,
        "a file over `--max-file-bytes`; a result that no Kafka record can hold",
        advice="A file is larger than `--max-file-bytes`: raise that, or split the file. If a chunk has this class, "
        "its result is larger than a Kafka record may be, or than `max.message.bytes` of its topic: "
        "lower `--chunk-size`, or raise that.",
    ),
    ErrorClass(
        "binary", Fault.INPUT, Retry.NEVER, False, "a file that is no text",
        advice="Texts only: convert PDFs and office files first.",
    ),
    ErrorClass(
        "undecodable", Fault.INPUT, Retry.NEVER, False,
        "a file in an unknown encoding; a record of `qa.chunks` that is no chunk",
        advice="The encoding of a file was not found: set `--encoding`, or convert the file; then `python -m producer "
        "retry --match …`. If it is a record, something else than QAStream wrote it to `qa.chunks`.",
    ),
    ErrorClass(
        "internal", Fault.QASTREAM, Retry.NEVER, False, "an exception in QAStream while it answered a chunk",
        advice="A bug of QAStream; the worker's log has the traceback. Please report it.",
    ),
)  # fmt: skip
ERROR_CLASSES = {row.name: row for row in _ROWS}
EARLIER_SPELLINGS = {"too large": "too_large"}
"""Names that records of earlier versions may hold, and their names today."""


def current_name(name: object) -> object:
    """The name of an error class as it is spelled today."""
    return EARLIER_SPELLINGS.get(name, name) if isinstance(name, str) else name


ErrorClassName = Annotated[str, BeforeValidator(current_name)]
"""A name of the table. Whatever spelling a record holds, its reader gets today's."""
