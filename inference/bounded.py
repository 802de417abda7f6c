"""Replies of a model server are read up to a bound: a server that goes mad must not take the worker's memory."""

from collections.abc import AsyncIterator

import httpx2

MAX_REPLY_BYTES = 64 * 1024**2
"""Room for a million tokens with their reasoning."""


class ReplyTooLargeError(Exception):
    """The reply is longer than anything that was asked for, or could be."""


async def bound_reply(response: httpx2.Response) -> None:
    """An event hook: it runs when the headers are there and nothing of the body was read."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ReplyTooLargeError("the reply is compressed, which was not asked for")
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    response.stream = _Bounded(response.stream)


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._stream:
            size += len(part)
            if size > MAX_REPLY_BYTES:
                raise ReplyTooLargeError(f"the reply is over {MAX_REPLY_BYTES} bytes")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
