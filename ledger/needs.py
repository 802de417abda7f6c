"""The need of a file: it follows from its newest ledger entry, the file as a scan saw it, and the settings."""

import sys
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple, Protocol

from ledger.transitions import SETTLED, Event, allowed
from schemas import FileState, LedgerEntry


class FileNeed(Enum):
    NOTHING = auto()
    COMPARE = auto()  # the content may be the same: its hash tells
    PUBLISH = auto()
    RESUME = auto()
    ABANDON = auto()  # the version under way can't be finished; then the file needs publishing


class SeenFile(Protocol):
    """A file as a scan saw it."""

    @property
    def path(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def mtime_ns(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings that decide about a file. `splitter` is the hash of the settings that decide how it is cut."""

    splitter: str
    max_file_bytes: int


class Outline(NamedTuple):
    """The part of a ledger entry that a scan compares. `hashed`: the entry has the hash of the content."""

    state: FileState
    size_bytes: int
    mtime_ns: int
    splitter: str
    hashed: bool


def outline_of(entry: LedgerEntry) -> Outline:
    return Outline(entry.state, entry.size_bytes, entry.mtime_ns, sys.intern(entry.splitter), entry.sha256 is not None)


def need_of(outline: Outline | None, file: SeenFile, rules: Rules) -> FileNeed:
    """Returns what `file` needs; `outline` is that of its newest entry, None where it has none."""
    if outline is None:
        return FileNeed.PUBLISH
    state, size_bytes, mtime_ns, splitter, hashed = outline
    same_file = (size_bytes, mtime_ns) == (file.size_bytes, file.mtime_ns)
    same_rules = splitter == rules.splitter
    if state is FileState.PUBLISHING:
        return FileNeed.RESUME if same_file and same_rules and size_bytes <= rules.max_file_bytes else FileNeed.ABANDON
    limit_rose = state is FileState.REJECTED and not hashed and size_bytes <= rules.max_file_bytes
    if state is not FileState.FORGOTTEN and (limit_rose or not same_rules):
        return FileNeed.PUBLISH
    if same_file and state in SETTLED:
        return FileNeed.NOTHING
    may_be_kept = hashed and (allowed(state, Event.UNCHANGED) or allowed(state, Event.RETURNED))
    return FileNeed.COMPARE if may_be_kept and size_bytes == file.size_bytes else FileNeed.PUBLISH
