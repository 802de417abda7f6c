"""The JSON that each stage asks of the model, and how its answer is read.

The bounds that a schema asks for are enforced when the answer is read, because not every server keeps to them.

The schemas are bounded everywhere, because an unbounded array or string may never end. They use only what guided
decoders support: objects with all properties required, enumerations, bounded arrays and bounded strings. Properties
stand in the order in which the model should think: evidence before the answer, the comment before the marks.
"""

from collections.abc import Iterator, Mapping, Sequence
from json import JSONDecoder
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from configs.recipe_parts import Limits
from consumer.worker.checks.pair import AnsweredPair
from inference.chat import ResponseFormat
from inference.errors import MalformedError
from schemas import PairType

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
Schema = dict[str, Any]
MOST_MARK = 10
MOST_BRACES = 20
"""Places at which an object is looked for among words. It bounds the time for an answer that is braces only."""
_DECODER = JSONDecoder()
Mark = Annotated[int, Field(ge=0, le=MOST_MARK)]


class ModelReply(BaseModel):
    """JSON that a model wrote. Properties that were not asked for are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class AnsweredPairs(ModelReply):
    pairs: tuple[AnsweredPair, ...]


class ProposedQuestions(ModelReply):
    questions: dict[PairType, tuple[str, ...]]


class ModelAnswer(ModelReply):
    """The answer to one question. `answerable` is False where the text does not hold the answer.

    `question` is empty unless the stage also asked for a new question.
    """

    evidence: tuple[str, ...] = ()
    reasoning: str = ""
    answerable: bool = True
    answer: str
    question: str = ""


class CriterionMarks(ModelReply):
    """Marks from 0 to 10, by criterion."""

    comment: str = ""
    marks: dict[str, Mark]


class NumberedMarks(ModelReply):
    """The marks of several questions: by the number of the question, which begins at 1, and by criterion."""

    comment: str = ""
    marks: dict[str, dict[str, Mark]]


def pairs_format(limits: Limits, most: int) -> ResponseFormat:
    """Returns the format for up to `most` questions together with their answers."""
    pair = {
        "type": {"type": "string", "enum": [kind.value for kind in PairType]},
        "question": _text(limits.question_characters),
        "answer": _text(limits.answer_characters),
        "reasoning": _text(limits.reasoning_characters),
        "evidence": _array(_text(limits.quote_characters), limits.quotes),
    }
    return ResponseFormat("pairs", _object({"pairs": _array(_object(pair), most)}))


def questions_format(limits: Limits, plan: Mapping[PairType, int]) -> ResponseFormat:
    """Returns the format for questions, at most as many of each type as planned."""
    question = _text(limits.question_characters)
    lists = {kind.value: _array(question, most) for kind, most in plan.items() if most}
    return ResponseFormat("questions", _object({"questions": _object(lists)}))


def answer_format(limits: Limits) -> ResponseFormat:
    return ResponseFormat("answer", _object(_answer(limits)))


def rewriting_format(limits: Limits) -> ResponseFormat:
    return ResponseFormat("rewriting", _object({"question": _text(limits.question_characters), **_answer(limits)}))


def second_answer_format(limits: Limits) -> ResponseFormat:
    brief = {"answerable": {"type": "boolean"}, "answer": _text(limits.answer_characters)}
    return ResponseFormat("second_answer", _object(brief))


def marks_format(limits: Limits, criteria: Sequence[str]) -> ResponseFormat:
    return ResponseFormat("marks", _object({"comment": _text(limits.comment_characters), "marks": _marks(criteria)}))


def many_marks_format(limits: Limits, criteria: Sequence[str], count: int) -> ResponseFormat:
    """Returns the format for the marks of `count` questions, by their numbers from 1 on."""
    marks = _object({str(n): _marks(criteria) for n in range(1, count + 1)})
    return ResponseFormat("many_marks", _object({"comment": _text(limits.comment_characters), "marks": marks}))


def parse_pairs(content: str, wanted: ResponseFormat) -> tuple[AnsweredPair, ...]:
    """Raises MalformedError."""
    return parse(AnsweredPairs, content, wanted).pairs


def parse_questions(content: str, wanted: ResponseFormat) -> tuple[tuple[PairType, str], ...]:
    """Returns each question with its type, in the order of the types. Raises MalformedError."""
    asked = parse(ProposedQuestions, content, wanted).questions
    return tuple((kind, question) for kind in PairType for question in asked.get(kind, ()))


def parse_marks(content: str, wanted: ResponseFormat, criteria: Sequence[str]) -> CriterionMarks:
    """Raises MalformedError, also when the mark of a criterion is missing."""
    marks = parse(CriterionMarks, content, wanted)
    return marks.model_copy(update={"marks": _all(marks.marks, criteria)})


def parse_many_marks(
    content: str, wanted: ResponseFormat, criteria: Sequence[str], count: int
) -> tuple[CriterionMarks, ...]:
    """Returns the marks of `count` questions in their order. Raises MalformedError."""
    given = parse(NumberedMarks, content, wanted)
    numbered = _all(given.marks, [str(n) for n in range(1, count + 1)])
    return tuple(CriterionMarks(comment=given.comment, marks=_all(marks, criteria)) for marks in numbered.values())


def parse(kind: type[M], content: str, wanted: ResponseFormat) -> M:
    """Reads the first JSON object that fits. It may stand in a fence, after thoughts or among words.

    Raises MalformedError, whose message does not quote the answer.
    """
    problem: MalformedError | None = None
    for text in _objects(content):
        try:
            return kind.model_validate(_bounded(orjson.loads(text), wanted.schema))
        except orjson.JSONDecodeError as exc:
            problem = problem or MalformedError(f"the answer is not JSON: {exc.msg} at character {exc.pos}")
        except ValidationError as exc:
            first = exc.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            problem = MalformedError(f"the answer does not fit the schema: {where}: {first['msg']}")
    assert problem is not None
    raise problem


def _objects(content: str) -> Iterator[str]:
    """The whole answer, then the first JSON objects in what follows its thoughts."""
    yield content
    text, end = content.rpartition("</think>")[2], 0
    for _ in range(MOST_BRACES):
        at = text.find("{", end)
        if at < 0:
            return
        try:
            _, end = _DECODER.raw_decode(text, at)
            yield text[at:end]
        except (ValueError, RecursionError):
            end = at + 1


def _bounded(value: Any, schema: Mapping[str, Any]) -> Any:
    """The value without what exceeds its schema: further items, the rest of long texts, properties of other names.

    A text that is cut fills its bound exactly, as one that the server has cut.
    """
    match value:
        case str():
            return value[: schema.get("maxLength")]
        case list() if "items" in schema:
            return [_bounded(item, schema["items"]) for item in value[: schema["maxItems"]]]
        case dict() if "properties" in schema:
            return {name: _bounded(value[name], part) for name, part in schema["properties"].items() if name in value}
    return value


def _all(given: Mapping[str, T], names: Sequence[str]) -> dict[str, T]:
    if missing := [name for name in names if name not in given]:
        raise MalformedError(f"the answer does not fit the schema: it lacks {', '.join(missing)}")
    return {name: given[name] for name in names}


def _answer(limits: Limits) -> Schema:
    return {
        "evidence": _array(_text(limits.quote_characters), limits.quotes),
        "reasoning": _text(limits.reasoning_characters),
        "answerable": {"type": "boolean"},
        "answer": _text(limits.answer_characters),
    }


def _marks(criteria: Sequence[str]) -> Schema:
    return _object({name: {"type": "integer", "enum": list(range(MOST_MARK + 1))} for name in criteria})


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _array(items: Schema, most: int) -> Schema:
    return {"type": "array", "maxItems": most, "items": items}


def _text(most: int) -> Schema:
    return {"type": "string", "maxLength": most}
