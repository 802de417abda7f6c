"""Turns bytes into messages and back. Bad bytes raise DecodeError and nothing else."""

from typing import TypeVar

import orjson
from pydantic import ValidationError

from .messages import Message

MOST_NAME = 100
M = TypeVar("M", bound=Message)


class DecodeError(ValueError):
    """The bytes are not a message of the expected kind."""


def encode(message: Message) -> bytes:
    """Write a message as JSON in UTF-8 on one line.

    Raises TypeError if a string holds half a surrogate pair, which strictly decoded text never does.
    """
    return orjson.dumps(message.model_dump(mode="json", by_alias=True))


def decode(kind: type[M], data: bytes | None) -> M:
    """Read a message. Raises DecodeError, which says what is wrong and where, and quotes no document text."""
    if data is None:
        raise DecodeError(f"no value where a {kind.__name__} is expected")
    try:
        return kind.model_validate(orjson.loads(data))
    except orjson.JSONDecodeError as exc:
        raise DecodeError(f"not JSON: {exc.msg} at character {exc.pos}") from exc
    except (ValidationError, RecursionError) as exc:
        raise DecodeError(f"not a {kind.__name__}: {_first_problem(exc)}") from exc


def _first_problem(exc: ValidationError | RecursionError) -> str:
    if isinstance(exc, RecursionError):
        return "nested too deeply"
    errors = exc.errors(include_url=False, include_input=False)
    where = repr(".".join(map(str, errors[0]["loc"])))[1:-1][:MOST_NAME] or "the whole"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{where}: {errors[0]['msg']}{more}"
