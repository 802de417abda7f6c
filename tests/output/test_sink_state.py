import orjson

from output.index.rows import Totals
from output.layout import Layout
from output.sink_state import StatusFile

TOTALS = Totals(records=3, undecodable=1, documents=2, pairs=7, waiting=0)


def test_it_is_written_once_a_second_when_something_changed_and_at_once_when_asked(tmp_path):
    layout, now = Layout(tmp_path), [0.0]
    layout.make()
    status = StatusFile(layout, clock=lambda: now[0])

    def written(offset: int, *, at_once: bool = False) -> dict:
        status.update(TOTALS, {1: offset}, {0: 4}, at_once=at_once)
        return orjson.loads(layout.status.read_bytes())

    first = written(1)
    assert {name: first[name] for name in ("records", "undecodable", "documents", "pairs", "waiting")} == {
        "records": 3, "undecodable": 1, "documents": 2, "pairs": 7, "waiting": 0,
    }  # fmt: skip
    assert (first["next_offsets"], first["ledger_offsets"]) == ({"1": 1}, {"0": 4})
    assert written(2) == first
    assert written(2, at_once=True)["next_offsets"] == {"1": 2}
    now[0] = 2
    stamp = layout.status.stat().st_mtime_ns
    written(2)
    assert layout.status.stat().st_mtime_ns == stamp
    assert written(3)["next_offsets"] == {"1": 3}
