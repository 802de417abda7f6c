"""The tables of a recipe file, such as [plan], [checks] and those of the stages."""

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
    """One table of a recipe file. Unknown keys and values of another type are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PairPlan(RecipePart):
    """Number and types of the pairs to ask for about one chunk."""

    pairs: Few | None = Field(default=None, description="Number of pairs for each chunk, whatever its length.")
    characters_each: dict[LanguageCode, Bound] | None = Field(
        default=None, description="Number of characters for which one pair is asked."
    )
    most: Few = Field(default=20, description="Largest number of pairs for one chunk.")
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
        """Return the number of pairs for a chunk of `characters` characters."""
        each = (self.characters_each or {}).get(language, 1)
        return min(self.most, self.pairs or max(1, round(characters / each)))


class Limits(RecipePart):
    """Bounds of the response schemas in characters. Without them a model's string might never end."""

    question_characters: Bound = 300
    answer_characters: Bound = 1000
    reasoning_characters: Bound = 1000
    quotes: Annotated[int, Field(ge=1, le=10)] = 3
    quote_characters: Bound = 500
    comment_characters: Bound = 300
    thinking_characters: Bound = Field(
        default=30_000, description="Longest chain of thought of a reasoning model that results keep."
    )
    keep_cut: bool = Field(
        default=False, description="Keep texts that fill their bound exactly. The server has probably cut them."
    )

    @property
    def placeholders(self) -> dict[str, str]:
        """Values of the placeholders by which prompts tell the model its bounds; otherwise its sentences get cut."""
        return {name: str(getattr(self, name)) for name in BOUNDS}


BOUNDS = tuple(name for name in Limits.model_fields if name.endswith("_characters"))


class Checks(RecipePart):
    """Checks of a pair that need no model: switches, and bounds in characters or as shares.

    The thresholds were set on one half of benchmarks/quality.
    """

    evidence: bool = Field(default=True, description="Each quote stands in the text.")
    numbers: bool = Field(
        default=True, description="Numbers and units of the answer stand in the text, or are calculated from it."
    )
    polarity: bool = Field(default=True, description="The answer negates and compares as the text does.")
    overlap: bool = Field(default=True, description="Question, answer and evidence share their words.")
    self_contained: bool = Field(default=True, description="A reader understands the question without the text.")
    copies: bool = Field(default=True, description="The answer says more than the question.")
    language: bool = Field(default=True, description="Question and answer are in the language of the text.")
    duplicates: bool = Field(default=True, description="No question repeats an earlier one of the chunk.")
    question_least: Bound = 4
    question_most: Bound = 500
    answer_least: Bound = 1
    answer_most: Bound = 5000
    alignment: Share = Field(default=0.6, description="A sentence of the text is compared with a clause of "
        "the answer only if it has at least this share of the clause's words, in the same order.")  # fmt: skip
    overlap_least: Share = Field(default=0.1, description="Least share of the answer's words that its sources contain.")


class Stage(RecipePart):
    """A step of a recipe that sends one kind of prompt."""

    prompt: PromptName
    thinking: bool | None = Field(default=None, description="Switches thinking on or off for this stage only.")
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        default=None, description="Sampling temperature; default: --temperature."
    )


class Scoring(Stage):
    """A stage in which the model marks each criterion from 0 to 10. A score is a mark divided by ten."""

    criteria: dict[Criterion, Annotated[float, Field(gt=0, le=1000)]] = Field(
        min_length=1, max_length=10, description="Criteria and their weights."
    )
    threshold: Share = Field(description="Least weighted mean of the scores.")
    least: Share = Field(default=0.0, description="Least score of each single criterion.")

    def total(self, scores: dict[str, float]) -> float:
        """Return the weighted mean of the scores, from 0 to 1."""
        weights = self.criteria
        return round(sum(scores[name] * weight for name, weight in weights.items()) / sum(weights.values()), 4)

    def passes(self, scores: dict[str, float]) -> bool:
        """Tell if the mean and each single score are high enough."""
        return self.total(scores) >= self.threshold and min(scores[name] for name in self.criteria) >= self.least


class Rewriting(Stage):
    """The stage that rewrites pairs which the judge found wanting."""

    worth: Share = Field(description="Pairs with a lower score are dropped instead of being rewritten.")


class Example(RecipePart):
    """A model pair that prompts show."""

    language: LanguageCode
    type: Kind
    question: Line
    reasoning: str = Field(default="", max_length=2000)
    answer: str = Field(default="", max_length=2000)
