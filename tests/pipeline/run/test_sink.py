import json
from pathlib import Path

import pytest

from pipeline.run.sink import has_written

READ = {"results": {0: 7, 2: 3}, "ledger": {1: 4}}
ALL = {"next_offsets": {"0": 7, "1": 0, "2": 4}, "ledger_offsets": {"1": 5}, "waiting": 0}


def written(home: Path, **state: object) -> bool:
    (home / "sink.json").write_text(json.dumps(ALL | state))
    return has_written(home, **READ)


def test_all_is_written_when_the_sink_is_past_what_was_read(tmp_path: Path):
    assert written(tmp_path)


@pytest.mark.parametrize(
    "behind",
    [{"next_offsets": {"0": 7, "2": 2}}, {"next_offsets": {"0": 7}}, {"ledger_offsets": {"1": 3}}, {"waiting": 1}],
)
def test_it_is_not_while_something_is_missing(tmp_path: Path, behind: dict[str, object]):
    assert not written(tmp_path, **behind)


def test_a_sink_that_has_said_nothing_has_written_nothing(tmp_path: Path):
    assert not has_written(tmp_path, **READ)


def test_nothing_read_is_nothing_to_wait_for(tmp_path: Path):
    assert has_written(tmp_path, results={}, ledger={})
