"""Which published chunks have an outcome: ledger entries on one side, qa.results on the other. Pure; fed by records.

For one version of a document that is under way a bit is kept for each chunk; of one that is answered, only where its
last outcome stands.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from schemas import DecodeError, LedgerEntry, decode
from schemas.messages import Count, Id, Message

Key = tuple[int, int]
"""Version and generation of a document; the greater one replaces the smaller."""


class OutcomeDocument(Message):
    id: Id
    source: str
    version: int


class OutcomeChunk(Message):
    index: Count


class Outcome(Message):
    """As much of a result as is needed here: reading all of it would cost several times as much."""

    document: OutcomeDocument
    chunk: OutcomeChunk
    generation: Count = 0


class Place(NamedTuple):
    partition: int
    offset: int


@dataclass(slots=True)
class _Part:
    """The chunks of one key. `whole`: `published` is all of them."""

    published: int = 0
    answered: int = 0
    whole: bool = False
    last: Place | None = None
    bits: bytearray = field(default_factory=bytearray)

    @property
    def waiting(self) -> int:
        return self.published - self.answered

    @property
    def settled(self) -> bool:
        return self.whole and self.waiting <= 0

    def answer(self, index: int, place: Place) -> None:
        byte, bit = index >> 3, 1 << (index & 7)
        if byte >= len(self.bits):
            self.bits.extend(bytes(byte + 1 - len(self.bits)))
        if not self.bits[byte] & bit:
            self.bits[byte] |= bit
            self.answered += 1
            self.last = place


@dataclass(slots=True)
class _Document:
    """`newest` is the ledger's; an outcome of what is neither it nor complete nor waited for says nothing new."""

    newest: Key = (0, 0)
    complete: Key | None = None
    parts: dict[Key, _Part] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        return sum(part.waiting for part in self.parts.values())

    def let_go(self) -> None:
        """Of parts that are answered and replaced, and of bits that are all set."""
        kept = {self.newest, self.complete}
        self.parts = {key: part for key, part in self.parts.items() if key in kept or part.waiting > 0}
        for part in self.parts.values():
            if part.settled:
                part.bits = bytearray()


class Outcomes:
    """Of one source. `backlog` chunks are published and have no outcome yet.

    After a restart those of versions that were replaced before it are not counted: the ledger has the newest only.
    """

    def __init__(self, source: str) -> None:
        self.backlog = 0
        self._source = source
        self._documents: dict[str, _Document] = {}

    def take_entry(self, entry: LedgerEntry) -> None:
        document = self._documents.setdefault(entry.document.id, _Document())
        before = document.waiting
        document.newest = entry.document.version, entry.generation
        document.parts.setdefault(document.newest, _Part()).published = entry.chunks
        document.complete = None
        if entry.complete:
            document.complete = entry.complete.version, entry.complete.generation
            part = document.parts.setdefault(document.complete, _Part())
            part.published, part.whole = entry.complete.chunks, True
        document.let_go()
        self.backlog += document.waiting - before

    def take_result(self, value: bytes | None, place: Place) -> None:
        """Takes the value of a record of qa.results. One that can't be read is no outcome; the sink says so."""
        try:
            outcome = decode(Outcome, value)
        except DecodeError:
            return
        if outcome.document.source == self._source:
            self._take(outcome, place)

    def _take(self, outcome: Outcome, place: Place) -> None:
        document = self._documents.setdefault(outcome.document.id, _Document())
        key = outcome.document.version, outcome.generation
        part = document.parts.get(key)
        if part is None and key > document.newest:  # it was quicker than the news of its chunk's commit
            part = document.parts[key] = _Part()
        if part is None or part.settled:
            return
        before = document.waiting
        part.answer(outcome.chunk.index, place)
        if part.waiting <= 0:
            document.let_go() if key <= document.newest else None
        self.backlog += document.waiting - before

    def answered(self, document_id: str) -> bool:
        """Whether every chunk of the newest version has an outcome, that version being complete."""
        document = self._documents.get(document_id)
        part = document.parts.get(document.newest) if document else None
        return part is not None and part.settled

    def last_place(self, document_id: str) -> Place | None:
        """Where the last outcome of an answered version stands; None where it has no chunks."""
        document = self._documents[document_id]
        return document.parts[document.newest].last
