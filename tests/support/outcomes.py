"""Results and ledger entries put on the topics as worker and producer would, and the sink's processes."""

import asyncio
import base64
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import aclosing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Self

import orjson

from configs.settings import Settings
from messaging.connection import make_transactional_producer
from messaging.reading import read_to_end
from messaging.topics import ensure_topics
from output.layout import Layout
from output.share import Share
from schemas import (
    Chunk,
    ChunkRef,
    CompleteVersion,
    DeadLetter,
    Document,
    Evidence,
    FileState,
    LedgerEntry,
    ModelRef,
    Origin,
    Original,
    OutcomeError,
    Pair,
    Reason,
    RecipeRef,
    RejectedPair,
    Result,
    Status,
    TopicNames,
    encode,
)
from schemas.ids import chunk_id, content_key, digest, document_id, letter_id, pair_id, record_id
from schemas.messages import now
from tests.support.chunks import until_visible

SPLITTER = digest("splitter")


def make_document(path: str, *, version: int = 1, source: str = "texts") -> Document:
    return Document(id=document_id(source, path), source=source, path=path, version=version, title="A title")


def make_result(
    document: Document,
    index: int = 0,
    *,
    generation: int = 0,
    attempt: int = 0,
    status: Status = Status.OK,
    pairs: int = 2,
    rejected: int = 0,
    text: str = "电压是五伏。The voltage is five volts.",
) -> Result:
    chunk = chunk_id(document.id, document.version, index)
    record = record_id(chunk, generation, attempt)
    kept = tuple(make_pair(record, i, text) for i in range(pairs if status is Status.OK else 0))
    refused = tuple(
        RejectedPair(pair=make_pair(record, 100 + i, text), reasons=(Reason(check="evidence"),))
        for i in range(rejected)
    )
    return Result(
        record_id=record,
        status=status,
        document=document,
        chunk=ChunkRef(id=chunk, index=index, start=0, end=len(text), text=text, content_key=content_key(text, ())),
        generation=generation,
        attempt=attempt,
        pairs=kept,
        rejected=refused,
        recipe=RecipeRef(name="fast", hash=digest("recipe")),
        model=ModelRef(name="qwen-vllm", root="tiny"),
        error=OutcomeError(error_class="malformed", message="no JSON") if status is Status.FAILED else None,
        origin=Origin(topic="qa.chunks", partition=0, offset=index),
        created_at=now(),
    )


def make_pair(record: str, position: int, text: str) -> Pair:
    return Pair(
        id=pair_id(record, position),
        type="factual",
        question=f"电压是多少？({position})",
        answer="五伏。",
        reasoning="The text says so.",
        evidence=(Evidence(text=text[:6], start=0, end=6),),
        language="zh",
    )


def make_entry(
    document: Document,
    chunks: int,
    *,
    generation: int = 0,
    state: FileState = FileState.COMPLETE,
    complete: CompleteVersion | None = None,
    content: bytes = b"content",
) -> LedgerEntry:
    return LedgerEntry(
        document=document,
        generation=generation,
        state=state,
        size_bytes=len(content),
        mtime_ns=0,
        sha256=sha256(content).hexdigest() if state is FileState.COMPLETE else None,
        encoding="utf-8",
        splitter=SPLITTER,
        chunks=chunks,
        complete=complete,
        updated_at=now(),
    )


def make_complete(
    version: int, chunks: int, *, generation: int = 0, content: bytes = b"content", encoding: str = "utf-8"
) -> CompleteVersion:
    return CompleteVersion(
        version=version,
        generation=generation,
        chunks=chunks,
        characters=100,
        size_bytes=len(content),
        sha256=sha256(content).hexdigest(),
        encoding=encoding,
        splitter=SPLITTER,
    )


def make_chunk_of(result: Result) -> Chunk:
    ref = result.chunk
    return Chunk(
        chunk_id=ref.id,
        document=result.document,
        generation=result.generation,
        attempt=result.attempt,
        index=ref.index,
        start=ref.start,
        end=ref.end,
        text=ref.text,
        content_key=ref.content_key,
    )


def make_letter(
    result: Result, *, offset: int = 0, error_class: str = "malformed", original: bytes | None = None
) -> DeadLetter:
    value = encode(make_chunk_of(result)) if original is None else original
    return DeadLetter(
        letter_id=letter_id("qa.chunks", 0, offset),
        kind="chunk",
        reason="no JSON",
        error_class=error_class,
        document=result.document,
        chunk_id=result.chunk.id,
        generation=result.generation,
        attempt=result.attempt,
        original=Original(
            base64=base64.b64encode(value).decode(), size_bytes=len(value), sha256=sha256(value).hexdigest()
        ),
        headers={"traceparent": "00-1-2-01"},
        origin=Origin(topic="qa.chunks", partition=0, offset=offset),
        created_at=now(),
    )


Message = Result | LedgerEntry | Chunk | DeadLetter | tuple[str, bytes]


def _place(names: TopicNames, message: Message) -> tuple[str, bytes, bytes]:
    match message:
        case Result():
            return names.results, message.document.id.encode(), encode(message)
        case LedgerEntry():
            return names.files, message.document.id.encode(), encode(message)
        case Chunk():
            return names.chunks, message.content_key.encode(), encode(message)
        case DeadLetter():
            return names.dead_letters, message.letter_id.encode(), encode(message)
        case (topic, value):
            return topic, b"key", value


class Publisher:
    """Transactions with any messages; some of them aborted."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._names = TopicNames(settings.kafka.namespace)
        self._id = f"{settings.kafka.namespace}.tests"
        self._producer = make_transactional_producer(settings.kafka, self._id)

    async def __aenter__(self) -> Self:
        await ensure_topics(self._settings.kafka)
        await self._producer.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._producer.stop()
        await until_visible(self._settings, self._id)

    async def publish(self, messages: Iterable[Message], *, abort: bool = False) -> None:
        await self._producer.begin_transaction()
        sends = []
        for topic, key, value in (_place(self._names, m) for m in messages):
            sends.append(await self._producer.send(topic, value, key=key))
        await asyncio.gather(*sends)
        if abort:
            await self._producer.abort_transaction()
        else:
            await self._producer.commit_transaction()


def publish(settings: Settings, *messages: Message, abort: bool = False) -> None:
    """For tests that have no loop."""

    async def run() -> None:
        async with Publisher(settings) as publisher:
            await publisher.publish(messages, abort=abort)

    asyncio.run(run())


async def values_by_partition(settings: Settings, topic: str) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = {}
    async with aclosing(read_to_end(settings.kafka, topic, through_pending=True)) as records:
        async for record in records:
            found.setdefault(record.partition, []).append(record.value)
    return found


class SinkProcess:
    """`python -m consumer sink` over an output directory."""

    def __init__(self, settings: Settings, output: Path, *arguments: str, preexec_fn=None) -> None:
        self.output = output
        given = arguments[arguments.index("--only-partitions") + 1] if "--only-partitions" in arguments else "all"
        self.layout = Layout(output, Share.parse(given))
        self.log = output.with_name(f"{output.name}.log")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("QASTREAM_")}
        environment |= {
            "KAFKA_BOOTSTRAP_SERVERS": settings.kafka.brokers,
            "QASTREAM_NAMESPACE": settings.kafka.namespace,
            "QASTREAM_PARTITIONS": str(settings.kafka.partitions),
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "consumer", "sink", "--output-dir", str(output), *arguments],
                env=environment,
                stdout=log,
                stderr=log,
                preexec_fn=preexec_fn,  # noqa: PLW1509 - the tests have no threads of their own
            )

    def status(self) -> dict:
        try:
            return orjson.loads(self.layout.sink_state.read_bytes())
        except FileNotFoundError:
            return {}

    def is_up(self) -> bool:
        return f'"sink is up","pid":{self.process.pid}' in self.log.read_text()

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def running_sink(settings: Settings, output: Path, *arguments: str, preexec_fn=None) -> Iterator[SinkProcess]:
    sink = SinkProcess(settings, output, *arguments, preexec_fn=preexec_fn)
    try:
        yield sink
    finally:
        if sink.process.poll() is None:
            sink.process.kill()
            sink.process.wait()
