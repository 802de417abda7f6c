"""An outcome as the account of chunks reads it: the part of a result record that says which chunk it is of."""

from typing import Any, NamedTuple

from schemas import OutcomeError, Status, Usage
from schemas.messages import Id, Message, Number, Version

EditionKey = tuple[int, int]
"""Version and generation of a document; the greater one replaces the smaller."""


class ResultPosition(NamedTuple):
    """The place of a record on qa.results."""

    partition: int
    offset: int


class OutcomeDocument(Message):
    id: Id
    source: str
    path: str
    version: Version


class OutcomeChunk(Message):
    index: Number


class OutcomeSummary(Message):
    """The part of a result that counting needs. Validating a whole result costs several times as much."""

    status: Status
    document: OutcomeDocument
    chunk: OutcomeChunk
    generation: Number = 0
    attempt: Number = 0
    pairs: tuple[Any, ...] = ()
    usage: Usage = Usage()
    error: OutcomeError | None = None

    @property
    def edition(self) -> EditionKey:
        return self.document.version, self.generation
