"""The number of dead letters that wait for a replay. Pure."""

from pydantic import Field

from schemas import ReplayMarker
from schemas.messages import Id, Message

REPLAYED = ReplayMarker.model_fields["schema_"].default


class Letter(Message):
    """The fields that dead letters and replay markers have in common."""

    schema_: str = Field(alias="schema")
    letter_id: Id


class Letters:
    """Counts the letters without a marker. Feed it every record in order: a letter and its marker share a partition."""

    def __init__(self) -> None:
        self._open: set[str] = set()

    def take(self, letter: Letter) -> None:
        if letter.schema_ == REPLAYED:
            self._open.discard(letter.letter_id)
        else:
            self._open.add(letter.letter_id)

    def __len__(self) -> int:
        return len(self._open)
