"""What the producer does with many files, with a large one, and with files that come in ways that watchers miss.

    python benchmarks/producer.py [--scale 0.1] [renamed] [bursts] [small] [large] [line]

Starts a Kafka broker of its own. `renamed` and `bursts` check that every file is published once; `small`, `large` and
`line` (all of the large file in one line) compare with a loop that only reads and splits the same files. All of it is
below a temporary directory, removed at the end; at full scale that takes 4 GB.
"""

import argparse
import asyncio
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from configs.settings import Settings, load_settings  # noqa: E402
from messaging.reading import read_to_end  # noqa: E402
from producer.ledger import read_entries  # noqa: E402
from producer.marks import Marks  # noqa: E402
from producer.paths import Wanted  # noqa: E402
from producer.reading import Reading  # noqa: E402
from producer.splitting import Sizes  # noqa: E402
from producer.tree import Tree  # noqa: E402
from schemas import Chunk, FileState, TopicNames, decode  # noqa: E402
from server.broker import Broker  # noqa: E402

MB = 1_000_000
PATIENCE_S = 420


@dataclass(frozen=True)
class Cost:
    """Of a process that has ended."""

    seconds: float
    cpu_s: float
    rss_mb: float


def main() -> None:
    benchmarks: dict[str, Callable[[Settings, Path, float], None]] = {
        "renamed": renamed,
        "bursts": bursts,
        "small": small,
        "large": large,
        "line": line,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*benchmarks, []], help="default: all")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of files and the size of the large one")
    parser.add_argument("--only-split", metavar="DIR", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only_split:
        only_split(Path(args.only_split))
        return
    for name in args.names or benchmarks:
        with tempfile.TemporaryDirectory(prefix="qastream-bench-") as folder:
            base = Path(folder)
            with Broker(data_dir=base / "broker") as broker:
                settings = load_settings({"bootstrap_servers": broker.bootstrap_servers, "namespace": "bench"})
                benchmarks[name](settings, base, args.scale)


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
    """Nested directories made with files in them at once, faster than a watcher can watch them."""
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
    size = int(1000 * MB * scale)
    root = base / "in"
    root.mkdir()
    with (root / "large.txt").open("wb") as file:
        while file.tell() < size:
            file.write(b"Part %d. " % file.tell() + block[: size - file.tell()])
    compare(settings, root, f"{name} of {size / MB:.0f} MB", 1)


def compare(settings: Settings, root: Path, name: str, files: int) -> None:
    """The loop and then the producer, over the same files, which were written just before."""
    size = sum(path.stat().st_size for path in root.rglob("*.txt"))
    loop = cost_of([sys.executable, __file__, "--only-split", str(root)])
    ours = cost_of([*command(settings, root), "--once"])
    for what, cost in (("read and split", loop), ("producer", ours)):
        print(
            f"{name}, {what}: {cost.seconds:.1f} s, {files / cost.seconds:.0f} files/s, "
            f"{size / MB / cost.seconds:.1f} MB/s, {cost.cpu_s:.1f} s CPU, {cost.rss_mb:.0f} MB RSS",
            flush=True,
        )


def only_split(root: Path) -> None:
    """What the producer can't do without."""
    tree = Tree(root, Wanted())
    chunks = 0
    for found in tree.scan().files:
        with tree.open(found) as file:
            reading = Reading(file, found, encoding=None, stopping=lambda: False)
            chunks += sum(1 for _ in reading.splits(Sizes(size=2000), Marks()))
    assert chunks


def cost_of(arguments: list[str]) -> Cost:
    began = time.monotonic()
    process = subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{arguments} ended with {process.returncode}:\n{said[-2000:]}")
    return Cost(time.monotonic() - began, usage.ru_utime + usage.ru_stime, rss_mb(usage))


def rss_mb(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss * 1024 / MB


def command(settings: Settings, root: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "producer", "--input-dir", str(root), "--namespace", settings.namespace),
        *("--bootstrap-servers", settings.brokers),
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
    """Documents that are complete by the ledger; none while the topic is not there."""
    newest = {}
    try:
        async with aclosing(read_entries(settings)) as entries:
            async for entry, _ in entries:
                newest[entry.document.path] = entry.state
    except Exception as exc:
        if "does not exist" not in str(exc):
            raise
    return sum(state is FileState.COMPLETE for state in newest.values())


def check_once(settings: Settings, count: int) -> None:
    """Every document in one version, its chunks 0, 1, 2, … once each."""
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
    async with aclosing(read_to_end(settings, TopicNames(settings.namespace).chunks)) as records:
        async for record in records:
            chunk = decode(Chunk, record.value)
            found[chunk.document.path, chunk.document.version, chunk.index] += 1
    return found


def text_block() -> bytes:
    """4 MB of paragraphs of made-up words, the same each time."""
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
