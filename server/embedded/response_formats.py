"""The answers of the extractive model to a recipe's stages, in the shape that a request's JSON Schema asks for.

Each response format is one function, chosen by the properties of the schema. Questions and answers are those that the
model extracts from the text. It can't judge: its marks are shares of common words, and its comments say so. A pair or
question that breaks a bound of the schema (maxLength, enum, …) is left out, never cut.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from languages import language_of
from server.embedded.errors import RequestError
from server.embedded.pairs import ExtractedPair, extract
from server.embedded.prompt import Prompt, count_tokens

_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")
_NUMBERED = re.compile(r"^\d+\.\s*(?:\(\w+\)\s*)?(.*)$", re.MULTILINE)
_PAIR = ("properties", "pairs", "items")
_MARKS = ("properties", "marks", "properties")
_EXAMPLE = ExtractedPair("factual", "什么是锗？", "锗是元素。", "定义。", "锗是元素。")
_NO_JUDGEMENT = {
    "en": "Not a judgement: the extractive model can't judge. The marks are shares of words that two texts share.",
    "zh": "并非评判：抽取式模型不会评判。得分只是两段文字共有字词的比例。",
}


@dataclass(frozen=True, slots=True)
class FillableFormat:
    """A JSON Schema that this model can fill, and the function that fills it."""

    fill: Callable[["FillableFormat", Prompt], dict[str, Any]]
    schema: Mapping[str, Any]
    validator: Draft202012Validator

    def content(self, prompt: Prompt, max_tokens: int | None = None) -> str:
        """The completion as JSON, with as many whole pairs as fit `max_tokens`. Raises RequestError."""
        answer = self.fill(self, prompt)
        while max_tokens is not None and answer.get("pairs") and count_tokens(as_json(answer)) > max_tokens:
            answer["pairs"].pop()
        if (error := next(self.validator.iter_errors(answer), None)) is not None:
            found = f"the text gives {len(answer['pairs'])} pairs, and then " if "pairs" in answer else ""
            raise _refusal(found + error.message)
        return as_json(answer)

    def at(self, *path: str) -> dict[str, Any]:
        """The subschema at a path, {} if there is none."""
        part: Any = self.schema
        for name in path:
            part = part.get(name) if isinstance(part, dict) else None
        return part if isinstance(part, dict) else {}

    def allows(self, value: Any, *path: str) -> bool:
        """True if the value is valid against the subschema at the path."""
        return self.validator.evolve(schema=self.at(*path)).is_valid(value)


@lru_cache(maxsize=32)
def response_format(schema: str) -> FillableFormat:
    """The format for a schema given as JSON. It is cached, since a run sends few schemas. Raises RequestError."""
    asked = json.loads(schema)
    try:
        Draft202012Validator.check_schema(asked)
    except SchemaError as exc:
        raise _refusal(f"it is not a valid JSON Schema: {exc.message}") from None
    if '"$ref"' in schema:
        raise _refusal("it has a reference ($ref), which this model does not follow")
    chosen = FillableFormat(_pairs, asked, Draft202012Validator(asked))
    properties = chosen.at("properties")
    if "questions" in properties:
        return replace(chosen, fill=_questions)
    if "marks" in properties:
        numbered = any(chosen.at(*_MARKS, name).get("properties") for name in chosen.at(*_MARKS))
        return replace(chosen, fill=_numbered_marks if numbered else _marks)
    if "answer" in properties:
        return replace(chosen, fill=_answer)
    _check_pairs(chosen)
    return chosen


def overlap(text: str, other: str) -> float:
    """The share, from 0 to 1, of the words of `text` that `other` has too. A Chinese character counts as a word."""
    words, there = _words(text), set(_words(other))
    return sum(word in there for word in words) / len(words) if words else 0.0


def as_json(answer: dict[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False)


def _pairs(asked: FillableFormat, prompt: Prompt) -> dict[str, Any]:
    """{"pairs": [{"question": …, "answer": …, …}, …]}"""
    items = [_pair_fields(asked, pair) for pair in extract(prompt.text)]
    most = asked.at("properties", "pairs").get("maxItems")
    return {"pairs": [item for item in items if asked.allows(item, *_PAIR)][:most]}


def _pair_fields(asked: FillableFormat, pair: ExtractedPair) -> dict[str, Any]:
    properties = asked.at(*_PAIR, "properties")
    as_text = asked.at(*_PAIR, "properties", "evidence").get("type") == "string"
    fields = asdict(pair) | {"evidence": pair.evidence if as_text else [pair.evidence]}
    return {name: value for name, value in fields.items() if name in properties}


def _check_pairs(asked: FillableFormat) -> None:
    """Raises RequestError if no pair of this model can fit the schema."""
    if not asked.at(*_PAIR, "properties"):
        raise _refusal('it answers {"pairs": [{"question": …, "answer": …, …}]} only')
    number = asked.at("properties", "pairs").get("minItems", 1)
    examples = [_pair_fields(asked, replace(_EXAMPLE, type=kind)) for kind in ("factual", "comparative", "reasoning")]
    errors = [next(asked.validator.iter_errors({"pairs": [example] * number}), None) for example in examples]
    if errors[0] is not None and all(errors):
        raise _refusal(errors[0].message)


def _questions(asked: FillableFormat, prompt: Prompt) -> dict[str, Any]:
    """{"questions": {"factual": […], …}}"""
    path = ("properties", "questions", "properties")
    found: dict[str, list[str]] = {kind: [] for kind in asked.at(*path)}
    for pair in extract(prompt.text):
        if pair.type in found and asked.allows(pair.question, *path, pair.type, "items"):
            found[pair.type].append(pair.question)
    return {"questions": {kind: some[: asked.at(*path, kind).get("maxItems")] for kind, some in found.items()}}


def _answer(asked: FillableFormat, prompt: Prompt) -> dict[str, Any]:
    """An object with some of evidence, reasoning, answerable, answer and question, for the question in the prompt."""
    question = prompt.part("question")
    pair = next((pair for pair in extract(prompt.text) if _words(pair.question) == _words(question)), None)
    fields: dict[str, Any] = {"evidence": [], "reasoning": "", "answerable": pair is not None, "answer": ""}
    if pair is not None:
        fields |= {"evidence": [pair.evidence], "reasoning": pair.reasoning, "answer": pair.answer}
    fields["question"] = question
    return {name: value for name, value in fields.items() if name in asked.at("properties")}


def _marks(asked: FillableFormat, prompt: Prompt) -> dict[str, Any]:
    """{"comment": …, "marks": {criterion: 0 to 10, …}} for an answer; 10 or 0 for a text with or without pairs."""
    answer = prompt.part("answer")
    share = overlap(answer, prompt.part("evidence")) if answer else float(bool(extract(prompt.text)))
    return {"comment": _comment(prompt), "marks": dict.fromkeys(asked.at(*_MARKS), round(10 * share))}


def _numbered_marks(asked: FillableFormat, prompt: Prompt) -> dict[str, Any]:
    """{"comment": …, "marks": {"1": {criterion: 0 to 10, …}, …}} for the numbered questions in the prompt."""
    questions = _NUMBERED.findall(prompt.part("questions"))
    marks = {}
    for number, question in zip(asked.at(*_MARKS), questions, strict=False):
        criteria = asked.at(*_MARKS, number, "properties")
        marks[number] = dict.fromkeys(criteria, round(10 * overlap(question, prompt.text)))
    return {"comment": _comment(prompt), "marks": marks}


def _comment(prompt: Prompt) -> str:
    return _NO_JUDGEMENT.get(language_of(prompt.text).code, _NO_JUDGEMENT["en"])


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _refusal(reason: str) -> RequestError:
    where = "response_format.json_schema.schema"
    return RequestError(f"the extractive model can't fill this schema: {reason}", param=where)
