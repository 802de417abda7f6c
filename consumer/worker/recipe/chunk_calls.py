"""Makes all model calls of one chunk. They go to one server while it has room, and are counted together."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from consumer.worker.model.language_model import LanguageModel
from consumer.worker.model.retry import CallFailedError
from consumer.worker.recipe.stage_requests import StageRequest
from inference.chat import Completion
from schemas import Usage

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StageReply(Generic[T]):
    """The answer of a stage. `thinking` has the thoughts of a reasoning model before it."""

    value: T
    thinking: str


class ChunkCalls:
    """Calls the model and the judge for one chunk.

    `usage` and `model_ms` describe the calls so far, also after a call has failed.
    """

    def __init__(self, model: LanguageModel, judge: LanguageModel, *, sample: int) -> None:
        self._model = model
        self._judge = judge
        self._sample = sample
        self._homes: dict[LanguageModel, str] = {}
        self.usage = Usage()
        self.model_ms = 0.0

    def endpoint_of(self, model: LanguageModel) -> str | None:
        """Returns the URL of the server that answered the first call to the model, or None before that."""
        return self._homes.get(model)

    async def ask(self, request: StageRequest[T]) -> StageReply[T]:
        """Asks the model. Raises CallFailedError."""
        return await self._ask(self._model, request)

    async def judge(self, request: StageRequest[T]) -> StageReply[T]:
        """Asks the model that judges answers. Raises CallFailedError."""
        return await self._ask(self._judge, request)

    async def _ask(self, model: LanguageModel, request: StageRequest[T]) -> StageReply[T]:
        try:
            obtained = await model.obtain(
                request.chat, request.read, sample=self._sample, home=lambda: self.endpoint_of(model)
            )
        except CallFailedError as exc:
            self._count(_usage(max(1, exc.attempts), exc.paid))
            exc.stage = request.stage
            raise
        self._homes.setdefault(model, obtained.completion.endpoint)
        self._count(_usage(obtained.calls, obtained.paid) if obtained.calls else Usage(cached_calls=1))
        self.model_ms += obtained.model_ms
        return StageReply(request.read(obtained.completion.content), obtained.completion.reasoning)

    def _count(self, more: Usage) -> None:
        known, new = self.usage.model_dump(), more.model_dump()
        self.usage = Usage(**{name: count + new[name] for name, count in known.items()})


async def together(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Returns all results, or raises the first error after all calls have ended: their answers are cached by then."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


def _usage(calls: int, paid: Sequence[Completion]) -> Usage:
    return Usage(
        calls=calls,
        prompt_tokens=sum(each.prompt_tokens for each in paid),
        cached_prompt_tokens=sum(each.cached_prompt_tokens for each in paid),
        completion_tokens=sum(each.completion_tokens for each in paid),
    )
