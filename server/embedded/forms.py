"""The answers of the extractive model to a recipe's stages, in the shape that a request's JSON Schema asks for.

Questions and answers are those that it finds in the text. It can't judge: its marks are shares of words that two texts
have in common, and its comments say so. What it does not find it leaves out.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry

from server.embedded.errors import RequestError
from server.embedded.extract import extract
from server.embedded.pair import Pair
from server.embedded.prompt import Prompt
from server.embedded.schema import Shape
from server.embedded.sentences import is_chinese

_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")
_NUMBERED = re.compile(r"^\d+\.\s*(?:\(\w+\)\s*)?(.*)$", re.MULTILINE)
_NO_JUDGEMENT = (
    "Not a judgement: the extractive model can't judge. Every mark is {share} of 10, {what}.",
    "并非评判：抽取式模型不会评判。每项得分均为 10 分中的 {share} 分，即{what}。",
)
_ANSWER_IN_EVIDENCE = ("the share of the answer's words that its evidence has", "答案中的字词在证据里出现的比例")
_QUESTIONS_IN_TEXT = (
    "the share of each question's words that the text has (here of all of them)",
    "各问题中的字词在文本里出现的比例（此处为合计）",
)
_ANYTHING_TO_ASK = ("10 where it finds anything to ask in the text, else 0", "在文本中找得到可提的问题为 10，否则为 0")


class Form(ABC):
    """A schema that this model can fill."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._whole = Draft202012Validator(dict(schema), registry=Registry())  # an empty one: nothing is fetched

    def fill(self, prompt: Prompt) -> str:
        """The answer as JSON. Raises RequestError if it does not fit the schema."""
        given = self.given(prompt)
        if (error := next(iter(self._whole.iter_errors(given)), None)) is not None:
            raise _refuse(error.message)
        return json.dumps(given, ensure_ascii=False)

    @abstractmethod
    def given(self, prompt: Prompt) -> dict[str, Any]: ...


class QuestionsForm(Form):
    """{"questions": {"factual": […], …}}: those it finds, by type."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        super().__init__(schema)
        lists = schema["properties"]["questions"].get("properties", {})
        self._most: dict[str, int | None] = {kind: array.get("maxItems") for kind, array in lists.items()}
        self._items = {kind: Draft202012Validator(array.get("items", {})) for kind, array in lists.items()}

    def given(self, prompt: Prompt) -> dict[str, Any]:
        pairs = found(prompt.text)
        return {"questions": {kind: self._of(kind, pairs)[:most] for kind, most in self._most.items()}}

    def _of(self, kind: str, pairs: Sequence[Pair]) -> list[str]:
        return [p.question for p in pairs if p.type == kind and self._items[kind].is_valid(p.question)]


class AnswerForm(Form):
    """An object with some of evidence, reasoning, answerable, answer and question, for the question in the prompt."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        super().__init__(schema)
        self._names = frozenset(schema["properties"])

    def given(self, prompt: Prompt) -> dict[str, Any]:
        question = prompt.block("question")
        pair = next((pair for pair in found(prompt.text) if _words(pair.question) == _words(question)), None)
        fields: dict[str, Any] = {
            "evidence": [pair.evidence] if pair else [],
            "reasoning": pair.reasoning if pair else "",
            "answerable": pair is not None,
            "answer": pair.answer if pair else "",
            "question": question,
        }
        return {name: value for name, value in fields.items() if name in self._names}


class MarksForm(Form):
    """{"comment": …, "marks": {criterion: 0 to 10, …}}: of an answer, or of a text where the prompt has no answer."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        super().__init__(schema)
        self._criteria = list(schema["properties"]["marks"]["properties"])

    def given(self, prompt: Prompt) -> dict[str, Any]:
        if prompt.block("answer"):
            share, what = overlap(prompt.block("answer"), prompt.block("evidence")), _ANSWER_IN_EVIDENCE
        else:
            share, what = float(bool(found(prompt.text))), _ANYTHING_TO_ASK
        return {"comment": _comment(prompt, share, what), "marks": dict.fromkeys(self._criteria, round(10 * share))}


class ManyMarksForm(Form):
    """{"comment": …, "marks": {"1": {criterion: 0 to 10, …}, …}}: of the numbered questions in the prompt."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        super().__init__(schema)
        marks = schema["properties"]["marks"]["properties"]
        self._criteria = {number: list(part.get("properties", {})) for number, part in marks.items()}

    def given(self, prompt: Prompt) -> dict[str, Any]:
        questions = _NUMBERED.findall(prompt.block("questions"))
        shares = [overlap(question, prompt.text) for question in questions]
        marks = {
            number: dict.fromkeys(criteria, round(10 * share))
            for (number, criteria), share in zip(self._criteria.items(), shares, strict=False)
        }
        return {
            "comment": _comment(prompt, overlap(" ".join(questions), prompt.text), _QUESTIONS_IN_TEXT),
            "marks": marks,
        }


def overlap(text: str, other: str) -> float:
    """Share of the words (of Chinese: characters) of `text` that `other` has, from 0 to 1."""
    words, there = _words(text), set(_words(other))
    return sum(word in there for word in words) / len(words) if words else 0.0


@lru_cache(maxsize=32)
def form_of(schema: str) -> Form | Shape:
    """For a schema as JSON; kept, since a run sends few schemas with thousands of requests. Raises RequestError."""
    asked = json.loads(schema)
    try:
        Draft202012Validator.check_schema(asked)
    except SchemaError as exc:
        raise _refuse(f"it is not a valid JSON Schema: {exc.message}") from None
    properties = asked.get("properties", {})
    if "questions" in properties:
        return QuestionsForm(asked)
    if "marks" in properties:
        inner = properties["marks"].get("properties", {}).values()
        return ManyMarksForm(asked) if any(part.get("type") == "object" for part in inner) else MarksForm(asked)
    if "answer" in properties:
        return AnswerForm(asked)
    return Shape(asked)


@lru_cache(maxsize=64)
def found(text: str) -> tuple[Pair, ...]:
    """Kept, since all stages of a chunk look at one text."""
    return tuple(extract(text))


def _comment(prompt: Prompt, share: float, what: tuple[str, str]) -> str:
    chinese = is_chinese(prompt.text)
    return _NO_JUDGEMENT[chinese].format(share=f"{10 * share:.1f}", what=what[chinese])


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _refuse(reason: str) -> RequestError:
    return RequestError(
        f"the extractive model can't fill this schema: {reason}", param="response_format.json_schema.schema"
    )
