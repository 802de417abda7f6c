"""Measures the producer on many files, on a large file, and on files that arrive in ways that watchers miss.

    python benchmarks/producer.py [--scale 0.1] [renamed] [bursts] [small] [large] [line] [killed] [killed-line]

It starts its own Kafka broker. `renamed` and `bursts` check that every file is published once. `small`, `large` and
`line` (the large file in one line) compare the producer with a loop that only reads and splits the same files. `killed`
and `killed-line` end the producer with kill -9 in the middle of the large file, start it again, and put the file
together from the chunks that are committed in qa.chunks. All files are below a temporary directory, which is removed at
the end and takes 4 GB at full scale.
"""

import asyncio
import filecmp
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.running import run_benchmarks  # noqa: E402
from configs.settings import Settings  # noqa: E402
from messaging.messages import warn  # noqa: E402
from messaging.reading import TopicMissingError, read_to_end  # noqa: E402
from producer.files.directory import Directory  # noqa: E402
from producer.files.paths import PathFilter  # noqa: E402
from producer.publishing.ledger_topic import read_entries  # noqa: E402
from producer.text.marks import ChunkMarks  # noqa: E402
from producer.text.reading import Reading  # noqa: E402
from producer.text.splitting import Sizes  # noqa: E402
from schemas import Chunk, FileState, LedgerEntry, TopicNames, decode  # noqa: E402

MB = 1_000_000
ONLY_SPLIT = "only-split"
PATIENCE_S = 420


@dataclass(frozen=True)
class Cost:
    """The cost of a process that has ended."""

    seconds: float
    cpu_s: float
    rss_mb: float


def main() -> None:
    if sys.argv[1:2] == [ONLY_SPLIT]:
        only_split(Path(sys.argv[2]))
        return
    benchmarks = {
        "renamed": renamed,
        "bursts": bursts,
        "small": small,
        "large": large,
        "line": line,
        "killed": killed,
        "killed-line": killed_line,
    }
    run_benchmarks(benchmarks, description=__doc__, scaled="the number of files and the size of the large one")


def renamed(settings: Settings, base: Path, scale: float) -> None:
    """Files renamed into place while the watcher is suspended."""
    count = int(20_000 * scale)
    outside, root = base / "outside", base / "in"
    for path in (outside, root):
        path.mkdir()
    for number in range(count):
        (outside / f"{number}.txt").write_text(f"Text number {number}.\n")
    with watching(settings, root) as watcher:
        wait_for_first(settings, root)
        watcher.send_signal(signal.SIGSTOP)
        for number in range(count):
            (outside / f"{number}.txt").rename(root / f"{number}.txt")
        began = time.monotonic()
        watcher.send_signal(signal.SIGCONT)
        wait_for(settings, count + 1)
        seconds = time.monotonic() - began
    check_once(settings, count + 1)
    print(f"renamed: {count} files renamed in while suspended, each published once {seconds:.1f} s after it went on")


def bursts(settings: Settings, base: Path, scale: float) -> None:
    """Nested directories with files, made faster than a watcher can watch them."""
    count, each = int(500 * scale), 8
    root = base / "in"
    root.mkdir()
    with watching(settings, root) as watcher:
        wait_for_first(settings, root)
        began = time.monotonic()
        for burst in range(count):
            folder = root / f"burst-{burst}"
            for depth in range(each):
                folder = folder / f"level-{depth}"
                folder.mkdir(parents=True)
                (folder / "text.txt").write_text(f"Burst {burst}, level {depth}.\n")
        made_s = time.monotonic() - began
        wait_for(settings, count * each + 1)
        seconds = time.monotonic() - began
        assert watcher.poll() is None
    check_once(settings, count * each + 1)
    print(
        f"bursts: {count} bursts of {each} nested directories with a file each, made in {made_s:.1f} s; "
        f"all {count * each} files published once after {seconds:.1f} s"
    )


def small(settings: Settings, base: Path, scale: float) -> None:
    count = int(100_000 * scale)
    root = base / "in"
    block = text_block()
    for number in range(count):
        folder = root / str(number // 1000)
        folder.mkdir(parents=True, exist_ok=True)
        at = random.Random(number).randrange(len(block) - 2000)
        (folder / f"{number}.txt").write_bytes(b"%08d " % number + block[at : at + 1991])
    compare(settings, root, f"small: {count} files of 2 kB", count)
    check_once(settings, count)


def large(settings: Settings, base: Path, scale: float) -> None:
    in_one_file(settings, base, scale, text_block(), "large: one file")


def line(settings: Settings, base: Path, scale: float) -> None:
    in_one_file(settings, base, scale, text_block().replace(b"\n", b" "), "line: one line")


def in_one_file(settings: Settings, base: Path, scale: float, block: bytes, name: str) -> None:
    file = write_large(base, scale, block)
    compare(settings, file.parent, f"{name} of {file.stat().st_size / MB:.0f} MB", 1)
    check_whole(settings, file, base / "again.txt")


def killed(settings: Settings, base: Path, scale: float) -> None:
    interrupted(settings, base, scale, text_block(), "killed: one file")


def killed_line(settings: Settings, base: Path, scale: float) -> None:
    interrupted(settings, base, scale, text_block().replace(b"\n", b" "), "killed-line: one line")


def interrupted(settings: Settings, base: Path, scale: float, block: bytes, name: str) -> None:
    """A producer that is killed once the ledger has half of the file, and a second one that continues."""
    file = write_large(base, scale, block)
    size = file.stat().st_size
    first = Measured(command(settings, file.parent))
    while (reached := asyncio.run(under_way(settings))) is None or reached.next_byte < size / 2:
        assert first.process.poll() is None, "it was done before it could be killed"
        time.sleep(0.2)
    first.process.kill()
    before = first.cost(expected=-signal.SIGKILL)
    reached = asyncio.run(under_way(settings))
    assert reached, "the ledger has lost it"
    after = Measured([*command(settings, file.parent), "--once"]).cost()
    chunks = check_whole(settings, file, base / "again.txt")
    print(
        f"{name} of {size / MB:.0f} MB: kill -9 after {before.seconds:.1f} s, {reached.chunks} chunks, "
        f"byte {reached.next_byte}; the next producer took {after.seconds:.1f} s for the other "
        f"{chunks - reached.chunks}; "
        f"{before.rss_mb:.0f} and {after.rss_mb:.0f} MB RSS; every chunk once, their texts are the file",
        flush=True,
    )


def write_large(base: Path, scale: float, block: bytes) -> Path:
    size = int(1000 * MB * scale)
    path = base / "in" / "large.txt"
    path.parent.mkdir()
    with path.open("wb") as file:
        while file.tell() < size:
            file.write(b"Part %d. " % file.tell() + block[: size - file.tell()])
    return path


def compare(settings: Settings, root: Path, name: str, files: int) -> None:
    """Run the loop and then the producer over the same files, which were written just before."""
    size = sum(path.stat().st_size for path in root.rglob("*.txt"))
    loop = Measured([sys.executable, __file__, ONLY_SPLIT, str(root)]).cost()
    ours = Measured([*command(settings, root), "--once"]).cost()
    for what, cost in (("read and split", loop), ("producer", ours)):
        print(
            f"{name}, {what}: {cost.seconds:.1f} s, {files / cost.seconds:.0f} files/s, "
            f"{size / MB / cost.seconds:.1f} MB/s, {cost.cpu_s:.1f} s CPU, {cost.rss_mb:.0f} MB RSS",
            flush=True,
        )


def only_split(root: Path) -> None:
    """Read and split the files: the part of the work that the producer can't do without."""
    files = Directory(root, PathFilter())
    chunks = 0
    for found in files.scan().files:
        with files.open(found) as file:
            reading = Reading(files, file, found, encoding=None, stopping=lambda: False)
            chunks += sum(1 for _ in reading.splits(Sizes(size=2000), ChunkMarks()))
    assert chunks


class Measured:
    """A process whose cost is measured until it ends."""

    def __init__(self, arguments: list[str]) -> None:
        self._arguments = arguments
        self._began = time.monotonic()
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by cost()
        self.process = subprocess.Popen(arguments, cwd=ROOT, stderr=self._said)

    def cost(self, *, expected: int = 0) -> Cost:
        """Wait for the end and give the cost. Another exit code than the expected one ends this program."""
        _, status, usage = os.wait4(self.process.pid, 0)
        seconds = time.monotonic() - self._began
        self.process.returncode = os.waitstatus_to_exitcode(status)
        with self._said as said:
            if self.process.returncode != expected:
                said.seek(0)
                sys.exit(f"{self._arguments} ended with {self.process.returncode}:\n{said.read()[-2000:]}")
        return Cost(seconds, usage.ru_utime + usage.ru_stime, rss_mb(usage))


def rss_mb(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss * 1024 / MB


def command(settings: Settings, root: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "producer", "--input-dir", str(root), "--namespace", settings.kafka.namespace),
        *("--bootstrap-servers", settings.kafka.brokers),
    ]


@contextmanager
def watching(settings: Settings, root: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command(settings, root), cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_first(settings: Settings, root: Path) -> None:
    (root / "first.txt").write_text("It is up.\n")
    wait_for(settings, 1)


def wait_for(settings: Settings, count: int) -> None:
    began = time.monotonic()
    while asyncio.run(complete(settings)) < count:
        if time.monotonic() - began > PATIENCE_S:
            sys.exit(f"not all of {count} files were published in {PATIENCE_S} s")
        time.sleep(0.5)


async def complete(settings: Settings) -> int:
    """The number of documents that the ledger has as complete."""
    return sum(entry.state is FileState.COMPLETE for entry in (await newest_entries(settings)).values())


async def under_way(settings: Settings) -> LedgerEntry | None:
    """The ledger entry of the document that is not complete."""
    entries = (await newest_entries(settings)).values()
    return next((entry for entry in entries if entry.state is FileState.PUBLISHING), None)


async def newest_entries(settings: Settings) -> dict[str, LedgerEntry]:
    """The newest ledger entries by path; empty while the topic does not exist."""
    newest = {}
    try:
        async with aclosing(read_entries(settings.kafka, undecodable=warn)) as entries:
            async for entry, _ in entries:
                newest[entry.document.path] = entry
    except TopicMissingError:
        return {}
    return newest


def check_once(settings: Settings, count: int) -> None:
    """Check that every document has one version and its chunks 0, 1, 2, … once each."""
    chunks = asyncio.run(published(settings))
    documents: dict[str, list[int]] = {}
    for (path, _, index), times in chunks.items():
        assert times == 1, f"{path} chunk {index} is published {times} times"
        documents.setdefault(path, []).append(index)
    assert len(documents) == count, f"{len(documents)} files of {count} are published"
    for path, indexes in documents.items():
        assert sorted(indexes) == list(range(len(indexes))), path


async def published(settings: Settings) -> Counter[tuple[str, int, int]]:
    found: Counter[tuple[str, int, int]] = Counter()
    async with aclosing(read_to_end(settings.kafka, TopicNames(settings.kafka.namespace).chunks)) as records:
        async for record in records:
            chunk = decode(Chunk, record.value)
            found[chunk.document.path, chunk.document.version, chunk.index] += 1
    return found


def check_whole(settings: Settings, file: Path, again: Path) -> int:
    """Check that the committed chunks, each once, make the file, and give their number. The file must be ASCII."""
    indexes = asyncio.run(put_together(settings, again))
    doubled = [index for index, times in indexes.items() if times > 1]
    assert not doubled, f"{len(doubled)} chunks are there twice, {doubled[:3]} for example"
    assert sorted(indexes) == list(range(len(indexes))), "chunks are missing"
    assert filecmp.cmp(file, again, shallow=False), "the chunks are not the file"
    return len(indexes)


async def put_together(settings: Settings, into: Path) -> Counter[int]:
    """Write each chunk's text to its place, and count how often each chunk is present."""
    found: Counter[int] = Counter()
    with into.open("wb") as file:
        async with aclosing(read_to_end(settings.kafka, TopicNames(settings.kafka.namespace).chunks)) as records:
            async for record in records:
                chunk = decode(Chunk, record.value)
                assert (chunk.document.version, chunk.generation) == (1, 0)
                os.pwrite(file.fileno(), chunk.text.encode("ascii"), chunk.start)
                found[chunk.index] += 1
    return found


def text_block() -> bytes:
    """4 MB of paragraphs of invented words, the same in each run."""
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 10))) for _ in range(5000)]
    parts, length = [], 0
    while length < 4 * MB:
        sentences = (" ".join(chance.choices(words, k=12)).capitalize() + ". " for _ in range(chance.randint(2, 8)))
        parts.append("".join(sentences).rstrip() + "\n\n")
        length += len(parts[-1])
    return "".join(parts).encode()


if __name__ == "__main__":
    main()
