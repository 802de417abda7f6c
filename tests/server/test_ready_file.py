import json
from pathlib import Path

import pytest

from configs.errors import SettingsError
from server.ready_file import forget_ready_file, ready_file


def test_the_file_is_there_while_the_server_is(tmp_path: Path):
    path = tmp_path / "ready.json"
    with ready_file(path, {"base_url": "http://x", "pid": 1}):
        assert json.loads(path.read_text()) == {"base_url": "http://x", "pid": 1}
        assert list(tmp_path.iterdir()) == [path]
    assert not path.exists()


def test_what_a_killed_server_left_is_removed(tmp_path: Path):
    path = tmp_path / "new" / "ready.json"
    forget_ready_file(path)
    path.write_text("{}")
    forget_ready_file(path)
    assert not path.exists()


def test_a_folder_that_can_not_be_is_a_wrong_setting(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="--ready-file"):
        forget_ready_file(tmp_path / "file" / "ready.json")


def test_none_asks_for_no_file():
    forget_ready_file(None)
    with ready_file(None, {}):
        pass
