"""Finds the text in a prompt.

The contract with whoever asks: the text stands between a line `<text>` and a line `</text>`, the headings above it
between `<headings>` and `</headings>`. What is between is data: the first opening and the last closing line count, so
nothing in the text can end it early. What is asked stands below it; a question that is to be answered, say, between
`<question>` and `</question>`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server.embedded.errors import RequestError

_OPEN = re.compile(r"^<text>[ \t]*\r?\n", re.MULTILINE)
_CLOSE = re.compile(r"\r?\n</text>[ \t]*$", re.MULTILINE)
_TOKEN = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Prompt:
    """The text, and the task below it."""

    text: str
    task: str

    def block(self, name: str) -> str:
        """What the task has between <name> and </name>; empty if it has none."""
        match = re.search(rf"^<{name}>\n(.*?)\n?</{name}>[ \t]*$", self.task, re.MULTILINE | re.DOTALL)
        return match[1] if match else ""


def prompt_of(messages: Sequence[tuple[str, str]]) -> Prompt:
    """Of the last message that has a text; without one, what the user said last is the text, and the task."""
    for _, content in reversed(messages):
        if (text := framed_text([("", content)])) is not None:
            return Prompt(text, content[[*_CLOSE.finditer(content)][-1].end() :])
    return Prompt(last_question(messages), last_question(messages))


def contents(messages: Any) -> list[tuple[str, str]]:
    """Role and text of each message. Raises RequestError."""
    if not isinstance(messages, list) or not messages:
        raise RequestError("messages must be a list that is not empty", param="messages")
    return [_content(message, position) for position, message in enumerate(messages)]


def framed_text(messages: Sequence[tuple[str, str]]) -> str | None:
    """The text of the last message that has one."""
    for _, content in reversed(messages):
        opening, closings = _OPEN.search(content), list(_CLOSE.finditer(content))
        if opening and closings and closings[-1].start() >= opening.end() - 1:
            return content[opening.end() : max(opening.end(), closings[-1].start())]
    return None


def last_question(messages: Sequence[tuple[str, str]]) -> str:
    """What the user said last."""
    return next((content for role, content in reversed(messages) if role == "user"), messages[-1][1])


def count_tokens(text: str) -> int:
    """A token of this model is a run of letters, digits or Chinese characters; it has no vocabulary to count by."""
    return sum(1 for _ in _TOKEN.finditer(text))


def _content(message: Any, position: int) -> tuple[str, str]:
    where = f"messages[{position}]"
    if not isinstance(message, dict) or not isinstance(role := message.get("role"), str):
        raise RequestError(f"{where} must be an object with a role", param=where)
    content = message.get("content")
    if isinstance(content, list):
        content = "\n".join(_part(part, where) for part in content)
    if not isinstance(content, str | None):
        raise RequestError(f"{where}.content must be a string or a list of text parts", param=f"{where}.content")
    return role, content or ""


def _part(part: Any, where: str) -> str:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(text := part.get("text"), str):
        return text
    raise RequestError(f"{where}.content: this model reads text parts only", param=f"{where}.content")
