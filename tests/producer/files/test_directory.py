import os
import socket
from pathlib import Path

import pytest

from configs.errors import SettingsError
from producer.errors import ChangedError
from producer.files.directory import Directory
from producer.files.paths import PathFilter
from schemas.paths import unescape


def directory(root: Path) -> Directory:
    return Directory(root, PathFilter())


def write(path: Path, text: str = "text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_finds_files_at_any_depth_sorted(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z/c.txt", "a/b.txt", ".hidden/x.txt", "x.tmp"):
        write(tmp_path / name)
    listing = directory(tmp_path).scan()
    assert [found.path for found in listing.files] == ["a/b.txt", "a/z/c.txt", "b.txt"]
    assert not listing.problems
    assert not listing.skipped


def test_ten_thousand_directories(tmp_path: Path) -> None:
    """Wide, and as deep as paths may be."""
    for number in range(10_000):
        (tmp_path / f"{number % 100}" / f"{number}").mkdir(parents=True)
        (tmp_path / f"{number % 100}" / f"{number}" / "a.txt").touch()
    deep = "/".join(["d"] * 500)
    write(tmp_path / deep / "a.txt")
    listing = directory(tmp_path).scan()
    assert len(listing.files) == 10_001
    assert not listing.problems
    (found,) = (found for found in listing.files if found.path.startswith("d/"))
    with directory(tmp_path).open(found) as file:
        assert file.read(100) == b"text"


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("x")])
def test_an_input_that_is_no_directory_is_a_mistake_of_the_user(tmp_path: Path, make) -> None:
    make(tmp_path / "in")
    with pytest.raises(SettingsError, match="--input-dir"):
        directory(tmp_path / "in")


def test_links_are_followed_to_files_of_the_tree_only(tmp_path: Path) -> None:
    root = tmp_path / "in"
    write(tmp_path / "secret.txt")
    write(root / "..data" / "real.txt", "by link")
    write(root / "sub" / "own.txt")
    (root / "good.txt").symlink_to("..data/real.txt")
    (root / "out.txt").symlink_to(tmp_path / "secret.txt")
    (root / "loop").symlink_to(root)
    (root / "self.txt").symlink_to("self.txt")
    (root / "broken.txt").symlink_to("nowhere")
    listing = directory(root).scan()
    assert [found.path for found in listing.files] == ["good.txt", "sub/own.txt"]
    with directory(root).open(listing.files[0]) as file:
        assert file.read(100) == b"by link"
    assert set(listing.skipped) == {"out.txt", "loop", "self.txt", "broken.txt"}
    assert "out of the watched directory" in listing.skipped["out.txt"]


def test_pipes_and_sockets_are_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.txt"))
        listing = directory(tmp_path).scan()
    assert listing.files == []
    assert listing.skipped == {"pipe.txt": "a named pipe", "socket.txt": "a socket"}


def test_strange_names_have_one_readable_path_each(tmp_path: Path) -> None:
    for raw in (b"line\nend.txt", b"\xd6\xd0.txt", b"back\\slash.txt", "中文.txt".encode()):
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + raw))).write_bytes(raw)
    listing = directory(tmp_path).scan()
    assert {found.path for found in listing.files} == {
        "line\\x0aend.txt",
        "\\xd6\\xd0.txt",
        "back\\\\slash.txt",
        "中文.txt",
    }
    for found in listing.files:
        with directory(tmp_path).open(found) as file:
            assert file.read(100) == os.fsencode(unescape(found.path))


def test_a_directory_swapped_for_a_link_is_not_entered(tmp_path: Path) -> None:
    root = tmp_path / "in"
    write(root / "sub" / "a.txt")
    write(tmp_path / "elsewhere" / "a.txt")
    watched = directory(root)
    found = watched.scan().files[0]
    (root / "sub").rename(root / "moved")
    (root / "sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises((ChangedError, OSError)):
        watched.open(found)


def test_a_file_that_changed_or_went_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt")
    watched = directory(tmp_path)
    found = watched.scan().files[0]
    with watched.open(found) as file:
        path.write_text("longer text")
        with pytest.raises(ChangedError):
            watched.check_unchanged(file, found)
    with pytest.raises(ChangedError):
        watched.open(found)
    path.unlink()
    with pytest.raises(ChangedError, match="gone"):
        watched.open(found)


def test_gone(tmp_path: Path) -> None:
    write(tmp_path / "sub" / "a.txt")
    watched = directory(tmp_path)
    assert not watched.gone("sub/a.txt")
    assert watched.gone("sub/b.txt")
    assert watched.gone("sub/a.txt/x")
