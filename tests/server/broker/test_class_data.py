"""With the machine's Java and no jars: the JVM's own classes make an archive too."""

import fcntl
from pathlib import Path

import pytest

from server.broker.class_data import ClassData
from server.broker.java import find_java


@pytest.fixture
def class_data(tmp_path: Path) -> ClassData:
    (tmp_path / "cache").mkdir()
    (tmp_path / "work").mkdir()
    return ClassData(find_java(), [], cache=tmp_path / "cache", work=tmp_path / "work")


def loaded(class_data: ClassData) -> None:
    (class_data._work / "classes.lst").write_text("java/lang/Object\njava/lang/String\n")


def test_the_first_start_lists_classes_and_later_ones_use_the_archive(class_data: ClassData):
    assert class_data.options() == ["-XX:DumpLoadedClassList=classes.lst"]
    loaded(class_data)
    class_data.make()
    class_data._making.wait()
    class_data.finish()
    assert class_data.options() == [f"-XX:SharedArchiveFile={class_data.archive}"]
    assert list(class_data._work.iterdir()) == []


def test_an_unfinished_archive_is_given_up(class_data: ClassData):
    loaded(class_data)
    class_data.make()
    class_data._making.kill()
    class_data.finish()
    assert not class_data.archive.exists()
    assert list(class_data._work.iterdir()) == []


def test_only_one_makes_it(class_data: ClassData):
    loaded(class_data)
    with (class_data._cache / ".classes.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        class_data.make()
    assert class_data._making is None


def test_nothing_is_made_without_a_list(class_data: ClassData):
    class_data.make()
    assert class_data._making is None
