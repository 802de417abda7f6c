"""What Kafka knows of each document: the newest entry of qa.files, and what follows from it for a file.

Entries are committed with the chunks they speak of, so the ledger is right whatever was killed when (KIP-618).
"""

import sys
from collections.abc import AsyncGenerator, Container, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum, auto

from configs.settings import Settings
from ledger.packing import pack, unpack
from messaging.reading import read_to_end
from producer.errors import LedgerError
from producer.files.source import Found
from schemas import DecodeError, FileState, LedgerEntry, Request, TopicNames, decode
from schemas.ids import document_id
from schemas.messages import now

_DONE = frozenset((FileState.COMPLETE, FileState.REJECTED, FileState.FORGOTTEN))
_UNDER_WAY = frozenset((FileState.PUBLISHING, FileState.ABANDONED))
_PRESENT = _DONE | {FileState.PUBLISHING, FileState.ABANDONED}


class Action(Enum):
    """What a file needs."""

    NOTHING = auto()
    COMPARE = auto()  # may be the same content: its hash tells
    PUBLISH = auto()
    RESUME = auto()
    ABANDON = auto()  # the version that is being published can't be gone on with; then again


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings that a file's outcome depends on. `splitter` is their hash where it is the chunks that do."""

    splitter: str
    max_file_bytes: int


def action(entry: LedgerEntry | None, found: Found, rules: Rules) -> Action:
    """What `found` needs, whose newest entry is `entry`."""
    if entry is None:
        return Action.PUBLISH
    same_file = (entry.size_bytes, entry.mtime_ns) == (found.size_bytes, found.mtime_ns)
    same_rules = entry.splitter == rules.splitter
    if entry.state is FileState.PUBLISHING:
        return Action.RESUME if same_file and same_rules else Action.ABANDON
    if entry.state is not FileState.FORGOTTEN and (not same_rules or _limit_moved(entry, rules)):
        return Action.PUBLISH
    if same_file and entry.state in _DONE:
        return Action.NOTHING
    return Action.COMPARE if entry.sha256 and entry.size_bytes == found.size_bytes else Action.PUBLISH


def _limit_moved(entry: LedgerEntry, rules: Rules) -> bool:
    return entry.state is FileState.REJECTED and entry.sha256 is None and entry.size_bytes <= rules.max_file_bytes


def touched(entry: LedgerEntry, found: Found) -> LedgerEntry:
    """The entry of a file that has its old content back, or only a new time."""
    state = entry.state
    if state is FileState.VANISHED:
        state = FileState.REJECTED if entry.reason else FileState.COMPLETE
    return _with(entry, state=state, mtime_ns=found.mtime_ns)


def vanished(entry: LedgerEntry) -> LedgerEntry:
    """The entry of a file that is gone. A hash is kept only of content that was dealt with to its end."""
    done = entry.state in _DONE
    return _with(entry, state=FileState.VANISHED, sha256=entry.sha256 if done else None)


def abandoned(entry: LedgerEntry, reason: str) -> LedgerEntry:
    return _with(entry, state=FileState.ABANDONED, sha256=None, reason=reason)


def requested(entry: LedgerEntry, request: Request) -> LedgerEntry | None:
    """The entry once `request` is taken up; None where there is nothing to do.

    What has to be published follows from it at the next look at the file, as after any restart.
    """
    match request.action:
        case "regenerate" if entry.state is FileState.COMPLETE:
            return _regenerated(entry, fresh=request.fresh)
        case "forget" if entry.state is not FileState.FORGOTTEN:
            return _with(entry, state=FileState.FORGOTTEN, complete=None)
        case "retry" if entry.state is FileState.REJECTED:
            return abandoned(entry, f"to be read again; was rejected: {entry.reason}")
    return None


def under_way(entry: LedgerEntry) -> bool:
    """Whether the file's publication goes on, so that a request for new answers has to wait for its end."""
    return entry.state in _UNDER_WAY


def _regenerated(entry: LedgerEntry, *, fresh: bool) -> LedgerEntry:
    """The same version from its beginning; its complete generation stays what readers get until the new one is."""
    return _with(
        entry,
        state=FileState.PUBLISHING,
        generation=entry.generation + 1,
        sample=entry.sample + fresh,
        sha256=None,
        next_byte=0,
        next_char=0,
        chunks=0,
    )


def _with(entry: LedgerEntry, **changes: object) -> LedgerEntry:
    return entry.model_copy(update={**changes, "updated_at": now()})


@dataclass(frozen=True, slots=True)
class _Known:
    """An entry as the topic has it, packed, and what a scan compares at once: half a million files must fit."""

    packed: bytes
    size_bytes: int
    mtime_ns: int
    splitter: str
    state: FileState


class Ledger:
    """The newest entry of each document of one source."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._known: dict[str, _Known] = {}

    def put(self, entry: LedgerEntry, value: bytes) -> None:
        """`value` is the entry, encoded."""
        splitter = sys.intern(entry.splitter)
        self._known[entry.document.path] = _Known(pack(value), entry.size_bytes, entry.mtime_ns, splitter, entry.state)

    def entry(self, path: str) -> LedgerEntry | None:
        known = self._known.get(path)
        return decode(LedgerEntry, unpack(known.packed)) if known else None

    def done(self, found: Found, rules: Rules) -> bool:
        """Whether the file needs nothing: so says its entry, which is decoded only where a glance can't tell."""
        known = self._known.get(found.path)
        if known is None or known.state not in _DONE:
            return False
        if (known.size_bytes, known.mtime_ns) != (found.size_bytes, found.mtime_ns):
            return False
        if known.splitter != rules.splitter:
            return known.state is FileState.FORGOTTEN
        return known.state is FileState.COMPLETE or action(self.entry(found.path), found, rules) is Action.NOTHING

    def state(self, path: str) -> FileState | None:
        known = self._known.get(path)
        return known.state if known else None

    def entries(self) -> Iterator[LedgerEntry]:
        return (decode(LedgerEntry, unpack(known.packed)) for known in self._known.values())

    def absent(self, paths: Container[str]) -> Iterator[str]:
        """Documents with a file, by the ledger, that are not among `paths`."""
        for path, known in self._known.items():
            if known.state in _PRESENT and known.state is not FileState.FORGOTTEN and path not in paths:
                yield path

    def document_id(self, path: str) -> str:
        return document_id(self.source, path)


async def load(settings: Settings, source: str) -> Ledger:
    """The ledger of `source` from Kafka. Call it with this source's producer started: that settles its predecessor."""
    ledger = Ledger(source)
    async with aclosing(read_entries(settings, through_pending=True)) as entries:
        async for entry, value in entries:
            if entry.document.source == source:
                ledger.put(entry, value)
    return ledger


async def read_entries(
    settings: Settings, *, through_pending: bool = False, patience_s: float | None = None
) -> AsyncGenerator[tuple[LedgerEntry, bytes], None]:
    """All entries of qa.files and their bytes, those of a document in their order. Use within `contextlib.aclosing`.

    Raises LedgerError, TopicMissingError, and BrokerUnreachableError after `patience_s`; without it waits for ever.
    """
    topic = TopicNames(settings.namespace).files
    reading = read_to_end(settings, topic, through_pending=through_pending, patience_s=patience_s)
    async with aclosing(reading) as records:
        async for record in records:
            if record.value is None:
                continue
            try:
                entry = decode(LedgerEntry, record.value)
            except DecodeError as exc:
                raise LedgerError(
                    f"{topic} partition {record.partition} offset {record.offset}: {exc}. Only producers write "
                    "there; a newer version may have. Use that version, or another --namespace"
                ) from exc
            yield entry, record.value
