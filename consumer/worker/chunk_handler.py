"""Handles one record of the topic of chunks: from its bytes to its outcome."""

import asyncio
from collections.abc import Sequence

from consumer.worker.group.handler import Handler
from consumer.worker.model.servers import ModelServers
from consumer.worker.outcome import Outcome, answered, origin_of, undecodable
from consumer.worker.recipe.answering import Answerer
from messaging.connection import MAX_RECORD_BYTES
from messaging.record import Record
from schemas import Chunk, DecodeError, TopicNames, decode
from telemetry.tracing import Tracing

MAX_RESULT_BYTES = MAX_RECORD_BYTES // 2
"""Largest size of an encoded result. The other half leaves room for the dead letter in the same request."""


class ChunkHandler(Handler):
    """The handler of a worker. `all_servers` has the servers of the model, and those of the judge if there is one."""

    def __init__(
        self, names: TopicNames, answerer: Answerer, all_servers: Sequence[ModelServers], *, tracing: Tracing
    ) -> None:
        self._names = names
        self._answerer = answerer
        self._all_servers = all_servers
        self._tracing = tracing

    @property
    def ready(self) -> bool:
        """True while all models can be called."""
        return all(servers.available for servers in self._all_servers)

    async def handle(self, record: Record) -> Outcome:
        """Returns the outcome of a chunk, or the dead letter of a record that is no chunk. Raises WorkerError."""
        try:
            chunk = decode(Chunk, record.value)
        except DecodeError as exc:
            return undecodable(record, str(exc), self._names)
        with self._tracing.span("answer chunk", {"chunk.id": chunk.chunk_id}, parent=record.headers):
            result = await self._answerer.answer(chunk, origin_of(record))
            headers = self._tracing.headers()
        return answered(record, result, self._names, max_bytes=MAX_RESULT_BYTES, headers=headers)

    async def finish(self) -> None:
        """Begins no more calls; returns when the calls under way have ended and their answers are used."""
        await asyncio.gather(*(servers.finish() for servers in self._all_servers))
        await self._answerer.use_answers()
