"""What the size of a chunk is counted in: characters, or tokens of a model."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from producer.errors import SettingsError
from schemas.ids import digest

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class Measure(Protocol):
    """`name` identifies it: chunks of another measure are other chunks."""

    @property
    def name(self) -> str: ...

    def size(self, text: str) -> int: ...

    def tail(self, text: str, most: int) -> str:
        """The end of `text`, of at most that size."""


class Characters:
    name = "characters"

    def size(self, text: str) -> int:
        return len(text)

    def tail(self, text: str, most: int) -> str:
        return text[-most:] if most else ""


class Tokens:
    """Of a tokenizer, without the special ones that a model's prompt adds.

    A chunk is counted as the sum of its units: that is what its whole text has, or some tokens more.
    """

    def __init__(self, tokenizer: "Tokenizer") -> None:
        self._tokenizer = tokenizer

    @cached_property
    def name(self) -> str:
        return f"tokens {digest(self._tokenizer.to_str())}"

    def size(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def tail(self, text: str, most: int) -> str:
        offsets = self._tokenizer.encode(text, add_special_tokens=False).offsets
        first = max(0, len(offsets) - most)
        while first < len(offsets):
            tail = text[offsets[first][0] :]
            over = self.size(tail) - most  # by itself it may have more tokens than it had within the text
            if over <= 0:
                return tail
            first += over
        return ""


def load_tokens(name: str) -> Tokens:
    """Of a tokenizer.json, of a model's directory that has one, or of a model by its name on the Hugging Face hub.

    Raises SettingsError.
    """
    try:
        from tokenizers import Tokenizer  # noqa: PLC0415 - an extra, and slow to load
    except ImportError:
        raise SettingsError(
            "--chunk-tokens needs the package tokenizers: .tools/bin/uv sync --inexact --extra tokens"
        ) from None
    path = Path(name)
    try:
        if path.is_dir():
            return Tokens(Tokenizer.from_file(str(path / "tokenizer.json")))
        return Tokens(Tokenizer.from_file(name) if path.exists() else Tokenizer.from_pretrained(name))
    except Exception as exc:  # noqa: BLE001 - the library's errors are bare Exceptions
        raise SettingsError(
            f"--tokenizer {name}: {exc}. It takes a tokenizer.json, a model's directory with one, "
            "or a model's name on the Hugging Face hub"
        ) from None
