"""The pair that the checks are given."""

from pydantic import BaseModel, ConfigDict

from schemas import PairType


class AnsweredPair(BaseModel):
    """A pair as the model gave it. `evidence` has the quotes, which are not checked yet."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: PairType
    question: str
    answer: str
    reasoning: str = ""
    evidence: tuple[str, ...] = ()
