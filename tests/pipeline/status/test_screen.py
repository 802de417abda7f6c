import io

import orjson
import pytest
from rich.console import Console

from ledger.account import ProgressTotals
from messaging.groups import GroupMember
from output.errors import OutputError
from pipeline.status.endpoints import EndpointStatus, Scraped, endpoints_in
from pipeline.status.members import Members, PartitionBacklog
from pipeline.status.rates import Rates
from pipeline.status.screen import picture, screen
from pipeline.status.snapshot import Snapshot

MEMBERS = Members(
    "Stable",
    (GroupMember("worker-1", "10.0.0.1", (0, 1)), GroupMember("worker-2", "10.0.0.2", (2,))),
    (PartitionBacklog(0, 5), PartitionBacklog(1, 0), PartitionBacklog(2, 90_000, exact=False), PartitionBacklog(3, 1)),
)
METRICS = """\
qastream_model_up{endpoint="http://a/v1"} 1.0
qastream_model_limit{endpoint="http://a/v1"} 20.0
qastream_model_calls_in_flight{endpoint="http://a/v1"} 18.0
qastream_model_queue{endpoint="http://a/v1",state="running"} 30.0
qastream_model_queue{endpoint="http://a/v1",state="waiting"} 2.0
qastream_model_up{endpoint="http://b/v1"} 0.0
"""


def shown(snapshot: Snapshot) -> str:
    out = io.StringIO()
    Console(file=out, width=100).print(screen(snapshot))
    return out.getvalue()


def snapshot(**changes: object) -> Snapshot:
    values = {
        "totals": ProgressTotals(files=3, files_done=1, chunks=100, answered=40, pairs=80),
        "dead_letters": 2,
        "rates": Rates(chunks=2.0, pairs=4.0, completion_tokens=300.0),
        "members": MEMBERS,
        "scraped": Scraped(endpoints_in([METRICS, METRICS]), ("http://gone/metrics",)),
    }
    return Snapshot(**(values | changes))


def test_two_workers_limits_are_added_and_the_servers_queue_is_not():
    one, other = endpoints_in([METRICS, METRICS])
    assert one == EndpointStatus("http://a/v1", workers=2, up=2, limit=40, in_flight=36, running=30, waiting=2)
    assert (other.up, other.workers) == (0, 2)


def test_everything_is_on_the_screen():
    text = shown(snapshot())
    for part in ("1 of 3 done", "about 0:00:30", "2.0 chunks", "workers: 2 (Stable)", "up to 90000", "nobody"):
        assert part in text, text
    assert "10.0.0.2" in text
    assert "no metrics from http://gone/metrics" in text


def test_nothing_left_needs_no_time_and_no_rate_promises_none():
    assert "none" in shown(snapshot(totals=ProgressTotals(files=1, files_done=1, chunks=5, answered=5)))
    assert "not known" in shown(snapshot(rates=Rates()))


def test_an_address_or_host_can_not_style_the_terminal():
    member = Members("Stable", (GroupMember("m", "[red]x", (0,)),), (PartitionBacklog(0, 1),))
    assert "[red]x" in shown(snapshot(members=member))


def test_a_picture_has_what_the_screen_has(tmp_path):
    picture(snapshot(), tmp_path / "status.svg")
    svg = (tmp_path / "status.svg").read_text(encoding="utf-8")
    assert "10.0.0.2" in svg
    assert "url(http" not in svg
    with pytest.raises(OutputError, match="--svg"):
        picture(snapshot(), tmp_path / "nowhere" / "status.svg")


def test_json_is_json_and_says_the_same():
    said = orjson.loads(orjson.dumps(snapshot().as_json()))
    assert said["counts"]["backlog"] == 60
    assert said["left_s"] == 30
    assert said["workers"][0]["partitions"] == [0, 1]
    assert said["endpoints"][0]["limit"] == 40
