"""Which checks without a model an answered pair has to pass: a recipe's section [checks]."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Length = Annotated[int, Field(ge=1, le=100_000)]
Share = Annotated[float, Field(ge=0, le=1)]


class Checks(BaseModel):
    """Switches and bounds; lengths are characters. The thresholds were set on one half of benchmarks/quality."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    evidence: bool = Field(default=True, description="Every quote stands in the text.")
    numbers: bool = Field(default=True, description="Numbers and units of the answer are the text's, or worked out.")
    polarity: bool = Field(default=True, description="The answer negates and compares as the text does.")
    overlap: bool = Field(default=True, description="Question, answer and evidence speak of the same.")
    self_contained: bool = Field(default=True, description="The question can be understood without the text.")
    copies: bool = Field(default=True, description="The answer says more than the question.")
    language: bool = Field(default=True, description="Question and answer are in the language of the text.")
    duplicates: bool = Field(default=True, description="No question asks the same as an earlier one of the chunk.")
    question_least: Length = 4
    question_most: Length = 500
    answer_least: Length = 1
    answer_most: Length = 5000
    alignment: Share = Field(
        default=0.6, description="Share of a clause's words that the text must have in the same order to be compared."
    )
    overlap_least: Share = Field(default=0.1, description="Share of the answer's words to be found in its sources.")
