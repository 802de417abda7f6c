"""The program on a real broker."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from configs.settings import Settings
from producer.text.splitting import Sizes, split
from schemas import FileState
from schemas.ids import chunk_id, document_id
from tests.conftest import MakeSettings
from tests.producer.kafka import Published, published, run_once, watching, write_all
from tests.producer.text.texts import paragraphs

CHINESE = "半导体是一种电导率介于导体与绝缘体之间的材料，常见的有硅和锗。\n"


async def until(settings: Settings, condition: Callable[[Published], bool], *, within_s: float = 60) -> Published:
    async def wait() -> Published:
        while not condition(found := await published(settings)):
            await asyncio.sleep(0.05)
        return found

    return await asyncio.wait_for(wait(), within_s)


async def test_publishes_what_is_there_once(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    texts = {
        "a.txt": "Alpha text.\n",
        "deep/er/b.txt": CHINESE.encode("gb18030"),
        "c.md": "# Title\n\nBody.\n",
        "e.txt": "",
    }
    write_all(tmp_path, texts)
    first = run_once(settings, tmp_path)
    assert first.returncode == 0, first.stderr
    assert "4 files: 4 published, 0 unchanged, 0 rejected, 0 not read; 3 chunks" in first.stderr
    second = run_once(settings, tmp_path)
    assert "4 files: 0 published, 4 unchanged" in second.stderr
    found = await published(settings)
    assert found.text("deep/er/b.txt") == CHINESE
    assert found.newest["deep/er/b.txt"].encoding == "gb18030"
    assert found.text("c.md") == "# Title\n\nBody.\n"
    assert (len(found.chunks), len(found.entries), found.letters) == (3, 4, [])


async def test_touched_changed_rejected_and_vanished(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    write_all(tmp_path, {"t.txt": "touched", "c.txt": "before", "v.txt": "gone soon", "r.bin": b"a\0b"})
    first = run_once(settings, tmp_path)
    assert first.returncode == 3, first.stderr
    os.utime(tmp_path / "t.txt", (1, 1))
    write_all(tmp_path, {"c.txt": "after!"})
    (tmp_path / "v.txt").unlink()
    second = run_once(settings, tmp_path)
    assert second.returncode == 3, second.stderr
    found = await published(settings)
    assert {path: (entry.state.value, entry.document.version) for path, entry in found.newest.items()} == {
        "t.txt": ("complete", 1),
        "c.txt": ("complete", 2),
        "v.txt": ("vanished", 1),
        "r.bin": ("rejected", 1),
    }
    assert len(found.entries) == 4 + 3
    assert [letter.reason for letter in found.letters] == [found.newest["r.bin"].reason]
    assert found.text("c.txt", 2) == "after!"
    assert len(found.chunks) == 4


async def test_a_kill_in_the_middle_of_a_large_file_loses_and_doubles_nothing(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    settings = make_settings()
    text = "\n\n".join(paragraphs(3, 400)) * 25
    write_all(tmp_path, {"big.txt": text})
    document = document_id(tmp_path.name, "big.txt")
    chunks = 0
    for step in ("producer.begun", "producer.sent", "producer.committed"):
        more = ("--settle-ms", "0", "--chunk-size", "400")
        with watching(settings, tmp_path, *more, failpoints=f"{step}=kill@3") as process:
            assert await asyncio.to_thread(process.wait, 60) == -signal.SIGKILL
        found = (await published(settings)).newest["big.txt"]
        assert found.state is FileState.PUBLISHING
        assert found.chunks > chunks
        chunks = found.chunks
    last = run_once(settings, tmp_path, "--chunk-size", "400")
    assert last.returncode == 0, last.stderr
    after = await published(settings)
    expected = list(split([text], Sizes(size=400)))
    assert after.ids == sorted(chunk_id(document, 1, index) for index in range(len(expected)))
    by_index = sorted(after.chunks, key=lambda chunk: chunk.index)
    assert [(chunk.start, chunk.end, chunk.text) for chunk in by_index] == [(c.start, c.end, c.text) for c in expected]
    assert after.newest["big.txt"].chunks == len(expected)


async def test_a_second_copy_takes_over_and_the_first_says_so(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    write_all(tmp_path, {"a.txt": "first"})
    with watching(settings, tmp_path, "--settle-ms", "0") as old:
        await until(settings, lambda found: len(found.chunks) == 1)
        assert run_once(settings, tmp_path).returncode == 0
        write_all(tmp_path, {"b.txt": "second"})
        _, errors = await asyncio.to_thread(old.communicate, None, 60)
        assert old.returncode == 1
        assert "another producer has taken over source" in errors
        assert "Traceback" not in errors, errors
    assert run_once(settings, tmp_path).returncode == 0
    assert sorted(chunk.text for chunk in (await published(settings)).chunks) == ["first", "second"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_watches_until_told_to_end(make_settings: MakeSettings, tmp_path: Path, number: signal.Signals) -> None:
    settings = make_settings()
    write_all(tmp_path, {"a.txt": "there before"})
    with watching(settings, tmp_path, "--settle-ms", "50", "--scan-interval-s", "3600") as process:
        await until(settings, lambda found: len(found.chunks) == 1)
        write_all(tmp_path, {"new/deep/b.txt": "came later"})
        (tmp_path / ".c.part").write_text("renamed into place")
        (tmp_path / ".c.part").rename(tmp_path / "c.txt")
        await until(settings, lambda found: len(found.chunks) >= 2)
        process.send_signal(number)
        _, errors = await asyncio.to_thread(process.communicate, None, 30)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


async def test_a_scan_finds_what_no_event_told_of(
    make_settings: MakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings()
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "true")
    monkeypatch.setenv("WATCHFILES_POLL_DELAY_MS", "3600000")
    write_all(tmp_path, {"a.txt": "there before"})
    with watching(settings, tmp_path, "--settle-ms", "0", "--scan-interval-s", "0.2"):
        await until(settings, lambda found: len(found.chunks) == 1)
        write_all(tmp_path, {f"d{n}/e/f{n}.txt": f"text {n}" for n in range(100)})
        found = await until(settings, lambda found: len(found.chunks) >= 101)
    assert len({chunk.chunk_id for chunk in found.chunks}) == len(found.chunks) == 101


async def test_a_growing_file_is_taken_when_it_stands_still(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    with watching(settings, tmp_path, "--settle-ms", "4000", "--scan-interval-s", "0.1"):
        await until(settings, lambda found: True)
        with (tmp_path / "a.txt").open("w") as file:  # it grows for less long than it has to stand still
            for number in range(40):
                file.write(f"line {number}.\n")
                file.flush()
                await asyncio.sleep(0.03)
        # Topics are read one after the other: an entry may be there before its chunks are.
        found = await until(settings, lambda found: bool(found.entries) and bool(found.chunks))
    assert found.text("a.txt") == (tmp_path / "a.txt").read_text()
    assert found.newest["a.txt"].document.version == 1


def test_a_hostile_tree_stops_nothing(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    root = tmp_path / "in"
    write_all(root, {"good.txt": "good", "line\nend.txt": "odd name"})
    Path(os.fsdecode(os.fsencode(root) + b"/\xd6\xd0.txt")).write_text("not UTF-8")
    os.mkfifo(root / "pipe")
    (root / "loop").symlink_to(root)
    (root / "out.txt").symlink_to("/etc/passwd")
    done = run_once(settings, root)
    assert done.returncode == 0, done.stderr
    assert "3 files: 3 published" in done.stderr
    for name in ("pipe", "loop", "out.txt"):
        assert done.stderr.count(f"left out: {name} is") == 1


async def test_sources_in_one_namespace_do_not_touch_each_other(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    for name in ("one", "two"):
        write_all(tmp_path / name, {"a.txt": f"text of {name}"})
        assert run_once(settings, tmp_path / name).returncode == 0
    assert "0 published, 1 unchanged" in run_once(settings, tmp_path / "one").stderr
    found = await published(settings)
    assert sorted((entry.document.source, entry.state.value) for entry in found.entries) == [
        ("one", "complete"),
        ("two", "complete"),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--input-dir", "/does/not/exist"], "--input-dir /does/not/exist"),
        ([], "--input-dir"),
        (["--encoding", "zip"], "--encoding zip"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from configs import cli
    from producer.__main__ import main

    more = ["--input-dir", str(tmp_path)] if "--encoding" in arguments else []
    with pytest.raises(SystemExit) as ended:
        cli.run(lambda: main([*arguments, *more]))
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
