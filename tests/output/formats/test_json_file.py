"""The head of a document's JSON file, by which sink and verify know of which promise it was made."""

from pathlib import Path

import orjson

from ledger.promise import Promise
from output.formats.json_file import SCHEMA, JsonFiles
from tests.support.outcomes import make_document


def test_a_head_of_any_length_is_read(tmp_path: Path) -> None:
    document = make_document("a.md").model_copy(update={"title": "long " * 50_000})
    promise = Promise(document=document, generation=0, chunks=1, sha256="0" * 64)
    head = orjson.dumps({"schema": SCHEMA, **promise.model_dump(mode="json")})
    (tmp_path / "a.md.json").write_bytes(head[:-1] + b',\n"pairs":[\n]}\n')
    assert JsonFiles().promise_in(tmp_path / "a.md.json") == promise
