"""The view of a running pipeline: a progress bar on a terminal, a line every few seconds elsewhere."""

import time
from typing import TextIO, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ledger.account import ProgressTotals

EVERY_S = 3.0


class PlainView:
    """Prints one line when a count has changed, at most every `every_s` seconds: for logs and pipes."""

    def __init__(self, stream: TextIO, *, every_s: float = EVERY_S) -> None:
        self._stream = stream
        self._every_s = every_s
        self._last = ProgressTotals()
        self._next = 0.0

    def note(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def update(self, totals: ProgressTotals) -> None:
        if totals != self._last and time.monotonic() >= self._next:
            self.note("  " + describe(totals))
            self._last, self._next = totals, time.monotonic() + self._every_s

    def close(self) -> None:
        pass


class BarView:
    """Draws a bar over the chunks, with the other counts behind it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        counts = TextColumn("{task.description}", markup=False)
        columns = (SpinnerColumn(), BarColumn(bar_width=24), MofNCompleteColumn(), counts, TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, transient=True)
        self._task = self._bar.add_task("starting", total=None)
        self._bar.start()

    def note(self, text: str) -> None:
        self._console.print(text)

    def update(self, totals: ProgressTotals) -> None:
        self._bar.update(
            self._task, total=totals.chunks or None, completed=totals.answered, description=_counts(totals)
        )

    def close(self) -> None:
        self._bar.stop()


View: TypeAlias = PlainView | BarView


def make_view(stream: TextIO) -> View:
    console = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)
    return BarView(console) if console.is_terminal else PlainView(stream)


def describe(totals: ProgressTotals) -> str:
    return f"{totals.answered}/{totals.chunks} chunks · {_counts(totals)}"


def _counts(totals: ProgressTotals) -> str:
    parts = [f"{totals.files_done}/{totals.files} files", f"{totals.pairs} pairs"]
    parts += [f"{totals.calls} calls", f"{totals.cached_calls} cache hits"]
    if totals.failed or totals.rejected:
        parts.append(f"{totals.failed} chunks failed, {totals.rejected} files rejected")
    return " · ".join(parts)
