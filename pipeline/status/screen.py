"""Shows a snapshot as tables on a terminal, or as a picture."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console, RenderableType, group
from rich.table import Table
from rich.text import Text

from output.errors import OutputError
from pipeline.status.endpoints import EndpointStatus
from pipeline.status.members import Members, PartitionBacklog
from pipeline.status.snapshot import Snapshot

WIDTH = 90
FORMAT = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""The library's format for SVG without its fonts, which a browser would load from the network."""
SHOWN = 16
"""Most partitions in the table; the others share a line."""


@group()
def screen(snapshot: Snapshot) -> Iterator[RenderableType]:
    yield _counts(snapshot)
    if snapshot.members:
        yield _workers(snapshot.members)
    if snapshot.scraped.endpoints:
        yield _endpoints(snapshot.scraped.endpoints)
    for address in snapshot.scraped.silent:
        yield Text(f"no metrics from {address}")


def picture(snapshot: Snapshot, path: Path) -> None:
    """Writes the screen as an SVG file. Raises OutputError."""
    console = Console(record=True, file=io.StringIO(), width=WIDTH)
    console.print(screen(snapshot))
    try:
        console.save_svg(str(path), title="python -m pipeline status", code_format=FORMAT)
    except OSError as exc:
        raise OutputError(f"--svg {path}: {exc.strerror}") from exc


def _counts(snapshot: Snapshot) -> Table:
    table = Table("", "", show_header=False)
    counts = snapshot.counts()
    if "files done" in counts:
        counts["files"] = f"{counts.pop('files done')} of {counts['files']} done"
    for name, value in counts.items():
        table.add_row(name, str(value))
    rates = snapshot.rates
    table.add_row(
        "per second", f"{rates.chunks:.1f} chunks, {rates.pairs:.1f} pairs, {rates.completion_tokens:.0f} tokens"
    )
    table.add_row("time left", _time(snapshot))
    return table


def _time(snapshot: Snapshot) -> str:
    if not snapshot.unfinished:
        return "none"
    if snapshot.left_s is None:
        return "not known: nothing was answered in the last minute"
    return f"about {timedelta(seconds=round(snapshot.left_s))}"


def _workers(members: Members) -> Table:
    """Returns a table with the worker and the unfinished chunks of each partition."""
    table = Table("partition", "backlog", "worker", title=f"workers: {len(members.workers)} ({members.state})")
    for backlog in members.backlogs[:SHOWN]:
        table.add_row(str(backlog.partition), _number(backlog), Text(_owner(members, backlog.partition)))
    if rest := members.backlogs[SHOWN:]:
        more = PartitionBacklog(0, sum(b.unfinished for b in rest), exact=all(b.exact for b in rest))
        table.add_row(f"{len(rest)} more", _number(more), "")
    return table


def _owner(members: Members, partition: int) -> str:
    owners = (f"{worker.host} {worker.member[-8:]}" for worker in members.workers if partition in worker.partitions)
    return next(owners, "nobody")


def _number(backlog: PartitionBacklog) -> str:
    return f"{backlog.unfinished}" if backlog.exact else f"up to {backlog.unfinished}"


def _endpoints(endpoints: tuple[EndpointStatus, ...]) -> Table:
    table = Table("model server", "answers", "in flight", "limit", "runs", "waits")
    for each in endpoints:
        answers = "yes" if each.up == each.workers else f"to {each.up} of {each.workers} workers"
        numbers = map(str, (each.in_flight, each.limit, each.running, each.waiting))
        table.add_row(Text(each.url), answers if each.up else "no", *numbers)
    return table
