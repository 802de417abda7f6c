from pathlib import Path

import pytest

from server.broker.storage import CHECKPOINT, META, format_storage, random_uuid


class Tool:
    """Stands in for StorageTool, which is run for real by the broker's tests."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, directory: Path, cluster_id: str) -> None:
        self.runs += 1
        (directory / CHECKPOINT).write_bytes(b"features")


def test_the_tool_runs_once_for_all_directories(tmp_path: Path):
    tool = Tool()
    for name in "ab":
        format_storage(tmp_path / name, template=tmp_path / "cache" / CHECKPOINT, run_tool=tool)
    assert tool.runs == 1
    assert (tmp_path / "b" / CHECKPOINT).read_bytes() == b"features"


def test_directories_are_clusters_of_their_own(tmp_path: Path):
    for name in "ab":
        format_storage(tmp_path / name, template=tmp_path / CHECKPOINT, run_tool=Tool())
    assert (tmp_path / "a" / META).read_text() != (tmp_path / "b" / META).read_text()


def test_a_formatted_directory_is_left_as_it_is(tmp_path: Path):
    format_storage(tmp_path / "a", template=tmp_path / CHECKPOINT, run_tool=Tool())
    before = (tmp_path / "a" / META).read_text()
    format_storage(tmp_path / "a", template=tmp_path / CHECKPOINT, run_tool=Tool())
    assert (tmp_path / "a" / META).read_text() == before


def test_a_failed_tool_leaves_no_template(tmp_path: Path):
    def fail(directory: Path, cluster_id: str) -> None:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        format_storage(tmp_path / "a", template=tmp_path / CHECKPOINT, run_tool=fail)
    assert not (tmp_path / CHECKPOINT).exists()
    assert not (tmp_path / "a" / META).exists()


def test_ids_never_look_like_options():
    assert not any(random_uuid().startswith("-") for _ in range(500))
    assert len(random_uuid()) == 22
