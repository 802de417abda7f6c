"""docs/asyncapi.yaml: up to date, valid, and true of messages as they are written.

asyncapi-3.0.0.json.gz is the specification's own JSON Schema (npm @asyncapi/specs 6.11.1, Apache-2.0), unchanged.
"""

import gzip
from pathlib import Path

import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator, ValidationError

from schemas import encode
from tests.schemas.test_messages import MESSAGES
from tools.contract import ASYNCAPI

SPECIFICATION = Draft7Validator(
    orjson.loads(gzip.decompress(Path(__file__).with_name("asyncapi-3.0.0.json.gz").read_bytes()))
)
DOCUMENT = yaml.safe_load(ASYNCAPI.read_text(encoding="utf-8"))


def test_it_is_valid_and_another_would_not_be():
    SPECIFICATION.validate(DOCUMENT)
    with pytest.raises(ValidationError):
        SPECIFICATION.validate(DOCUMENT | {"channels": {"x": {"adress": "misspelt"}}})


@pytest.mark.parametrize("kind", MESSAGES)
@settings(max_examples=20)
@given(data=st.data())
def test_messages_are_what_it_says(kind, data):
    payload = DOCUMENT["components"]["messages"][kind.__name__]["payload"]
    schema = payload | {"components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(orjson.loads(encode(data.draw(MESSAGES[kind]))))
