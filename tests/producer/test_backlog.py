"""--max-backlog and --on-done on a real broker; the test is the worker and the sink."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import orjson
import pytest

from configs.settings import Settings
from messaging.connection import discard, make_transactional_producer
from messaging.topics import cluster_id
from output.manifest import claim
from producer.publishing.batches import MAX_CHUNKS
from schemas import Chunk, FileState, TopicNames
from tests.conftest import MakeSettings
from tests.producer.kafka import Published, published, run_once, watching, write_all
from tests.producer.test_main import until
from tests.support.chunks import until_visible


async def answer(settings: Settings, chunks: Sequence[Chunk]) -> dict[int, int]:
    """An outcome for each; the offset after the last of each partition."""
    names = TopicNames(settings.kafka.namespace)
    producer = make_transactional_producer(settings.kafka, f"{settings.kafka.namespace}.test")
    await producer.start()
    following: dict[int, int] = {}
    try:
        async with producer.transaction():
            sends = []
            for chunk in chunks:
                document = chunk.document.model_dump(mode="json")
                place = {"document": document, "chunk": {"index": chunk.index}, "generation": chunk.generation}
                value = {"status": "empty"} | place
                sends.append(await producer.send(names.results, orjson.dumps(value), document["id"].encode()))
            for sent in await asyncio.gather(*sends):
                following[sent.partition] = max(following.get(sent.partition, 0), sent.offset + 1)
    finally:
        await discard(producer)
    await until_visible(settings, f"{settings.kafka.namespace}.test")
    return following


async def test_publishing_waits_for_outcomes(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    write_all(tmp_path, {"a.txt": "word. " * 40_000})
    options = ("--settle-ms", "0", "--chunk-size", "50", "--max-backlog", "600")
    answered: set[str] = set()
    with watching(settings, tmp_path, *options) as process:
        while len(answered) < 1500:
            found = await until(settings, partial(_more_than, len(answered) + 600))
            assert found.newest["a.txt"].state is FileState.PUBLISHING
            assert len(found.chunks) <= len(answered) + 600 + MAX_CHUNKS
            await answer(settings, [chunk for chunk in found.chunks if chunk.chunk_id not in answered])
            answered |= {chunk.chunk_id for chunk in found.chunks}
        assert process.poll() is None


def _more_than(count: int, found: Published) -> bool:
    return len(found.chunks) > count


async def tell(settings: Settings, output: Path, following: dict[int, int]) -> None:
    """What the sink writes."""
    home = output / ".qastream"
    home.mkdir(parents=True, exist_ok=True)
    claim(home / "manifest.json", cluster_id=await cluster_id(settings.kafka), namespace=settings.kafka.namespace)
    (home / "sink.json").write_bytes(orjson.dumps({"next_offsets": {str(p): o for p, o in following.items()}}))


@pytest.mark.parametrize("how", ["move", "delete"])
async def test_files_go_once_all_of_them_is_on_disk(how: str, make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    root, output, away = tmp_path / "in", tmp_path / "out", tmp_path / "done"
    write_all(root, {"a.txt": "alpha", "sub/b.txt": "beta", "empty.txt": ""})
    options = ["--on-done", how, "--output-dir", str(output), "--scan-interval-s", "0.2", "--settle-ms", "0"]
    options += ["--done-dir", str(away)] if how == "move" else []
    with watching(settings, root, *options) as process:
        found = await until(settings, lambda now: len(now.chunks) == 2)
        following = await answer(settings, found.chunks)
        await tell(settings, output, {})
        await until(settings, lambda now: now.newest["empty.txt"].state.value == "vanished")
        assert (root / "a.txt").exists()
        await tell(settings, output, following)
        await until(settings, lambda now: {entry.state.value for entry in now.newest.values()} == {"vanished"})
        assert not [path for path in root.rglob("*") if path.is_file()]
        assert process.poll() is None
    moved = {str(path.relative_to(away)): path.read_text() for path in away.rglob("*") if path.is_file()}
    assert moved == ({"a.txt": "alpha", "sub/b.txt": "beta", "empty.txt": ""} if how == "move" else {})


async def test_once_ends_when_all_files_are_put_away(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    root, output = tmp_path / "in", tmp_path / "out"
    write_all(root, {"a.txt": "alpha", "bad.bin": b"\0"})
    running = asyncio.create_task(
        asyncio.to_thread(run_once, settings, root, "--on-done", "delete", "--output-dir", str(output))
    )
    found = await until(settings, lambda now: len(now.chunks) == 1)
    assert not running.done()
    await tell(settings, output, await answer(settings, found.chunks))
    done = await running
    assert done.returncode == 3, done.stderr
    assert [path.name for path in root.iterdir()] == ["bad.bin"]
    assert (await published(settings)).newest["a.txt"].state.value == "vanished"


async def test_the_output_of_another_namespace_is_refused(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    write_all(tmp_path / "in", {"a.txt": "alpha"})
    await tell(make_settings(), tmp_path / "out", {0: 9})
    done = run_once(settings, tmp_path / "in", "--on-done", "delete", "--output-dir", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "holds results of namespace" in done.stderr
    assert (tmp_path / "in/a.txt").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--on-done", "delete"], "needs --output-dir"),
        (["--on-done", "move", "--output-dir", "o"], "--done-dir"),
        (["--done-dir", "d"], "go together"),
        (["--on-done", "move", "--output-dir", "o", "--done-dir", "{root}/in/d"], "lies in --input-dir"),
        (["--on-done", "burn"], "--on-done"),
    ],
)
def test_what_would_lose_files_is_refused(
    options: list[str], words: str, make_settings: MakeSettings, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    settings = make_settings(bootstrap_servers="localhost:1")
    done = run_once(settings, tmp_path / "in", *(option.format(root=tmp_path) for option in options))
    assert done.returncode == 2
    assert words in done.stderr
