"""Finds the text and the task in a prompt.

The recipes' prompts put the text between a line `<text>` and a line `</text>`, and the task below it. The first opening
and the last closing line count, so that nothing in the text can end it early. The task has its own parts, for example
the question to answer between `<question>` and `</question>`.
"""

import re
from dataclasses import dataclass
from typing import Any

from server.embedded.errors import RequestError

_FRAME = re.compile(
    r"^<text>[ \t]*\r?\n(?:(?P<text>.*?)\r?\n)??</text>[ \t]*$(?!.*^</text>[ \t]*$)", re.MULTILINE | re.DOTALL
)
TOKEN = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Prompt:
    """The text of a prompt and the task below it. `framed` is false where no message has a framed text."""

    text: str
    task: str
    framed: bool = True

    def part(self, name: str) -> str:
        """The part of the task between <name> and </name>, "" if there is none."""
        match = re.search(rf"^<{name}>\n(.*?)\n?</{name}>[ \t]*$", self.task, re.MULTILINE | re.DOTALL)
        return match[1] if match else ""


def prompt_of(messages: list[tuple[str, str]]) -> Prompt:
    """The prompt of the last message with a framed text; without one, the user's last message is text and task."""
    for _, content in reversed(messages):
        if match := _FRAME.search(content):
            return Prompt(match["text"] or "", content[match.end() :])
    question = next((content for role, content in reversed(messages) if role == "user"), messages[-1][1])
    return Prompt(question, question, framed=False)


def contents(messages: Any) -> list[tuple[str, str]]:
    """Role and content of each message. Raises RequestError."""
    if not isinstance(messages, list) or not messages:
        raise RequestError("messages must be a list that is not empty", param="messages")
    return [_content(message, f"messages[{position}]") for position, message in enumerate(messages)]


def count_tokens(text: str) -> int:
    """Number of tokens. A token of this model is a run of letters, digits or Chinese characters."""
    return sum(1 for _ in TOKEN.finditer(text))


def _content(message: Any, where: str) -> tuple[str, str]:
    if not isinstance(message, dict) or not isinstance(role := message.get("role"), str):
        raise RequestError(f"{where} must be an object with a role", param=where)
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"text": content or ""}]
    texts = [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
    if len(texts) < len(parts):
        raise RequestError(f"{where}.content must be a string or a list of text parts", param=f"{where}.content")
    return role, "\n".join(texts)
