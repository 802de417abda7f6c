"""Pairs in the shape that a request's JSON Schema asks for.

An object with `pairs`, a list of objects with some of type, question, answer, reasoning and evidence. A schema that
asks for anything else is refused; within one that fits, a pair that breaks a bound (maxLength, enum, …) is left out,
never cut. The other schemas that this model can fill are in `forms`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from server.embedded.errors import RequestError
from server.embedded.pair import Pair
from server.embedded.prompt import count_tokens

_PROBE = Pair(
    type="factual",
    question="什么是锗？",
    answer="锗是元素。",
    reasoning="定义。",
    evidence="锗是元素。",
)
_KINDS = ("factual", "comparative", "reasoning", "open")


class Shape:
    """A compiled schema. Raises RequestError if no answer of this model can fit it."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as exc:
            raise _refuse(f"it is not a valid JSON Schema: {exc.message}") from None
        root = _resolved(schema, schema)
        pairs = _resolved(root.get("properties", {}).get("pairs"), schema)
        items = _resolved(pairs.get("items"), schema)
        if not items.get("properties"):
            raise _refuse('it answers {"pairs": [{"question": …, "answer": …, …}]} only')
        self._names = frozenset(items["properties"])
        self._evidence_is_text = _resolved(items["properties"].get("evidence"), schema).get("type") == "string"
        self._most: int | None = pairs.get("maxItems")
        shared = {name: schema[name] for name in ("$defs", "definitions") if name in schema}
        # An empty registry: a reference to elsewhere must not make us fetch it.
        self._item = Draft202012Validator({**items, **shared}, registry=Registry())
        self._whole = Draft202012Validator(dict(schema), registry=Registry())
        try:
            self._check_fillable()
        except Unresolvable as exc:
            raise _refuse(f"a reference in it leads nowhere: {exc.ref}") from None

    def fill(self, pairs: Sequence[Pair], *, max_tokens: int | None = None) -> str:
        """The answer as JSON: whole pairs, as many as the schema and `max_tokens` take. Raises RequestError."""
        shown = [item for pair in pairs if self._item.is_valid(item := self._project(pair))][: self._most]
        content = _as_json({"pairs": shown})
        while shown and max_tokens is not None and count_tokens(content) > max_tokens:
            shown.pop()
            content = _as_json({"pairs": shown})
        if (error := _first_error(self._whole, {"pairs": shown})) is not None:
            raise _refuse(f"the text gives {len(shown)} pairs, and then {error.message}")
        return content

    def _project(self, pair: Pair) -> dict[str, Any]:
        fields = asdict(pair)
        if not self._evidence_is_text:
            fields["evidence"] = [pair.evidence]
        return {name: value for name, value in fields.items() if name in self._names}

    def _check_fillable(self) -> None:
        probes = [self._project(Pair(**asdict(_PROBE) | {"type": kind})) for kind in _KINDS]
        if not any(self._item.is_valid(probe) for probe in probes):
            error = _first_error(self._item, probes[0])
            raise _refuse(error.message if error else "no pair fits it")
        error = _first_error(self._whole, {"pairs": []})
        if error is not None and list(error.absolute_path) != ["pairs"]:
            raise _refuse(error.message)


def all_fields(pairs: Sequence[Pair]) -> str:
    """The answer to `json_object`, which names no schema."""
    return _as_json({"pairs": [asdict(pair) | {"evidence": [pair.evidence]} for pair in pairs]})


def _as_json(answer: dict[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False)


def _resolved(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follows local references; anything but an object schema becomes an empty one."""
    for _ in range(8):
        if not (isinstance(schema, Mapping) and isinstance(reference := schema.get("$ref"), str)):
            break
        target: Any = root
        for part in reference.removeprefix("#").strip("/").split("/"):
            target = target.get(part) if isinstance(target, Mapping) and part else target
        schema = target
    return schema if isinstance(schema, Mapping) else {}


def _first_error(validator: Draft202012Validator, value: Any) -> ValidationError | None:
    return next(iter(validator.iter_errors(value)), None)


def _refuse(reason: str) -> RequestError:
    return RequestError(
        f"the extractive model can't fill this schema: {reason}", param="response_format.json_schema.schema"
    )
