"""Converts a record's value to a line of a segment, and back."""

import base64

import orjson

WRAPPED = "qastream.raw/1"
"""Schema of a line that stands for a value that can't be a line: no value, or a value with a line end in it."""
WRAPPED_PREFIX = b'{"schema":"qastream.raw/1",'


def to_line(value: bytes | None) -> bytes:
    """Returns the line for a value, line end included. It has the value's own bytes, unless they can't be a line."""
    if value is not None and b"\n" not in value and not value.startswith(WRAPPED_PREFIX):
        return value + b"\n"
    content = None if value is None else base64.b64encode(value).decode()
    return orjson.dumps({"schema": WRAPPED, "base64": content}) + b"\n"


def from_line(line: bytes) -> bytes | None:
    """Returns the value for which `to_line` made this line; the line end may be missing."""
    line = line.removesuffix(b"\n")
    if not line.startswith(WRAPPED_PREFIX):
        return line
    content = orjson.loads(line)["base64"]
    return None if content is None else base64.b64decode(content)
