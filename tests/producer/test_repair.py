"""A ledger record that can't be read keeps its own document from being published, until `repair` mends it."""

import subprocess
import sys
from pathlib import Path

import pytest

from configs.settings import Settings
from messaging.connection import make_transactional_producer
from producer.repair import Damage, repair, survey
from schemas import FileState, TopicNames, encode
from schemas.ids import document_id
from tests.conftest import MakeSettings
from tests.producer.kafka import run_once, write_all
from tests.support.outcomes import make_chunk_of, make_document, make_entry, make_result

FOREIGN = b'{"generation": "0"}'


async def write(settings: Settings, *keys: str) -> None:
    """Puts records that are no entries on qa.files."""
    producer = make_transactional_producer(settings.kafka, f"{settings.kafka.namespace}.tests")
    await producer.start()
    async with producer.transaction():
        for key in keys:
            await (await producer.send(TopicNames(settings.kafka.namespace).files, FOREIGN, key=key.encode()))
    await producer.stop()


def run_repair(settings: Settings, *more: str) -> subprocess.CompletedProcess[str]:
    command = [
        *(sys.executable, "-m", "producer", "repair", "--namespace", settings.kafka.namespace),
        *("--bootstrap-servers", settings.kafka.brokers, *more),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


async def test_a_record_that_is_no_entry_costs_its_own_document_and_can_be_mended(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    settings = make_settings(source="texts")
    write_all(tmp_path, {"a.txt": "alpha", "b.txt": "beta"})
    assert run_once(settings, tmp_path, "--source", "texts").returncode == 0
    await write(settings, "foreign", document_id("texts", "a.txt"), document_id("texts", "c.txt"))
    write_all(tmp_path, {"a.txt": "alpha, changed", "b.txt": "beta, changed", "c.txt": "gamma"})

    done = run_once(settings, tmp_path, "--source", "texts")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for path in ("a.txt", "c.txt"):
        assert f"not published: {path}: its ledger entry, {TopicNames(settings.kafka.namespace).files}" in done.stderr
    assert len(await survey(settings.kafka)) == 3

    done = run_repair(settings)
    assert (done.returncode, done.stdout.count("its entry before"), done.stdout.count("tombstone")) == (0, 1, 2)
    assert "Nothing is changed" in done.stdout
    assert len(await survey(settings.kafka)) == 3
    done = run_repair(settings, "--apply")
    assert done.returncode == 0, done.stderr
    assert await repair(settings.kafka, apply=True) == []

    done = run_once(settings, tmp_path, "--source", "texts")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("published_chunks", [0, 1, 2])
def test_the_entry_before_counts_if_it_has_all_published_chunks(published_chunks: int) -> None:
    document = make_document("a.md")
    damage = Damage(record=None, why="", before=make_entry(document, 1))  # type: ignore[arg-type]
    if published_chunks:
        damage.last = make_chunk_of(make_result(document, published_chunks - 1))
    mended = damage.mended()
    if published_chunks < 2:
        assert mended == damage.before
    else:
        assert mended is not None
        assert (mended.state, mended.chunks, mended.document.version) == (FileState.ABANDONED, 2, 1)
        assert encode(mended)
    damage.before = None
    assert (damage.mended() is None) == (published_chunks == 0)
