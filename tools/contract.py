"""Writes the message contract as JSON Schema (`schemas/json/`) and as AsyncAPI (`docs/asyncapi.yaml`)."""

from pathlib import Path

import orjson
import yaml

from schemas.messages import Chunk, DeadLetter, LedgerEntry, Message, ReplayMarker, Request, Result
from tools.asyncapi import document
from tools.places import ROOT

FOLDER = ROOT / "schemas" / "json"
ASYNCAPI = ROOT / "docs" / "asyncapi.yaml"
KINDS: dict[str, type[Message]] = {
    "chunk": Chunk, "file": LedgerEntry, "result": Result,
    "dead-letter": DeadLetter, "replay": ReplayMarker, "request": Request,
}  # fmt: skip


def render(kind: type[Message]) -> bytes:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | kind.model_json_schema(by_alias=True)
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def pages() -> dict[Path, str]:
    schemas = {FOLDER / f"{name}.json": render(kind).decode() for name, kind in KINDS.items()}
    asyncapi: str = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=120)
    return schemas | {ASYNCAPI: "# Made by `python -m tools`; do not edit.\n" + asyncapi}
