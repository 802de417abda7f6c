"""A chat request and its completion, in words of our own: no field is named or shaped by one server's API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.messages import Count


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn of the conversation; `role` is `system`, `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The completion has to be JSON that fits `schema`, a JSON Schema; servers know the schema by `name`."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """Everything that decides what a model answers. An option that is None is left to the server.

    `max_tokens` bounds thoughts and answer together. `thinking` switches the thoughts of a reasoning model on or off.
    `priority` is for servers that schedule by it: lower numbers go first. It changes when an answer comes, never what
    the answer is. `extra` holds options that only some servers know, by the names that those servers give them.
    """

    model: str
    messages: tuple[ChatMessage, ...]
    max_tokens: int
    temperature: float | None = None
    response_format: ResponseFormat | None = None
    thinking: bool | None = None
    priority: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prompt(self) -> str:
        """The text of all messages, a line break between two."""
        return "\n".join(message.content for message in self.messages)


@dataclass(frozen=True, slots=True)
class Completion:
    """A finished answer. The server counted the tokens; `endpoint` is the base URL of that server.

    The generation cache stores these fields by their names: a new name makes every cached answer unreadable.
    """

    content: str
    reasoning: str
    endpoint: str
    prompt_tokens: Count
    cached_prompt_tokens: Count
    completion_tokens: Count
