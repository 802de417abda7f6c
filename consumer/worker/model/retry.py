"""When a failed call is made again, by the retry of its error class in `schemas.error_classes`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from inference.errors import ModelError, OverloadError
from schemas.error_classes import Retry

ATTEMPTS = 5
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waits:
    """Upper ends of the random waits, in seconds; tests shorten them. `on_retry` is told the error class of each."""

    outage_s: float = 2.0
    overload_s: float = 10.0
    transient_s: float = 8.0
    first_s: float = 0.1
    on_retry: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Tried(Generic[T]):
    """What was answered, after how many calls that the server took on."""

    value: T
    calls: int


class CallFailedError(Exception):
    """All attempts are used up; `error` is the last one, `stage` the recipe's that the call was for."""

    stage = ""

    def __init__(self, error: ModelError, attempts: int) -> None:
        super().__init__(str(error))
        self.error = error
        self.attempts = attempts


async def call_until_answered(call: Callable[[int], Awaitable[T]], *, waits: Waits) -> Tried[T]:
    """`call` gets the factor for max_tokens. Raises CallFailedError."""
    calls, factor = 0, 1

    async def once() -> T:
        nonlocal calls, factor
        try:
            answered = await call(factor)
        except ModelError as exc:
            if exc.retry is not Retry.UNTIL_ANSWERED:
                calls += 1
            if exc.retry is Retry.MORE_TOKENS:
                factor *= 2
            raise
        calls += 1
        return answered

    async def patiently() -> T:
        waiting = AsyncRetrying(
            retry=retry_if_exception(lambda exc: _retry_of(exc) is Retry.UNTIL_ANSWERED),
            wait=lambda state: _patience_s(state, waits),
            before_sleep=lambda state: _told(state, waits),
            reraise=True,
        )
        return await waiting(once)

    attempts = AsyncRetrying(
        retry=retry_if_exception(lambda exc: _retry_of(exc) in (Retry.ATTEMPTS, Retry.MORE_TOKENS)),
        wait=lambda state: _backoff_s(state, waits),
        before_sleep=lambda state: _told(state, waits),
        stop=stop_after_attempt(ATTEMPTS),
        reraise=True,
    )
    try:
        return Tried(await attempts(patiently), calls)
    except ModelError as exc:
        raise CallFailedError(exc, int(attempts.statistics["attempt_number"])) from exc


def _patience_s(state: RetryCallState, waits: Waits) -> float:
    error = _error(state)
    if isinstance(error, OverloadError):
        asked = error.retry_after_s or 0.0
        return asked + wait_random_exponential(waits.first_s, max=waits.overload_s)(state)
    return wait_random_exponential(waits.first_s, max=waits.outage_s)(state)


def _backoff_s(state: RetryCallState, waits: Waits) -> float:
    if _retry_of(_error(state)) is Retry.MORE_TOKENS:
        return 0.0
    return wait_random_exponential(waits.first_s, max=waits.transient_s)(state)


def _told(state: RetryCallState, waits: Waits) -> None:
    if isinstance(error := _error(state), ModelError):
        waits.on_retry(error.error_class)


def _retry_of(error: BaseException | None) -> Retry:
    return error.retry if isinstance(error, ModelError) else Retry.NEVER


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None
