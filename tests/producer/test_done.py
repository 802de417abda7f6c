import errno
from pathlib import Path

import orjson
import pytest

from ledger.account import Account
from ledger.entries import Ledger
from ledger.outcome import ResultPosition
from output.errors import OutputMismatchError
from output.manifest import Manifest, write_manifest
from producer.done import Done
from producer.files import directory
from producer.files.source import Found
from producer.publishing.on_disk import OnDisk
from schemas import FileState
from schemas.messages import now
from tests.ledger.make import outcome
from tests.producer.publishing.test_batches import Bench, write

OWNER = {"cluster_id": "c", "namespace": "n"}


class Put(Bench):
    """A directory that is published, its results, and a sink's account of them."""

    def __init__(self, root: Path, how: str) -> None:
        self.base = root
        (root / "in").mkdir()
        super().__init__(root / "in")
        self.account = Account("src")
        self.on_disk = OnDisk(root / "out", cluster_id="c", namespace="n")
        folder = root / "done" if how == "move" else None
        self.done = Done(how, files=self.publication.files, folder=folder, account=self.account, on_disk=self.on_disk)

    def publish(self) -> None:
        self.run()
        for path in self.paths():
            self.account.take_entry(self.entry(path))

    def paths(self) -> list[str]:
        return [found.path for found in self.publication.files.scan().files]

    def answer(self, path: str, *, offset: int) -> None:
        entry = self.entry(path)
        for index in range(entry.chunks):
            position = ResultPosition(2, offset + index)
            self.account.take_outcome(outcome(path, index=index, version=entry.document.version), position)

    def sink(self, following: object, owner: dict[str, str] = OWNER) -> None:
        home = self.base / "out" / ".qastream"
        home.mkdir(parents=True, exist_ok=True)
        write_manifest(home / "manifest.json", Manifest(**owner, created_at=now()))
        (home / "sink.json").write_bytes(orjson.dumps({"next_offsets": following}))

    def look(self, known: Ledger | None = None) -> dict[str, str]:
        return self.put_away(self.publication.files.scan().files, known)

    def put_away(self, files: list[Found], known: Ledger | None = None) -> dict[str, str]:
        known, rules = known or self.ledger, self.publication.rules
        return self.done.act(self.done.look(files, known, rules), known, rules)


@pytest.fixture(params=["move", "delete"])
def put(request: pytest.FixtureRequest, tmp_path: Path) -> Put:
    made = Put(tmp_path, request.param)
    write(made, "one", "a.txt")
    made.publish()
    return made


def gone(put: Put) -> bool:
    put.look()
    return not put.paths()


def test_a_file_goes_when_its_last_outcome_is_on_disk_and_not_before(put: Put) -> None:
    assert not gone(put)
    put.sink({"2": 99})
    assert not gone(put)  # not answered
    put.answer("a.txt", offset=99)
    assert not gone(put)  # not on disk
    put.sink({"2": 100})
    assert gone(put)
    assert put.done.waiting == 0


@pytest.mark.parametrize("following", [{}, [], {"1": 500}, {"2": "many"}, None])
def test_what_the_sink_does_not_say_is_not_so(put: Put, following: object) -> None:
    put.answer("a.txt", offset=3)
    put.sink(following)
    assert not gone(put)
    assert put.done.waiting == 1


def test_sinks_that_share_the_partitions_have_an_account_each(put: Put) -> None:
    """What one of them, or one of all before, knows to be on disk is on disk."""
    put.sink({"2": 3, "0": 9})
    put.answer("a.txt", offset=99)
    for share, following in (("0-1", {"0": 500}), ("2", {"2": 99})):
        own = put.base / "out/.qastream" / f"partitions-{share}"
        own.mkdir()
        (own / "sink.json").write_bytes(orjson.dumps({"next_offsets": following}))
    assert not gone(put)
    (own / "sink.json").write_bytes(orjson.dumps({"next_offsets": {"2": 100}}))
    assert gone(put)


def test_without_a_manifest_nothing_is_on_disk(put: Put) -> None:
    put.answer("a.txt", offset=3)
    put.sink({"2": 100})
    (put.base / "out/.qastream/manifest.json").unlink()
    assert not gone(put)


@pytest.mark.parametrize("name", OWNER)
def test_the_results_of_others_count_for_nothing(put: Put, name: str) -> None:
    put.answer("a.txt", offset=3)
    put.sink({"2": 100}, OWNER | {name: "other"})
    with pytest.raises(OutputMismatchError, match="other"):
        put.look()
    assert put.paths() == ["a.txt"]


def test_a_file_that_has_changed_stays(put: Put) -> None:
    put.answer("a.txt", offset=3)
    put.sink({"2": 100})
    files = put.publication.files.scan().files
    write(put, "changed", "a.txt")
    put.put_away(files)
    assert put.paths() == ["a.txt"]
    assert not gone(put)
    put.publish()
    put.answer("a.txt", offset=100)
    assert not gone(put)
    put.sink({"2": 101})
    assert gone(put)


def test_a_rejected_file_stays(put: Put) -> None:
    write(put, b"\0", "b.txt")
    put.publish()
    put.answer("a.txt", offset=3)
    put.sink({"2": 100})
    put.look()
    assert put.entry("b.txt").state is FileState.REJECTED
    assert put.paths() == ["b.txt"]


def test_links_stay(put: Put) -> None:
    (put.root / "link.txt").symlink_to("a.txt")
    put.publish()
    for number, path in enumerate(put.paths()):
        put.answer(path, offset=number)
    put.sink({"2": 100})
    put.look()
    assert [path.name for path in put.root.iterdir()] == ["link.txt"]


def moving(tmp_path: Path) -> Put:
    put = Put(tmp_path, "move")
    (put.root / "sub").mkdir()
    put.sink({"2": 10**6})
    return put


def drop(put: Put, text: str, offset: int) -> None:
    write(put, text, "sub/a.txt")
    put.publish()
    put.answer("sub/a.txt", offset=offset)
    assert gone(put)


def test_moved_files_keep_their_paths_and_none_replaces_another(tmp_path: Path) -> None:
    put = moving(tmp_path)
    for number, text in enumerate(("first", "second", "third")):
        drop(put, text, offset=number)
    moved = {path.name: path.read_text() for path in (tmp_path / "done/sub").iterdir()}
    assert moved == {"a.txt": "first", "a.v2.txt": "second", "a.v3.txt": "third"}


def test_to_another_file_system_it_is_copied_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put = moving(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(directory.os, "rename", refuse)
    drop(put, "text", offset=0)
    assert [path.name for path in (tmp_path / "done/sub").iterdir()] == ["a.txt"]
    assert (tmp_path / "done/sub/a.txt").read_text() == "text"


def test_a_file_that_cannot_go_is_named_and_stays(tmp_path: Path) -> None:
    put = moving(tmp_path)
    (tmp_path / "done").write_text("in the way")
    write(put, "text", "sub/a.txt")
    put.publish()
    put.answer("sub/a.txt", offset=0)
    problems = put.look()
    assert "could not be moved" in problems["sub/a.txt"]
    assert put.paths() == ["sub/a.txt"]
