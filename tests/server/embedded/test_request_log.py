import json
from pathlib import Path

import pytest

from configs.errors import SettingsError
from server.embedded.request_log import RequestLog, request_key


def test_one_line_for_each_request_after_those_of_before(tmp_path: Path):
    for _ in range(2):
        log = RequestLog(tmp_path / "new" / "log.jsonl")
        log.accepted({"model": "m", "messages": []})
    lines = [json.loads(line) for line in (tmp_path / "new" / "log.jsonl").read_text().splitlines()]
    assert [set(line) for line in lines] == [{"at", "key"}] * 2
    assert lines[0]["key"] == lines[1]["key"]


def test_equal_bodies_have_equal_keys_however_they_are_written():
    assert request_key({"a": 1, "b": "硅"}) == request_key(json.loads('{"b":"\\u7845", "a":1}'))
    assert request_key({"a": 1}) != request_key({"a": 2})
    assert len(request_key("\ud800")) == 64


def test_a_file_that_can_not_be_is_a_wrong_setting(tmp_path: Path):
    with pytest.raises(SettingsError, match="--request-log"):
        RequestLog(tmp_path)
