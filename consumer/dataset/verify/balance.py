"""Holds and shows the balance sheet of an output directory."""

from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from configs.cli import printable
from configs.ranges import ALL

EXAMPLES = 5


@dataclass(slots=True)
class Difference:
    """A difference has a description, a count, and some of the ids or paths that it concerns."""

    what: str
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, example: str, *, count: int = 1) -> None:
        self.count += count
        if len(self.examples) < EXAMPLES:
            self.examples.append(example)


@dataclass(slots=True)
class Balance:
    """Chunks and pairs are those of each document's newest complete version; records are counted over all time.

    `partitions` are the partitions of qa.results that sinks of this directory write; others are not checked.
    """

    partitions: str = ALL
    documents: int = 0
    documents_complete: int = 0
    chunks: int = 0
    ok: int = 0
    empty: int = 0
    failed: int = 0
    pairs: int = 0
    records_on_topic: int = 0
    records_on_disk: int = 0
    dead_letters: int = 0
    files_not_in_ledger: int | None = None
    differences: list[Difference] = field(default_factory=list)

    def expect(self, what: str, found: tuple[int, list[str]]) -> None:
        """Notes a difference, given as its count and some examples, unless the count is 0."""
        count, examples = found
        if count:
            self.differences.append(Difference(what, count, examples))

    def note(self, difference: Difference) -> None:
        """Notes a difference, unless its count is 0."""
        self.expect(difference.what, (difference.count, difference.examples))

    @property
    def balanced(self) -> bool:
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"balanced": self.balanced}


def show(balance: Balance, console: Console) -> None:
    """Prints the balance sheet as a table, with its differences."""
    if balance.partitions != ALL:
        console.print(f"Partitions {balance.partitions} of the results: this directory has no sink for others.")
    table = Table(show_header=False, box=None)
    for name, value in _rows(balance):
        table.add_row(name, f"{value:,}")
    console.print(table)
    for difference in balance.differences:
        console.print(f"[red]✗[/red] {difference.count:,} {escape(printable(difference.what))}")
        console.print(*(f"    {escape(printable(example))}" for example in difference.examples), sep="\n")
    if balance.balanced:
        console.print("[green]✓[/green] ledger, topics and disk balance")


def _rows(balance: Balance) -> list[tuple[str, int]]:
    rows = [
        ("documents in the ledger", balance.documents), ("  complete on disk", balance.documents_complete),
        ("chunks", balance.chunks), ("  ok", balance.ok), ("  empty", balance.empty), ("  failed", balance.failed),
        ("pairs", balance.pairs), ("records on the topic", balance.records_on_topic),
        ("records on disk", balance.records_on_disk), ("dead letters not replayed", balance.dead_letters),
    ]  # fmt: skip
    if balance.files_not_in_ledger is not None:
        rows.append(("files not in the ledger", balance.files_not_in_ledger))
    return rows
