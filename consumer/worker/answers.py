"""What is asked of the model as JSON, and what it answered.

The schema sent to the server is bounded everywhere: an open array or string may never end.
"""

from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from configs.recipe import Pairs
from consumer.worker.errors import MalformedError
from schemas import PairType


class AnsweredPair(BaseModel):
    """A pair as the model gave it; `evidence` is not yet checked."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: PairType
    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    reasoning: str = ""
    evidence: tuple[str, ...] = ()


class AnsweredPairs(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    pairs: tuple[AnsweredPair, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One finished completion. Tokens as the server counted them; `endpoint` is the URL that gave it."""

    content: str
    reasoning: str
    endpoint: str
    prompt_tokens: int
    cached_prompt_tokens: int
    completion_tokens: int


def response_format(pairs: Pairs) -> dict[str, Any]:
    """The `response_format` of a request: JSON Schema in the subset that guided decoders support."""

    def text(most: int) -> dict[str, Any]:
        return {"type": "string", "maxLength": most}

    pair = {
        "type": {"type": "string", "enum": [kind.value for kind in PairType]},
        "question": text(pairs.question_characters),
        "answer": text(pairs.answer_characters),
        "reasoning": text(pairs.reasoning_characters),
        "evidence": {"type": "array", "maxItems": pairs.quotes, "items": text(pairs.quote_characters)},
    }
    items = {"type": "object", "properties": pair, "required": list(pair), "additionalProperties": False}
    schema = {
        "type": "object",
        "properties": {"pairs": {"type": "array", "maxItems": pairs.most, "items": items}},
        "required": ["pairs"],
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "pairs", "strict": True, "schema": schema}}


def parse_pairs(content: str) -> tuple[AnsweredPair, ...]:
    """Raises MalformedError, without quoting the answer."""
    try:
        return AnsweredPairs.model_validate(orjson.loads(content)).pairs
    except orjson.JSONDecodeError as exc:
        raise MalformedError(f"the answer is not JSON: {exc.msg} at character {exc.pos}") from None
    except ValidationError as exc:
        problem = exc.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise MalformedError(f"the answer does not fit the schema: {where}: {problem['msg']}") from None
