"""Bytes to messages and back. The one error that bad bytes can give is DecodeError."""

from typing import TypeVar

import orjson
from pydantic import ValidationError

from .messages import Message

M = TypeVar("M", bound=Message)


class DecodeError(ValueError):
    """The bytes are not a message of the kind asked for."""


def encode(message: Message) -> bytes:
    """JSON in UTF-8 on one line.

    Raises TypeError when a string holds a lone surrogate: such text never came from strict decoding.
    """
    return orjson.dumps(message.model_dump(mode="json", by_alias=True))


def decode(kind: type[M], data: bytes | None) -> M:
    """The message in `data`; DecodeError says what is wrong and where, without quoting the document's text."""
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
    where = ".".join(map(str, errors[0]["loc"])) or "the whole"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{where}: {errors[0]['msg']}{more}"
