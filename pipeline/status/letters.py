"""The number of dead letters that wait for a replay. Pure."""

from pydantic import Field

from schemas import ReplayMarker
from schemas.messages import Id, Message

REPLAYED = ReplayMarker.model_fields["schema_"].default


class Letter(Message):
    """The fields that dead letters and replay markers have in common."""

    schema_: str = Field(alias="schema")
    letter_id: Id


class Letters(set[str]):
    """The ids of letters without a marker. Give it all records in order: a letter and its marker share a partition."""

    def take(self, letter: Letter) -> None:
        if letter.schema_ == REPLAYED:
            self.discard(letter.letter_id)
        else:
            self.add(letter.letter_id)
