"""What the sink says of itself in `.qastream/sink.json`."""

from pathlib import Path

from pydantic import BaseModel

from pipeline.progress.follow import Offsets


class SinkState(BaseModel):
    """Offsets by partition are the next ones; `waiting` are documents promised by the ledger and not written yet."""

    next_offsets: Offsets = {}
    ledger_offsets: Offsets = {}
    waiting: int = 0


def sink_state(home: Path) -> Path:
    return home / "sink.json"


def has_written(home: Path, *, results: Offsets, ledger: Offsets) -> bool:
    """Whether the sink has all that was read of the two topics on disk, documents included."""
    state = _read(sink_state(home))
    return _covers(state.next_offsets, results) and _covers(state.ledger_offsets, ledger) and state.waiting == 0


def _read(path: Path) -> SinkState:
    try:
        return SinkState.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return SinkState()


def _covers(written: Offsets, read: Offsets) -> bool:
    return all(written.get(partition, 0) >= offset for partition, offset in read.items())
