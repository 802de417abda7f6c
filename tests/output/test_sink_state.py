import orjson
import pytest

from output.index.rows import IndexTotals
from output.layout import Layout
from output.share import Share
from output.sink_state import SinkState, SinkStateFile, next_offsets_on_disk, read_sink_state

TOTALS = IndexTotals(records=3, undecodable=1, documents=2, pairs=7, waiting=0)


def test_it_is_written_once_a_second_when_something_changed_and_at_once_when_asked(tmp_path):
    layout, now = Layout(tmp_path), [0.0]
    layout.make()
    status = SinkStateFile(layout, clock=lambda: now[0])

    def written(offset: int, *, at_once: bool = False) -> dict:
        status.update(TOTALS, next_offsets={1: offset}, ledger_offsets={0: 4}, at_once=at_once)
        return orjson.loads(layout.sink_state.read_bytes())

    first = written(1)
    assert {name: first[name] for name in ("records", "undecodable", "documents", "pairs", "waiting")} == {
        "records": 3, "undecodable": 1, "documents": 2, "pairs": 7, "waiting": 0,
    }  # fmt: skip
    assert (first["next_offsets"], first["ledger_offsets"]) == ({"1": 1}, {"0": 4})
    assert written(2) == first
    assert written(2, at_once=True)["next_offsets"] == {"1": 2}
    now[0] = 2
    stamp = layout.sink_state.stat().st_mtime_ns
    written(2)
    assert layout.sink_state.stat().st_mtime_ns == stamp
    assert written(3)["next_offsets"] == {"1": 3}


READ = {"results": {0: 7, 2: 3}, "ledger": {1: 4}}
DONE = {"next_offsets": {"0": 7, "1": 0, "2": 4}, "ledger_offsets": {"1": 5}, "waiting": 0}


def test_all_is_written_when_the_sink_is_past_what_was_read():
    assert SinkState.model_validate(DONE).has_written(**READ)


@pytest.mark.parametrize(
    "behind",
    [{"next_offsets": {"0": 7, "2": 2}}, {"next_offsets": {"0": 7}}, {"ledger_offsets": {"1": 3}}, {"waiting": 1}],
)
def test_it_is_not_while_something_is_missing(behind: dict[str, object]):
    assert not SinkState.model_validate(DONE | behind).has_written(**READ)


@pytest.mark.parametrize("content", [None, b"", b"[]", b'{"next_offsets": {"2": "many"}}'])
def test_a_sink_that_has_said_nothing_readable_has_written_nothing(tmp_path, content):
    layout = Layout(tmp_path)
    layout.make()
    if content is not None:
        layout.sink_state.write_bytes(content)
    assert not read_sink_state(layout).has_written(**READ)
    assert next_offsets_on_disk(layout) == {}


def test_nothing_read_is_nothing_to_wait_for(tmp_path):
    assert read_sink_state(Layout(tmp_path)).has_written(results={}, ledger={})


def test_the_furthest_sink_of_a_partition_counts(tmp_path):
    for share, offsets in (("all", {0: 9, 2: 3}), ("0-1", {0: 5, 1: 1}), ("2", {2: 8})):
        layout = Layout(tmp_path, Share.parse(share))
        layout.make()
        SinkStateFile(layout).update(TOTALS, next_offsets=offsets, ledger_offsets={}, at_once=True)
    assert next_offsets_on_disk(Layout(tmp_path)) == {0: 9, 1: 1, 2: 8}
