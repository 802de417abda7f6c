"""What a file needs, from its newest ledger entry, how a scan saw it, and the settings."""

import sys
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from ledger.transitions import SETTLED, Event, allowed
from schemas import FileState, LedgerEntry


class Need(Enum):
    """What has to be done about a file."""

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


@dataclass(frozen=True, slots=True)
class Outline:
    """The part of a ledger entry that a scan compares. `hashed`: the entry has the hash of the content."""

    state: FileState
    size_bytes: int
    mtime_ns: int
    splitter: str
    hashed: bool

    @classmethod
    def of(cls, entry: LedgerEntry) -> "Outline":
        return cls(entry.state, entry.size_bytes, entry.mtime_ns, sys.intern(entry.splitter), entry.sha256 is not None)


def need_of(outline: Outline | None, file: SeenFile, rules: Rules) -> Need:
    """Return what `file` needs; `outline` is that of its newest entry, None where it has none."""
    if outline is None:
        return Need.PUBLISH
    same_file = outline.mtime_ns == file.mtime_ns and outline.size_bytes == file.size_bytes
    same_rules = outline.splitter == rules.splitter
    if outline.state is FileState.PUBLISHING:
        return Need.RESUME if same_file and same_rules and file.size_bytes <= rules.max_file_bytes else Need.ABANDON
    if outline.state is not FileState.FORGOTTEN and (not same_rules or _limit_rose(outline, rules)):
        return Need.PUBLISH
    if same_file and outline.state in SETTLED:
        return Need.NOTHING
    same_size = outline.hashed and outline.size_bytes == file.size_bytes
    return Need.COMPARE if same_size and _may_be_the_same(outline.state) else Need.PUBLISH


def _limit_rose(outline: Outline, rules: Rules) -> bool:
    """Tell whether a file that was too large to be read is so no more."""
    return outline.state is FileState.REJECTED and not outline.hashed and outline.size_bytes <= rules.max_file_bytes


def _may_be_the_same(state: FileState) -> bool:
    return allowed(state, Event.UNCHANGED) or allowed(state, Event.RETURNED)
