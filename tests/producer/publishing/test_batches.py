"""Batches over a real directory and a ledger in memory: all that a file's way can be, without a broker."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.entries import Ledger
from ledger.needs import Rules
from ledger.transitions import vanish
from producer.files.directory import Directory
from producer.files.paths import PathFilter
from producer.files.source import Found, Source
from producer.publishing.batches import Batch, Batches, of_entries
from producer.publishing.publication import LETTER_BYTES, Publication
from producer.text.splitting import Sizes, splitter_hash
from schemas import Chunk, DeadLetter, FileState, LedgerEntry, TopicNames, decode
from schemas.ids import content_key
from tests.producer.text.texts import paragraphs

NAMES = TopicNames("t")


class Bench:
    """A watched directory, and Kafka as lists."""

    def __init__(self, root: Path, *, files: Source | None = None, **rules: object) -> None:
        self.root = root
        self.files: Source = files or Directory(root, PathFilter())
        self.ledger = Ledger("src")
        self.chunks: list[Chunk] = []
        self.letters: list[DeadLetter] = []
        self.entries: list[LedgerEntry] = []
        self.use(**rules)

    def use(self, *, size: int = 200, limit: int = 10**9, stopping: Callable[[], bool] = lambda: False) -> None:
        sizes = Sizes(size=size)
        self.publication = Publication(
            files=self.files,
            source="src",
            rules=Rules(splitter_hash(sizes, encoding=None), limit),
            sizes=sizes,
            encoding=None,
            stopping=stopping,
        )

    def found(self) -> list[Found]:
        return [f for f in self.publication.files.scan().files if not self.ledger.done(f, self.publication.rules)]

    def batches(self, max_chunks: int = 10**6, files: list[Found] | None = None):
        made = Batches(self.publication, self.ledger, NAMES, max_chunks=max_chunks, clock=lambda: 0.0)
        return made.of(self.found() if files is None else files)

    def commit(self, batch: Batch) -> None:
        for topic, key, value, _ in batch.records:
            if topic == NAMES.chunks:
                self.chunks.append(decode(Chunk, value))
                assert key.decode() == self.chunks[-1].content_key
            elif topic == NAMES.files:
                self.entries.append(decode(LedgerEntry, value))
                assert key.decode() == self.entries[-1].document.id
            else:
                self.letters.append(decode(DeadLetter, value))
        for entry, value in batch.entries.values():
            self.ledger.put(entry, value)

    def run(self, max_chunks: int = 10**6) -> list[Batch]:
        done = []
        for batch in self.batches(max_chunks):
            self.commit(batch)
            done.append(batch)
        return done

    def entry(self, path: str = "a.txt") -> LedgerEntry:
        found = self.ledger.entry(path)
        assert found
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


LONG = "\n\n".join(paragraphs(7, 60))


def write(bench: Bench, data: str | bytes, name: str = "a.txt") -> Path:
    path = bench.root / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_a_new_file_is_published_whole(bench: Bench) -> None:
    write(bench, LONG)
    bench.run()
    entry = bench.entry()
    assert "".join(chunk.text for chunk in bench.chunks) == LONG
    assert [chunk.index for chunk in bench.chunks] == list(range(entry.chunks))
    assert entry.state is FileState.COMPLETE
    assert entry.complete
    assert (entry.complete.version, entry.complete.chunks, entry.complete.characters) == (1, entry.chunks, len(LONG))
    assert entry.encoding == "utf-8"
    assert all(chunk.content_key == content_key(chunk.text, chunk.headings) for chunk in bench.chunks)


def test_nothing_is_done_twice(bench: Bench) -> None:
    write(bench, LONG)
    bench.run()
    assert [batch.records for batch in bench.run()] == [[]]


@pytest.mark.parametrize("max_chunks", [1, 3, 10])
def test_a_large_file_is_published_in_slices(bench: Bench, max_chunks: int) -> None:
    write(bench, LONG)
    batches = bench.run(max_chunks)
    assert len(batches) > 3
    assert all(batch.chunks <= max_chunks for batch in batches)
    assert "".join(chunk.text for chunk in bench.chunks) == LONG
    assert [entry.state for entry in bench.entries[:-1]] == [FileState.PUBLISHING] * (len(bench.entries) - 1)
    assert bench.entry().state is FileState.COMPLETE


def test_a_restart_in_the_middle_publishes_the_rest(bench: Bench, tmp_path: Path) -> None:
    write(bench, LONG)
    for done in range(1, 6):
        again = Bench(tmp_path)
        for batch, _ in zip(again.batches(4), range(done), strict=False):
            again.commit(batch)
        assert again.entry().state is FileState.PUBLISHING
        assert again.entry().chunks == len(again.chunks) == 4 * done
        again.run(4)
        assert "".join(chunk.text for chunk in again.chunks) == LONG
        assert len({chunk.chunk_id for chunk in again.chunks}) == again.entry().chunks == len(again.chunks)


def test_a_touched_file_costs_one_ledger_record(bench: Bench) -> None:
    path = write(bench, LONG)
    bench.run()
    before = len(bench.chunks)
    os.utime(path, (1, 1))
    (batch,) = bench.run()
    assert len(batch.records) == 1
    assert len(bench.chunks) == before
    assert bench.entry().document.version == 1
    assert bench.entry().mtime_ns == 10**9


def test_a_changed_file_is_the_next_version_and_keeps_the_complete_one_meanwhile(bench: Bench) -> None:
    write(bench, LONG)
    bench.run()
    first = bench.entry().complete
    write(bench, LONG + "\n\nMore.")
    batches = bench.batches(5)
    bench.commit(next(batches))
    assert (bench.entry().document.version, bench.entry().complete) == (2, first)
    for batch in batches:
        bench.commit(batch)
    assert bench.entry().complete
    assert bench.entry().complete.version == 2
    assert {chunk.document.version for chunk in bench.chunks} == {1, 2}


def test_changed_back_is_a_version_too(bench: Bench) -> None:
    for text in ("A text.", "B text!", "A text."):
        os.utime(write(bench, text), ns=(0, len(bench.entries)))
        bench.run()
    assert [entry.document.version for entry in bench.entries] == [1, 2, 3]


def test_changed_splitter_settings_are_the_next_version(bench: Bench) -> None:
    write(bench, LONG)
    bench.run()
    bench.use(size=500)
    bench.run()
    assert bench.entry().document.version == 2


def test_a_file_that_changes_while_it_is_read_is_not_published(bench: Bench) -> None:
    path = write(bench, "short text")
    files = bench.found()
    path.write_text("a longer text")
    (batch,) = bench.batches(files=files)
    assert batch.records == []
    assert list(batch.changed) == ["a.txt"]
    bench.run()
    assert bench.chunks[0].document.version == 1


def test_a_file_that_changes_in_mid_publication_is_abandoned_and_published_anew(bench: Bench) -> None:
    text = LONG * 60
    path = write(bench, text)
    batches = bench.batches(5)
    bench.commit(next(batches))
    path.write_text(text + "More.")
    for batch in batches:
        bench.commit(batch)
    assert bench.entry().state is FileState.ABANDONED
    bench.run()
    assert bench.entry().state is FileState.COMPLETE
    assert "".join(chunk.text for chunk in bench.chunks if chunk.document.version == 2) == text + "More."


def test_a_change_between_runs_abandons_first(bench: Bench) -> None:
    path = write(bench, LONG)
    bench.commit(next(bench.batches(5)))
    path.write_text("All different now.")
    bench.run()
    assert [entry.state for entry in bench.entries[-2:]] == [FileState.ABANDONED, FileState.COMPLETE]
    assert [entry.document.version for entry in bench.entries[-2:]] == [1, 2]


def test_what_was_published_must_still_be_there_on_resuming(bench: Bench) -> None:
    path = write(bench, LONG)
    bench.commit(next(bench.batches(5)))
    status = path.stat()
    path.write_bytes(LONG.encode()[::-1].decode("latin-1").encode("utf-8")[: status.st_size].replace(b" ", b"\n"))
    path.write_bytes(b"z" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    bench.run()
    assert bench.entry().state is FileState.ABANDONED


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"abc\0", "binary", "byte 3"),
        ("é".encode("latin-1") + b" x", "undecodable", "byte 0"),
        (b"x" * 99, "too_large", "99 bytes"),
    ],
)
def test_a_bad_file_is_rejected_once_with_its_letter(tmp_path: Path, data: bytes, kind: str, words: str) -> None:
    bench = Bench(tmp_path, limit=50)
    write(bench, data)
    (batch,) = bench.run()
    assert len(batch.records) == 2
    (letter,) = bench.letters
    assert (letter.kind, letter.error_class, letter.document) == ("file", kind, bench.entry().document)
    assert words in letter.reason
    assert bench.entry().state is FileState.REJECTED
    assert bench.entry().reason == letter.reason
    assert [again.records for again in bench.run()] == [[]]


def test_a_touched_bad_file_makes_no_other_letter_and_a_mended_one_is_published(bench: Bench) -> None:
    path = write(bench, b"abc\0")
    bench.run()
    os.utime(path, (1, 1))
    bench.run()
    assert len(bench.letters) == 1
    assert bench.entry().state is FileState.REJECTED
    write(bench, "mended")
    bench.run()
    assert (bench.entry().state, bench.entry().document.version) == (FileState.COMPLETE, 2)
    assert bench.entry().reason is None


def test_a_bad_byte_far_into_a_file_takes_back_what_is_not_committed(bench: Bench) -> None:
    write(bench, (LONG * 60).encode() + b"\xff\xff")
    batches = bench.run(200)
    assert bench.entry().state is FileState.REJECTED
    assert bench.entry().chunks == len(bench.chunks)
    assert len(bench.chunks) % 200 == 0
    assert len(bench.chunks) > 0
    assert batches[-1].chunks == 0
    assert len(bench.letters) == 1
    assert len(bench.letters[0].original.base64) == -(-LETTER_BYTES // 3) * 4


def test_raising_the_limit_takes_a_file_that_was_too_large(tmp_path: Path) -> None:
    bench = Bench(tmp_path, limit=50)
    write(bench, "word " * 20)
    bench.run()
    bench.use(limit=500)
    bench.run()
    assert bench.entry().state is FileState.COMPLETE


@pytest.mark.parametrize("text", ["", " \n\n\t"])
def test_an_empty_file_is_complete_without_chunks(bench: Bench, text: str) -> None:
    write(bench, text)
    bench.run()
    assert (bench.entry().state, bench.entry().chunks, bench.chunks) == (FileState.COMPLETE, 0, [])


def test_an_unreadable_file_is_named_and_the_others_go_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    write(bench, "fine", "b.txt")
    write(bench, "secret", "a.txt")
    opened = Directory.open

    def refuse(files: Directory, found: Found):
        if found.path == "a.txt":
            raise PermissionError(13, "Permission denied")
        return opened(files, found)

    monkeypatch.setattr(Directory, "open", refuse)
    (batch,) = bench.run()
    assert batch.unreadable == {"a.txt": "Permission denied"}
    assert [chunk.text for chunk in bench.chunks] == ["fine"]


def test_many_small_files_share_a_batch(bench: Bench) -> None:
    for number in range(50):
        write(bench, f"text {number}", f"{number:02}.txt")
    (batch,) = bench.run()
    assert (batch.chunks, len(batch.records)) == (50, 100)


def test_a_stopping_process_reads_no_further(bench: Bench) -> None:
    write(bench, LONG * 60)
    bench.use(stopping=lambda: True)
    (batch,) = bench.run()
    assert batch.records == []


def test_a_vanished_file_that_comes_back_costs_one_record_each(bench: Bench) -> None:
    path = write(bench, LONG)
    bench.run()
    path.unlink()
    for batch in of_entries([vanish(bench.entry())], NAMES):
        bench.commit(batch)
    write(bench, LONG)
    (batch,) = bench.run()
    assert (len(batch.records), bench.entry().state, bench.entry().document.version) == (1, FileState.COMPLETE, 1)
