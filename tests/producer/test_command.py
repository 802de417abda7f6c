"""regenerate, forget, retry on a real broker: beside a running producer, and without one."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from chaos.waiting import eventually
from configs.settings import Settings
from producer.publishing.asking import make_plan, not_taken_up, send
from schemas import FileState
from tests.conftest import MakeSettings
from tests.producer.kafka import Published, published, run_once, watching, write_all
from tests.producer.test_main import until

LARGE = 50 * 1000**3
"""Bytes, all of them holes: they take no space, and half a minute or more to be read and hashed."""
TEXTS: dict[str, str | bytes] = {"a.txt": "alpha", "sub/b.txt": "beta", "bad.bin": b"\0"}


def ask(settings: Settings, action: str, glob: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [
        *(sys.executable, "-m", "producer", action, "--match", glob, "--namespace", settings.kafka.namespace),
        *("--bootstrap-servers", settings.kafka.brokers, "--partitions", str(settings.kafka.partitions), *more),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def is_state(path: str, state: FileState, *, generation: int = 0) -> Callable[[Published], bool]:
    def condition(found: Published) -> bool:
        entry = found.newest.get(path)
        return entry is not None and (entry.state, entry.generation) == (state, generation)

    return condition


async def test_beside_a_running_producer(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    write_all(tmp_path, TEXTS)
    with watching(settings, tmp_path, "--settle-ms", "0", "--scan-interval-s", "600") as watcher:
        await until(settings, lambda found: len(found.entries) == 3)

        done = ask(settings, "regenerate", "*.txt", "--fresh")
        assert "regenerate: 2 documents, 2 chunks" in done.stdout
        assert "taken up by the running producer" in done.stdout
        found = await until(settings, is_state("a.txt", FileState.COMPLETE, generation=1))
        assert (found.newest["a.txt"].document.version, found.newest["a.txt"].sample) == (1, 1)
        await until(settings, is_state("sub/b.txt", FileState.COMPLETE, generation=1))

        done = ask(settings, "forget", "sub/*")
        assert "taken up by the running producer" in done.stdout
        found = await until(settings, is_state("sub/b.txt", FileState.FORGOTTEN, generation=1))

        done = ask(settings, "retry", "*")
        assert "retry: 1 documents" in done.stdout
        assert "left out: 1 documents that are complete" in done.stdout
        found = await until(settings, lambda now: len(now.letters) == 2 and now.newest["bad.bin"].document.version == 2)
        assert watcher.poll() is None

    again = [(chunk.text, chunk.generation, chunk.sample) for chunk in found.chunks]
    assert sorted(again) == [("alpha", 0, 0), ("alpha", 1, 1), ("beta", 0, 0), ("beta", 1, 1)]
    assert len({(chunk.chunk_id, chunk.generation) for chunk in found.chunks}) == 4
    assert len({chunk.chunk_id for chunk in found.chunks}) == 2
    later = run_once(settings, tmp_path)
    assert "0 published, 2 unchanged, 1 rejected" in later.stderr


def is_reading(process: subprocess.Popen[str], name: str) -> bool:
    return any(Path(file.path).name == name for file in psutil.Process(process.pid).open_files())


@pytest.mark.parametrize("how", [(), ("--once",)])
async def test_beside_a_producer_that_reads_a_large_file(
    make_settings: MakeSettings, tmp_path: Path, how: tuple[str, ...]
) -> None:
    settings = make_settings()
    write_all(tmp_path, {"a.txt": "alpha"})
    assert run_once(settings, tmp_path).returncode == 0
    with (tmp_path / "large.bin").open("wb") as large:
        large.truncate(LARGE)
    more = ("--settle-ms", "0", "--max-file-bytes", str(LARGE), *how)
    with watching(settings, tmp_path, *more) as watcher:
        await asyncio.to_thread(eventually, lambda: is_reading(watcher, "large.bin"))
        done = ask(settings, "forget", "a.txt", "--wait-s", "60")
        assert "taken up by the running producer" in done.stdout
        assert (await published(settings)).newest["a.txt"].state is FileState.FORGOTTEN
        await asyncio.to_thread(eventually, lambda: is_reading(watcher, "large.bin"))
        assert watcher.poll() is None


async def test_without_a_producer_the_command_does_it(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    write_all(tmp_path, TEXTS)
    assert run_once(settings, tmp_path).returncode == 3
    write_all(tmp_path, {"new.txt": "not asked for", "bad.bin": b"mended"})
    here = ("--input-dir", str(tmp_path), "--wait-s", "0.5")

    done = ask(settings, "regenerate", "a.*", *here)
    assert done.returncode == 0, done.stderr
    assert "1 documents, 1 chunks published here" in done.stdout
    done = ask(settings, "retry", "bad*", *here)
    assert "1 documents, 1 chunks published here, 0 files rejected" in done.stdout
    found = await published(settings)
    assert sorted((chunk.text, chunk.generation) for chunk in found.chunks) == [
        ("alpha", 0),
        ("alpha", 1),
        ("beta", 0),
        ("mended", 0),
    ]
    assert "new.txt" not in found.newest

    done = ask(settings, "forget", "sub/*", "--wait-s", "0.5")
    assert done.returncode == 0, done.stderr
    assert "answered: done" in done.stdout
    assert (await published(settings)).newest["sub/b.txt"].state is FileState.FORGOTTEN


async def test_what_is_asked_is_kept_for_the_next_producer(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    write_all(tmp_path, TEXTS)
    run_once(settings, tmp_path)
    plan = await make_plan(settings.kafka, "regenerate", ["*"], "", fresh=False)
    await send(settings.kafka, plan.requests)
    assert len(await not_taken_up(settings.kafka, plan.requests, 0.5)) == 2
    run_once(settings, tmp_path)
    found = await published(settings)
    assert sorted((chunk.text, chunk.generation) for chunk in found.chunks) == [
        ("alpha", 0),
        ("alpha", 1),
        ("beta", 0),
        ("beta", 1),
    ]
    assert await not_taken_up(settings.kafka, plan.requests, 60) == []

    done = ask(settings, "regenerate", "a.txt", "--wait-s", "0.5")
    assert "give --input-dir to do it at once" in done.stdout
    assert (await published(settings)).newest["a.txt"].state is FileState.PUBLISHING
    run_once(settings, tmp_path)
    assert (await published(settings)).newest["a.txt"].generation == 2


async def test_a_dry_run_changes_nothing(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    write_all(tmp_path, TEXTS)
    run_once(settings, tmp_path)
    done = ask(settings, "forget", "*", "--dry-run")
    assert "would forget: 3 documents, 2 chunks" in done.stdout
    assert ask(settings, "forget", "*", "--dry-run", "--source", "other").stdout.startswith("would forget: 0 documents")
    assert (await make_plan(settings.kafka, "forget", ["*"], "", fresh=False)).left_out.total() == 0


async def test_a_replayed_file_letter_reads_the_file_again(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    write_all(tmp_path, {"bad.bin": b"\0"})
    run_once(settings, tmp_path)
    command = [
        sys.executable,
        "-m",
        "consumer",
        "dead-letters",
        "replay",
        "--yes",
        "--namespace",
        settings.kafka.namespace,
    ]
    for _ in range(2):
        replayed = subprocess.run(
            [*command, "--bootstrap-servers", settings.kafka.brokers],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert replayed.returncode == 0, replayed.stderr
    assert "0 dead letters replayed" in replayed.stdout
    assert run_once(settings, tmp_path).returncode == 3
    found = await published(settings)
    assert [letter.document.version for letter in found.letters if letter.document] == [1, 2]


@pytest.mark.parametrize("arguments", [["regenerate"], ["forget", "--match", "*", "--fresh"]])
def test_wrong_usage(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "producer", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_namespace_that_is_not_there_is_named(make_settings: MakeSettings) -> None:
    done = ask(make_settings(), "forget", "*")
    assert done.returncode == 1
    assert "is --namespace right?" in done.stderr
