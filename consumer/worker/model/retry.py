"""Makes failed calls again, by the rule that `schemas.error_classes` has for the class of the error."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from inference.chat import Completion
from inference.errors import ModelError
from schemas.error_classes import ERROR_CLASSES, Retry

ATTEMPTS = 5
MOST_DOUBLED = 20
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waits:
    """Upper ends of the random waits, beside that of the error class. `on_retry` is told the class before each wait."""

    longest_s: float = inf
    first_s: float = 0.1
    on_retry: Callable[[str], None] = lambda _: None

    def wait_s(self, error: ModelError, number: int) -> float:
        """The wait after `error`, which is the `number`th of its kind in a row: longer each time, and random."""
        most_s = min(ERROR_CLASSES[error.error_class].longest_wait_s, self.longest_s)
        doubled_s = self.first_s * 2 ** min(number - 1, MOST_DOUBLED)
        return (error.retry_after_s or 0.0) + random.uniform(0, min(most_s, doubled_s))  # noqa: S311 - no secret


class CallFailedError(Exception):
    """The attempts are used up; `error` is the last one, `stage` the stage of the recipe that the call was for.

    `paid` are the completions that came, each of them cut or not to be read.
    """

    stage = ""
    paid: tuple[Completion, ...] = ()

    def __init__(self, error: ModelError, attempts: int) -> None:
        super().__init__(str(error))
        self.error = error
        self.attempts = attempts


async def call_until_answered(call: Callable[[int], Awaitable[T]], *, waits: Waits) -> tuple[T, int]:
    """Returns the answer and the number of calls that used up an attempt. `call` gets the factor for max_tokens.

    A wait holds no slot of a server. Raises CallFailedError.
    """
    attempt, factor, unanswered = 1, 1, 0
    while True:
        try:
            return await call(factor), attempt
        except ModelError as error:
            if error.retry is Retry.UNTIL_ANSWERED:
                unanswered += 1
                wait_s = waits.wait_s(error, unanswered)
            elif error.retry is Retry.NEVER or attempt == ATTEMPTS:
                raise CallFailedError(error, attempt) from error
            else:
                factor *= 2 if error.retry is Retry.MORE_TOKENS else 1
                wait_s = waits.wait_s(error, attempt)
                attempt, unanswered = attempt + 1, 0
            waits.on_retry(error.error_class)
        await asyncio.sleep(wait_s)
