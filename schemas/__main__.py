"""`python -m schemas`: writes `schemas/json/`, the contract as JSON Schema."""

from pathlib import Path

import orjson

from schemas.messages import Chunk, DeadLetter, LedgerEntry, Message, ReplayMarker, Request, Result

FOLDER = Path(__file__).parent / "json"
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


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, kind in KINDS.items():
        (FOLDER / f"{name}.json").write_bytes(render(kind))


if __name__ == "__main__":
    main()
