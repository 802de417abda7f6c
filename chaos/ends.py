"""Strikes the two ends: producer and sink are killed, the disk gets full, and files are torn as by a crash.

Real programs run over a real broker; no fault strikes the worker between them. Files come, change and are written
slowly all the time. At the end, every chunk of each file's newest version is on disk once, and each request to the
producer was done once. Meanwhile an onlooker reads the output directory and must never see anything partial.
"""

import asyncio
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

from chaos.room import Room, small_room
from chaos.waiting import eventually
from configs.failpoints import ENVIRONMENT
from configs.settings import Settings
from messaging.topics import ensure_topics
from output.layout import Layout
from output.segments.naming import parse_name, temp_name
from output.segments.records import iter_records
from output.share import Share
from schemas import TopicNames
from telemetry.children import ends_with_parent

ROOT = Path(__file__).resolve().parents[1]
PRODUCER_POINTS = ("producer.begun", "producer.sent", "producer.committed")
REQUEST_POINTS = ("producer.requested", "producer.granted")
SINK_POINTS = ("sink.file.whole", "sink.file.named")
KINDS = (
    *("kill producer", "kill sink", "no room", "no room, killed", "torn"),
    *(*PRODUCER_POINTS, *SINK_POINTS, *REQUEST_POINTS),
)
QUICK = ("--settle-ms", "50", "--scan-interval-s", "1")
WITHIN_S = 90.0
FEEDS = 9
SHARED = ("0", "1-2")
"""The partitions of two sinks that share three partitions."""
ASKED = "asked.txt"


@dataclass(frozen=True)
class Report:
    """The faults that took place, the looks at the output directory, and the problems that were found."""

    faults: Counter[str]
    files: int
    chunks: int
    looks: int
    seconds: float
    room: str
    problems: list[str]

    @property
    def clean(self) -> bool:
        return not self.problems

    def __str__(self) -> str:
        faults = ", ".join(f"{kind} {count}" for kind, count in sorted(self.faults.items()))
        found = "\n".join(self.problems) or "0 lost, 0 doubled, 0 partial seen"
        return (
            f"ends: {self.files} files, {self.chunks} chunks; {faults}; room taken by {self.room}; "
            f"{self.looks} looks, {self.seconds:.0f} s\n{found}"
        )


class Program:
    """One of our programs. It is started again and again, and its log goes on."""

    def __init__(self, log: Path, *arguments: object) -> None:
        self.log = log
        self._command = [sys.executable, "-m", *map(str, arguments)]
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0

    def start(self, *, die_at: str = "") -> None:
        self._began = len(self.log.read_bytes()) if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["env", f"{ENVIRONMENT}={die_at}=kill" if die_at else f"--unset={ENVIRONMENT}", *self._command],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                preexec_fn=ends_with_parent(),  # noqa: PLW1509
            )

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def said(self) -> str:
        """Its output since its last start."""
        return self.log.read_bytes()[self._began :].decode(errors="replace") if self.log.exists() else ""

    @property
    def ended(self) -> int | None:
        assert self._process
        return self._process.poll()

    def says(self, text: str) -> None:
        eventually(lambda: text in self.said or self.ended is not None, within_s=WITHIN_S, what=lambda: self.said)
        assert text in self.said, f"it ended\n{self.said}"

    def kill(self) -> None:
        assert self.ended is None, f"it ended by itself\n{self.said}"
        assert self._process
        self._process.kill()
        self._process.wait()

    def killed_itself(self) -> None:
        eventually(lambda: self.ended is not None, within_s=WITHIN_S, what=lambda: self.said)
        assert self.ended == -signal.SIGKILL, f"exit code {self.ended}\n{self.said}"

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


@dataclass
class Feed:
    """Writes the texts. Each paragraph has a number, so that no two chunks are equal."""

    folder: Path
    chance: random.Random
    texts: dict[str, list[str]] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    _number: int = 0

    def paragraph(self) -> str:
        self._number += 1
        return f"The tool T{self._number} is a stepper that exposes {self._number} wafers per hour at 193 nm."

    def more(self, *, paragraphs: int = 16) -> None:
        """Writes a new file, changes an old one, and begins one that stays half written until the next call."""
        self.finish()
        self._put(f"new-{len(self.texts)}.txt", [self.paragraph() for _ in range(paragraphs)])
        changed = self.chance.choice([name for name in self.texts if name != ASKED])
        self.texts[changed][self.chance.randrange(len(self.texts[changed]))] = self.paragraph()
        self._put(changed, self.texts[changed])
        self._begin(f"slow-{len(self.texts)}.txt", [self.paragraph() for _ in range(6)])

    def finish(self) -> None:
        for name in self.unfinished:
            (self.folder / name).write_text("\n\n".join(self.texts[name]))
        self.unfinished.clear()

    def put_asked(self) -> None:
        self._put(ASKED, [self.paragraph() for _ in range(12)])

    def _put(self, name: str, paragraphs: list[str]) -> None:
        self.texts[name] = paragraphs
        hidden = self.folder / f".{name}.tmp"
        hidden.write_text("\n\n".join(paragraphs))
        hidden.rename(self.folder / name)

    def _begin(self, name: str, paragraphs: list[str]) -> None:
        self.texts[name] = paragraphs
        (self.folder / name).write_text("\n\n".join(paragraphs)[:100])
        self.unfinished.append(name)


class Onlooker:
    """Looks at the output directory, as another process would, again and again until the context is left."""

    def __init__(self, output: Path) -> None:
        self.looks = 0
        self.problems: list[str] = []
        self._output = output
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            self.problems += [problem for problem in partial(self._output) if problem not in self.problems]
            self.looks += 1


def partial(output: Path) -> Iterator[str]:
    for path in (output / "results").glob("[!.]*"):
        if not parse_name(path.name):
            yield f"no segment: {path.name}"
        elif (data := _read(path)) is not None and not data.endswith(b"\n"):
            yield f"partial: {path.name}"
    for path in (output / "documents").rglob("*.json"):
        if (data := _read(path)) is not None and not data.endswith(b"]}\n"):
            yield f"partial: {path.name}"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # merged or replaced since it was listed
        return None


class Ends:
    """The programs and their faults. Every fault leaves the programs running."""

    def __init__(
        self, settings: Settings, directory: Path, room: Room, feed: Feed, model_url: str, shares: Sequence[str]
    ) -> None:
        """Makes one sink for each of `shares`, which hold the partitions of one sink each."""
        self.output = directory / "out"
        self._results = TopicNames(settings.kafka.namespace).results
        self.asked = 0
        self._room = room
        self._feed = feed
        self._chance = feed.chance
        self._texts = feed.folder
        self._kafka = ("--bootstrap-servers", settings.kafka.brokers, "--namespace", settings.kafka.namespace)
        watched = ("--input-dir", self._texts, "--chunk-size", 200)
        self.producer = Program(directory / "producer.log", "producer", *watched, *QUICK, *self._kafka)
        self.worker = Program(
            directory / "worker.log", "consumer", *self._kafka, "--model-urls", model_url, "--model-name", "extractive",
            "--no-cache",
        )  # fmt: skip
        sink = ("sink", "--output-dir", self.output, "--segment-ms", 50, "--segment-bytes", 100_000, *self._kafka)
        self.sinks = {
            share: Program(directory / f"sink-{share}.log", "consumer", *sink, "--only-partitions", share)
            for share in shares
        }
        self.programs = (self.producer, self.worker, *self.sinks.values())

    def strike(self, kind: str) -> None:
        match kind:
            case "kill producer":
                self._kill(self.producer)
            case "kill sink":
                self._kill(self._any_sink)
            case "no room" | "no room, killed":
                self._no_room(killed=kind != "no room")
            case "torn":
                self._tear()
            case point if point in REQUEST_POINTS:
                self._ask(point)
            case point:
                self._kill_at(self._any_sink if point in SINK_POINTS else self.producer, point)

    @property
    def _any_sink(self) -> Program:
        return self._chance.choice(list(self.sinks.values()))

    def _kill(self, program: Program) -> None:
        """Kills the program at a random moment of its start or its work."""
        self._feed.more()
        time.sleep(self._chance.random() * 1.5)
        program.kill()
        program.start()

    def _kill_at(self, program: Program, point: str) -> None:
        program.stop()
        program.start(die_at=point)
        self._feed_until(lambda: program.ended is not None)
        program.killed_itself()
        program.start()

    def _no_room(self, *, killed: bool) -> None:
        sink = self._any_sink
        sink.says("sink is up")
        self._room.take(sink.pid)
        self._feed_until(lambda: "make room" in sink.said, paragraphs=100)
        sink.says("make room")
        if killed:
            sink.kill()
        self._room.give_back(sink.pid)
        if killed:
            sink.start()

    def _feed_until(self, condition: Callable[[], bool], **more: int) -> None:
        """Writes files until the condition holds. One sink may need several files until one is for it."""
        for _ in range(FEEDS):
            self._feed.more(**more)
            with suppress(AssertionError):
                eventually(condition, within_s=WITHIN_S / FEEDS)
                return

    def _tear(self) -> None:
        """Leaves files as a crash of the machine may leave files that were not durable yet."""
        self._feed.more()
        share = self._chance.choice(list(self.sinks))
        self.sinks[share].kill()
        layout = Layout(self.output, Share.parse(share))
        whole = next(layout.results.glob("[!.]*"), None)
        torn = temp_name(self._results, min(layout.share.numbers or {0}))
        (layout.results / torn).write_bytes(whole.read_bytes()[:-7] if whole else b"{")
        (layout.temp / "torn").write_bytes(b'{"document":')
        layout.sink_state.write_bytes(b'{"records":')
        layout.index.write_bytes(layout.index.read_bytes()[: layout.index.stat().st_size // 2])
        self.sinks[share].start()

    def _ask(self, point: str) -> None:
        """Asks for `regenerate` while the producer dies before or after it takes up the request."""
        self.producer.stop()
        self.producer.start(die_at=point)
        command = [sys.executable, "-m", "producer", "regenerate", "--match", ASKED, "--wait-s", "60", *self._kafka]
        asking = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            self.producer.killed_itself()
            self.producer.start()
            said, _ = asking.communicate(timeout=WITHIN_S)
        finally:
            asking.kill()
            asking.wait()
        assert "taken up by the running producer" in said or "waits for their end" in said, said
        self.asked += 1


def run_ends(
    settings: Settings,
    directory: Path,
    model_url: str,
    *,
    seed: int,
    deck: Sequence[str] = KINDS,
    shares: Sequence[str] = ("all",),
) -> Report:
    """Runs the faults of `deck` in an order that the seed gives. Each of `shares` has the partitions of one sink."""
    asyncio.run(ensure_topics(settings.kafka))
    began, chance = time.monotonic(), random.Random(seed)
    texts = directory / "texts"
    texts.mkdir()
    feed = Feed(texts, chance)
    with small_room(directory / "out") as room, Onlooker(directory / "out") as onlooker:
        ends = Ends(settings, directory, room, feed, model_url, shares)
        done: Counter[str] = Counter()
        with _running(ends):
            feed.put_asked()
            feed.more()
            eventually(lambda: state(ends.output, ASKED)[0], within_s=WITHIN_S, what=lambda: logs(ends))
            for kind in chance.sample(deck, len(deck)):
                ends.strike(kind)
                done[kind] += 1
            feed.finish()
            eventually(
                lambda: not missing(ends, feed), within_s=WITHIN_S, what=lambda: (missing(ends, feed), logs(ends))
            )
        problems = [*onlooker.problems, *wrong(ends, feed), *unbalanced(settings, ends.output, texts)]
        chunks = sum(1 for _ in iter_records(ends.output))
        took_s = time.monotonic() - began
        return Report(done, len(feed.texts), chunks, onlooker.looks, took_s, type(room).__name__, problems)


@contextmanager
def _running(ends: Ends) -> Iterator[None]:
    try:
        for program in ends.programs:
            program.start()
        yield
    finally:
        for program in ends.programs:
            program.stop()


def logs(ends: Ends) -> str:
    return "\n".join(f"--- {program.log.name}\n{program.said[-1500:]}" for program in ends.programs)


def state(output: Path, name: str) -> tuple[str, int]:
    """Returns the hash and generation of a document on disk; an empty hash and -1 if there is none."""
    data = _read(output / "documents" / f"{name}.json")
    found = json.loads(data) if data else {}
    return found.get("sha256", ""), found.get("generation", -1)


def missing(ends: Ends, feed: Feed) -> list[str]:
    """Returns the texts whose document on disk is not up to date."""
    return [name for name in feed.texts if not _is_current(ends, feed, name)]


def _is_current(ends: Ends, feed: Feed, name: str) -> bool:
    sha256_of, generation = state(ends.output, name)
    expected = sha256((feed.folder / name).read_bytes()).hexdigest()
    return sha256_of == expected and (name != ASKED or generation >= ends.asked)


def wrong(ends: Ends, feed: Feed) -> Iterator[str]:
    """Yields doubled chunks, texts that differ from their chunks, and requests that were not done once."""
    if state(ends.output, ASKED)[1] != ends.asked:
        yield f"{ASKED} is in generation {state(ends.output, ASKED)[1]} after {ends.asked} requests"
    found: dict[tuple[str, int, int], dict[int, str]] = {}
    for record in iter_records(ends.output):
        result = json.loads(record.value)
        document = result["document"]
        chunks = found.setdefault((document["path"], document["version"], result["generation"]), {})
        if result["chunk"]["index"] in chunks:
            yield f"doubled: {document['path']} chunk {result['chunk']['index']}"
        chunks[result["chunk"]["index"]] = result["chunk"]["text"]
    for name, paragraphs in feed.texts.items():
        newest = max(key for key in found if key[0] == name)
        if "".join(text for _, text in sorted(found[newest].items())) != "\n\n".join(paragraphs):
            yield f"not the text of {name}: version {newest[1]}, generation {newest[2]}"


def unbalanced(settings: Settings, output: Path, texts: Path) -> list[str]:
    """Returns the problems that `verify` finds between ledger, topics and disk."""
    where = ("--output-dir", str(output), "--input-dir", str(texts))
    kafka = ("--bootstrap-servers", settings.kafka.brokers, "--namespace", settings.kafka.namespace)
    command = [sys.executable, "-m", "consumer", "verify", "--json", *where, *kafka]
    verified = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return [] if verified.returncode == 0 else [verified.stdout + verified.stderr]
