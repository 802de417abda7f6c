"""`python -m schemas`: writes `schemas/json/`, the contract as JSON Schema, and `docs/asyncapi.yaml`."""

from pathlib import Path

import orjson
import yaml

from .asyncapi import document
from .messages import Chunk, DeadLetter, LedgerEntry, Message, ReplayMarker, Request, Result

FOLDER = Path(__file__).parent / "json"
ASYNCAPI = Path(__file__).resolve().parent.parent / "docs" / "asyncapi.yaml"
KINDS: dict[str, type[Message]] = {
    "chunk": Chunk,
    "file": LedgerEntry,
    "result": Result,
    "dead-letter": DeadLetter,
    "replay": ReplayMarker,
    "request": Request,
}


def render(kind: type[Message]) -> bytes:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | kind.model_json_schema(by_alias=True)
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def render_asyncapi() -> str:
    text: str = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=120)
    return "# Made by `python -m schemas`; do not edit.\n" + text


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, kind in KINDS.items():
        (FOLDER / f"{name}.json").write_bytes(render(kind))
    ASYNCAPI.write_text(render_asyncapi(), encoding="utf-8")


if __name__ == "__main__":
    main()
