"""Reads records whose headers have names that are not UTF-8.

Kafka keeps names as they come, and some clients send any bytes (`kcat -H`). aiokafka decodes them strictly, and raises
for the whole batch, without a word of which record it was. Java's client puts U+FFFD there; so does this one.
"""

from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.errors import for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from aiokafka.record.util import decode_varint_py

from schemas.topics import MAX_MESSAGE_BYTES

WAIT_MS = 200


async def read_leniently(
    consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int, max_records: int
) -> list[ConsumerRecord]:
    """Committed records from `offset` on, as they are there now; the consumer's position stays.

    Raises KafkaError, and others for bytes that make no records.
    """
    leader = consumer._client.cluster.leader_for_partition(tp)  # noqa: SLF001 - no public call gives raw batches
    wanted = [(tp.topic, [(tp.partition, offset, MAX_MESSAGE_BYTES)])]
    request = FetchRequest(WAIT_MS, 1, MAX_MESSAGE_BYTES, READ_COMMITTED, wanted, rack_id="")
    response = await consumer._client.send(leader, request)  # noqa: SLF001
    ((_, ((_, code, _, _, *more),)),) = response.topics
    if code:
        raise for_code(code)(tp)
    *_, batches = more
    aborted = more[1] if response.API_VERSION >= 5 else more[0]
    records = PartitionRecords(tp, _Batches(batches or b""), aborted, offset, None, None, True, READ_COMMITTED)
    return [record for record, _ in zip(records, range(max_records), strict=False)]


class _Batches(_MemoryRecordsPy):  # type: ignore[misc] # the library has no types
    def next_batch(self, *_: Any) -> "_Batch":
        whole = self._next_slice
        self._cache_next()
        return _Batch(whole)


class _Batch(_DefaultRecordBatchPy):  # type: ignore[misc]
    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Bytes(self._buffer)

    def _read_msg(self, *_: Any) -> Any:
        return super()._read_msg(decode_varint_py)  # the compiled one takes a plain bytearray only


class _Bytes(bytearray):
    """Parts of it become text whatever they hold."""

    def __getitem__(self, at: Any) -> Any:
        part = super().__getitem__(at)
        return _Bytes(part) if isinstance(part, bytearray) else part

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002
        return super().decode(encoding, "replace")
