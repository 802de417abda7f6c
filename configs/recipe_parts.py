"""What the sections of a recipe may say."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from languages import LANGUAGES

LanguageCode = Annotated[str, Field(pattern=f"^({'|'.join(LANGUAGES.codes)})$")]
Kind = Literal["factual", "comparative", "reasoning", "open"]
Bound = Annotated[int, Field(ge=1, le=100_000)]
Few = Annotated[int, Field(ge=1, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Criterion = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]
Line = Annotated[str, Field(min_length=1, max_length=1000)]
PromptName = Annotated[str, Field(pattern=r"^[\w-]{1,100}$")]


class RecipePart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PairPlan(RecipePart):
    """How many pairs are asked for of a chunk, and of which types."""

    pairs: Few | None = Field(default=None, description="So many of each chunk, whatever its length.")
    characters_each: dict[LanguageCode, Bound] | None = Field(default=None, description="One for so many characters.")
    most: Few = Field(default=20, description="Of one chunk, at most; bounds the response schema.")
    proportions: dict[Kind, Annotated[int, Field(ge=0, le=10_000)]] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.pairs is None) == (self.characters_each is None):
            raise ValueError("takes either pairs or characters_each")
        missing = [code for code in LANGUAGES.codes if code not in (self.characters_each or LANGUAGES.codes)]
        if missing:
            raise ValueError(f"characters_each lacks {', '.join(missing)}")
        if not sum(self.proportions.values()):
            raise ValueError("proportions are all 0")
        return self

    def wanted(self, characters: int, language: str) -> int:
        """Pairs for a chunk of so many characters."""
        each = (self.characters_each or {}).get(language, 1)
        return min(self.most, self.pairs or max(1, round(characters / each)))


class Limits(RecipePart):
    """Bounds of the response schemas, in characters: an open string may never end."""

    question_characters: Bound = 300
    answer_characters: Bound = 1000
    reasoning_characters: Bound = 1000
    quotes: Annotated[int, Field(ge=1, le=10)] = 3
    quote_characters: Bound = 500
    comment_characters: Bound = 300
    thinking_characters: Bound = Field(
        default=30_000, description="A longer chain of thought of a reasoning model is not kept."
    )
    keep_cut: bool = Field(
        default=False, description="Keep questions, answers and reasoning that are as long as they may be: cut ones."
    )

    @property
    def placeholders(self) -> dict[str, str]:
        """By which prompts name the bounds: a model that is not told of them has its sentences cut."""
        return {name: str(getattr(self, name)) for name in BOUNDS}


BOUNDS = tuple(name for name in Limits.model_fields if name.endswith("_characters"))


class Checks(RecipePart):
    """Switches and bounds; lengths are characters. The thresholds were set on one half of benchmarks/quality."""

    evidence: bool = Field(default=True, description="Every quote stands in the text.")
    numbers: bool = Field(default=True, description="Numbers and units of the answer are the text's, or worked out.")
    polarity: bool = Field(default=True, description="The answer negates and compares as the text does.")
    overlap: bool = Field(default=True, description="Question, answer and evidence speak of the same.")
    self_contained: bool = Field(default=True, description="The question can be understood without the text.")
    copies: bool = Field(default=True, description="The answer says more than the question.")
    language: bool = Field(default=True, description="Question and answer are in the language of the text.")
    duplicates: bool = Field(default=True, description="No question asks the same as an earlier one of the chunk.")
    question_least: Bound = 4
    question_most: Bound = 500
    answer_least: Bound = 1
    answer_most: Bound = 5000
    alignment: Share = Field(
        default=0.6, description="Share of a clause's words that the text must have in the same order to be compared."
    )
    overlap_least: Share = Field(default=0.1, description="Share of the answer's words to be found in its sources.")


class Stage(RecipePart):
    """One kind of call."""

    prompt: PromptName
    thinking: bool | None = Field(default=None, description="As the recipe's; for this stage only.")
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(default=None, description="Unset: the setting.")


class Scoring(Stage):
    """A stage that gives marks from 0 to 10 for each criterion; scores are those divided by ten."""

    criteria: dict[Criterion, Annotated[float, Field(gt=0, le=1000)]] = Field(
        min_length=1, max_length=10, description="Criteria and their weights."
    )
    threshold: Share = Field(description="The weighted mean must reach this.")
    least: Share = Field(default=0.0, description="And each criterion this.")

    def total(self, scores: dict[str, float]) -> float:
        weights = self.criteria
        return round(sum(scores[name] * weight for name, weight in weights.items()) / sum(weights.values()), 4)

    def passes(self, scores: dict[str, float]) -> bool:
        return self.total(scores) >= self.threshold and min(scores[name] for name in self.criteria) >= self.least


class Rewriting(Stage):
    worth: Share = Field(description="Pairs with a lower score than this are dropped, not written anew.")


class Example(RecipePart):
    language: LanguageCode
    type: Kind
    question: Line
    reasoning: str = Field(default="", max_length=2000)
    answer: str = Field(default="", max_length=2000)
