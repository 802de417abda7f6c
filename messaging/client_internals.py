"""The one place that uses aiokafka's private parts: underscored attributes, and modules that its docs do not name.

Every function says why no public call does the same. They are written for aiokafka 0.14, and
tests/messaging/test_client_internals.py fails, function by function, where another version has changed them.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterator, Sequence
from typing import Any, ClassVar, TypeAlias

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import KafkaError, NodeNotReadyError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest_v5
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from aiokafka.record.util import decode_varint_py

from messaging.record import Record, from_client
from schemas.topics import MAX_MESSAGE_BYTES

BareClient: TypeAlias = AIOKafkaClient
"""A client that only holds connections and metadata: it neither reads nor writes records."""
ROUND_ROBIN = RoundRobinPartitionAssignor
NO_OPERATIONS = -(2**31)
"""The `authorized_operations` of a topic where the broker is older than Kafka 2.3."""
NONE_COMMITTED = -1
FETCH_MS = 200


async def failed_connections(
    bootstrap_servers: Sequence[str], *, timeout_ms: int, **options: Any
) -> AsyncGenerator[tuple[str, Exception], None]:
    """Log in to each broker and yield `host:port` with the error, TLS included, of every one that fails.

    A client's `start` only logs these errors. It raises one that names no reason.
    """
    for host, port, _ in collect_hosts(bootstrap_servers):
        try:
            (await create_conn(host, port, request_timeout_ms=timeout_ms, **options)).close()
        except (KafkaError, OSError, TimeoutError) as exc:
            yield f"{host}:{port}", exc


def client_of(client: AIOKafkaConsumer | AIOKafkaAdminClient) -> BareClient:
    """Return the connections of a consumer or an admin client. Only a producer has a public name for its own."""
    return client._client


def connections_of(consumer: AIOKafkaConsumer) -> list[object]:
    """Return the connections that are in use. A new object among them shows that the consumer has connected again.

    The client connects again by itself, and publicly tells nobody.
    """
    return list(consumer._client._conns.values())


async def look_up_coordinators(client: BareClient, name: str) -> None:
    """Have a broker find the coordinators of a group and of a transactional id, both called `name`.

    Raises KafkaError while there is none. The public clients look one up only when they join or begin a transaction.
    """
    await client.coordinator_lookup(CoordinationType.GROUP, name)
    await client.coordinator_lookup(CoordinationType.TRANSACTION, name)


def reading_task(consumer: AIOKafkaConsumer) -> asyncio.Task[None]:
    """Return the task that fetches records. When it fails, the client only logs that, and no record comes any more."""
    task: asyncio.Task[None] = consumer._fetcher._fetch_task
    return task


def coordination_task(consumer: AIOKafkaConsumer) -> asyncio.Task[None]:
    """Return the task that keeps the membership in the group. When it fails, the client only logs that."""
    task: asyncio.Task[None] = consumer._coordinator._coordination_task
    return task


def knows_coordinator(consumer: AIOKafkaConsumer) -> bool:
    """Tell whether the consumer knows which broker coordinates its group. No public call tells."""
    return consumer._coordinator.coordinator_id is not None


def refresh_metadata(consumer: AIOKafkaConsumer, *topics: str) -> Awaitable[bool]:
    """Ask the brokers now for the metadata of the consumer's topics and of `topics`; await the result to have it.

    The public `partitions_for_topic` only looks at what came by itself, and only for subscribed or assigned topics.
    """
    for topic in topics:
        consumer._client.add_topic(topic)
    refreshed: Awaitable[bool] = consumer._client.force_metadata_update()
    return refreshed


async def partitions_of(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    """Return the partitions of any topic; none where it does not exist or is hidden from this user. Raises KafkaError.

    The public `partitions_for_topic` knows only topics that are subscribed or assigned.
    """
    cluster = await consumer._client.fetch_all_metadata()
    return set(cluster.partitions_for_topic(topic) or ())


async def wait_for_coordinator(consumer: AIOKafkaConsumer) -> str:
    """Wait until the coordinator of the consumer's group is known, and return the group's id.

    Raises KafkaError where the group is closed to this user. Publicly, only joining the group waits for it.
    """
    await consumer._coordinator.ensure_coordinator_known()
    return str(consumer._coordinator.group_id)


async def fetch_committed(consumer: AIOKafkaConsumer, tp: TopicPartition) -> tuple[int, int, str]:
    """Return error code, offset or NONE_COMMITTED, and metadata as the group's coordinator, which is known, gives them.

    Raises KafkaError when it does not answer. The public `committed()` drops the metadata and ignores the response's
    top-level error: while a coordinator loads, it says that nothing is committed, which reads as "start over".
    """
    coordinator = consumer._coordinator
    response = await coordinator._send_req(OffsetFetchRequest(coordinator.group_id, [(tp.topic, [tp.partition])]))
    if not response.topics:
        return response.error_code or NONE_COMMITTED, NONE_COMMITTED, ""
    _, offset, metadata, error_code = response.topics[0][1][0]
    return response.error_code or error_code, offset, metadata or ""


def forget_coordinator(consumer: AIOKafkaConsumer) -> None:
    """Have the consumer look for its group's coordinator again, as it does after its own requests."""
    consumer._coordinator.coordinator_dead()


def assigned_partitions(assignment: bytes) -> list[TopicPartition]:
    """Decode a member's assignment, which the public admin client gives as bytes: none during a rebalance."""
    return list(ConsumerProtocolMemberAssignment.decode(assignment).partitions()) if assignment else []


def futures_of(producer: AIOKafkaProducer) -> Iterator[asyncio.Future[Any]]:
    """Yield the futures that a failed transaction leaves behind. No public call returns them."""
    accumulator, manager = producer._message_accumulator, producer._txn_manager
    waiters = [batch._drain_waiter for batches in accumulator._batches.values() for batch in batches]
    waiters += [manager.wait_for_transaction_end()] if manager is not None else []
    yield from (waiter for waiter in waiters if waiter is not None)


def sending_task(producer: AIOKafkaProducer) -> asyncio.Task[None] | None:
    """Return the task that sends records, None before `start`. The public `stop()` waits for it without limit."""
    task: asyncio.Task[None] | None = producer._sender.sender_task
    return task


# Topics with the operations that are allowed on them (KIP-430)


async def ask_for_topics(client: BareClient, topics: Sequence[str]) -> list[dict[str, Any]]:
    """Return the topics of a metadata response, each with `authorized_operations` (from Kafka 2.3 on).

    The client's own request does not ask for these operations, and has topics made by asking for them where a broker
    has auto.create.topics.enable. Raises KafkaError when no broker answers.
    """
    node = client.get_random_node()
    if node is None:
        raise NodeNotReadyError("no broker is known yet")
    response = await client.send(node, _TopicsRequest(list(topics)))
    found: list[dict[str, Any]] = response.to_object()["topics"]
    return found


_PARTITION = (
    ("error_code", Int16), ("partition", Int32), ("leader", Int32), ("leader_epoch", Int32),
    ("replicas", Array(Int32)), ("isr", Array(Int32)), ("offline_replicas", Array(Int32)),
)  # fmt: skip
_TOPIC = (
    ("error_code", Int16), ("topic", String()), ("is_internal", Boolean), ("partitions", Array(*_PARTITION)),
    ("authorized_operations", Int32),
)  # fmt: skip
_BROKER = (("node_id", Int32), ("host", String()), ("port", Int32), ("rack", String()))


class _TopicsResponseV8(Response):  # type: ignore[misc] # the library has no types
    API_KEY, API_VERSION = 3, 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32), ("brokers", Array(*_BROKER)), ("cluster_id", String()), ("controller_id", Int32),
        ("topics", Array(*_TOPIC)), ("cluster_authorized_operations", Int32),
    )  # fmt: skip


class _TopicsRequestV8(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION = 3, 8
    RESPONSE_TYPE = _TopicsResponseV8
    SCHEMA = Schema(
        ("topics", Array(String())), ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean), ("include_topic_authorized_operations", Boolean),
    )  # fmt: skip


class _TopicsRequest(Request[MetadataRequest_v5 | _TopicsRequestV8]):  # type: ignore[misc]
    API_KEY: ClassVar[int] = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, kind: type[RequestStruct]) -> RequestStruct:
        return kind(self._topics, False) if kind is MetadataRequest_v5 else kind(self._topics, False, False, True)


# Records whose headers have names that are not UTF-8


async def fetch_leniently(
    consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int, *, max_records: int
) -> list[Record]:
    """Return committed records from `offset` on, as many as are there now; the consumer's position stays.

    Bytes in a header's name that are not UTF-8 become U+FFFD, as in Java's client. The client itself decodes names
    strictly, and raises UnicodeDecodeError for a whole batch without saying for which record; no public call gives the
    batch as bytes. Raises KafkaError, and other errors for bytes that make no records.
    """
    leader = consumer._client.cluster.leader_for_partition(tp)
    wanted = [(tp.topic, [(tp.partition, offset, MAX_MESSAGE_BYTES)])]
    request = FetchRequest(FETCH_MS, 1, MAX_MESSAGE_BYTES, READ_COMMITTED, wanted, rack_id="")
    response = await consumer._client.send(leader, request)
    ((_, ((_, code, _, _, *more),)),) = response.topics
    if code:
        raise for_code(code)(tp)
    *_, batches = more
    aborted = more[1] if response.API_VERSION >= 5 else more[0]
    records = PartitionRecords(tp, _Batches(batches or b""), aborted, offset, None, None, True, READ_COMMITTED)
    return [from_client(record) for record, _ in zip(records, range(max_records), strict=False)]


class _Batches(_MemoryRecordsPy):  # type: ignore[misc]
    def next_batch(self, *_: Any) -> "_Batch":
        whole = self._next_slice
        self._cache_next()
        return _Batch(whole)


class _Batch(_DefaultRecordBatchPy):  # type: ignore[misc]
    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _LenientBytes(self._buffer)

    def _read_msg(self, *_: Any) -> Any:
        return super()._read_msg(decode_varint_py)  # the compiled one takes a plain bytearray only


class _LenientBytes(bytearray):
    """Bytes whose slices can always be decoded: bytes that are not UTF-8 become U+FFFD."""

    def __getitem__(self, at: Any) -> Any:
        part = super().__getitem__(at)
        return _LenientBytes(part) if isinstance(part, bytearray) else part

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002
        return super().decode(encoding, "replace")
