"""Measures of the size of a chunk: characters, or tokens of a model."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from configs.errors import SettingsError
from schemas.ids import digest

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class Measure(Protocol):
    """A measure. Its `name` goes into the splitter hash, because another measure makes other chunks."""

    @property
    def name(self) -> str: ...

    def size(self, text: str) -> int: ...

    def tail(self, text: str, most: int) -> str:
        """The longest end of `text` whose size is at most `most`."""


class Characters:
    name = "characters"

    def size(self, text: str) -> int:
        return len(text)

    def tail(self, text: str, most: int) -> str:
        return text[-most:] if most else ""


class Tokens:
    """Counts tokens of a tokenizer, without the special tokens that a prompt adds.

    The size of a chunk is the sum over its units, which is the number of tokens of its text or a few more.
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
            over = self.size(tail) - most  # alone it may have more tokens than within the text
            if over <= 0:
                return tail
            first += over
        return ""


def load_tokens(name: str) -> Tokens:
    """Load a tokenizer from a tokenizer.json, a model's directory, or the Hugging Face hub by the name of a model.

    Raises SettingsError when there is none, or the package `tokenizers` is missing.
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
