"""A bound for the size of replies: a model server that goes mad must not fill the memory of its client."""

from collections.abc import AsyncIterator

import httpx2

MAX_REPLY_BYTES = 64 * 1024**2
"""Most bytes of one reply: room for a million tokens with their reasoning."""


class ReplyTooLargeError(Exception):
    """The reply is longer than any answer to a request of ours, or it is compressed, so that its length is unknown."""


async def bound_reply(response: httpx2.Response) -> None:
    """Makes reading the body raise ReplyTooLargeError past the bound. An event hook: only the headers are there yet."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ReplyTooLargeError("the reply is compressed, which was not asked for")
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    response.stream = _BoundedStream(response.stream)


class _BoundedStream(httpx2.AsyncByteStream):
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
