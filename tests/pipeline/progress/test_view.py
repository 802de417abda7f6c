import io

from ledger.account import ProgressTotals
from pipeline.progress.view import BarView, PlainView, describe, make_view


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_lines_and_a_terminal_a_bar(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(make_view(io.StringIO()), PlainView)
    view = make_view(Terminal())
    assert isinstance(view, BarView)
    view.close()


def test_a_line_comes_only_when_something_changed():
    stream = io.StringIO()
    view = PlainView(stream, every_s=0)
    view.update(ProgressTotals(files=1, chunks=4, answered=2))
    view.update(ProgressTotals(files=1, chunks=4, answered=2))
    assert stream.getvalue().splitlines() == ["  2/4 chunks · 0/1 files · 0 pairs · 0 calls · 0 cache hits"]


def test_lines_do_not_come_more_often_than_asked():
    stream = io.StringIO()
    view = PlainView(stream, every_s=3600)
    view.update(ProgressTotals(chunks=1))
    view.update(ProgressTotals(chunks=2))
    assert len(stream.getvalue().splitlines()) == 1


def test_failures_are_shown_when_there_are_any():
    assert "1 chunks failed, 2 files rejected" in describe(ProgressTotals(failed=1, rejected=2))
    assert "failed" not in describe(ProgressTotals())


def test_the_bar_shows_counts_and_takes_notes(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    view = make_view(stream)
    view.note("Kafka [runs]")
    view.update(ProgressTotals(files=3, files_done=1, chunks=8, answered=2, pairs=5, calls=2, cached_calls=1))
    view.close()
    assert "Kafka [runs]" in stream.getvalue()
