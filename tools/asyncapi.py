"""Describes the topics as an AsyncAPI 3.0 document (asyncapi.com/docs/reference/specification/v3.0.0)."""

from typing import Any

from pydantic.json_schema import models_json_schema

from schemas.messages import Chunk, DeadLetter, LedgerEntry, Message, ReplayMarker, Request, Result
from schemas.topics import TopicNames

KAFKA_BINDING = "0.5.0"
_SCHEMAS = "#/components/schemas/{model}"
_CHANNELS: dict[str, tuple[str, str, tuple[type[Message], ...]]] = {
    "chunks": ("chunks", "content key, so that one worker gets all equal texts", (Chunk,)),
    "files": ("files", "document id", (LedgerEntry,)),
    "results": ("results", "document id", (Result,)),
    "deadLetters": ("dead_letters", "letter, chunk or document id", (DeadLetter, ReplayMarker)),
    "requests": ("requests", "request id; a record without a value says that it is done", (Request,)),
}
"""Channels with the topic's name in TopicNames, the meaning of its key, and its messages."""
KINDS = tuple(kind for _, _, messages in _CHANNELS.values() for kind in messages)
_OPERATIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "producer": {"send": ("chunks", "files", "deadLetters"), "receive": ("files", "requests")},
    "worker": {"send": ("results", "deadLetters"), "receive": ("chunks",)},
    "sink": {"receive": ("results", "files")},
    "tools": {"send": ("chunks", "deadLetters", "requests"), "receive": ("deadLetters",)},
}


def document() -> dict[str, Any]:
    """Make the document for the namespace `qa`."""
    _, schemas = models_json_schema([(kind, "validation") for kind in KINDS], ref_template=_SCHEMAS)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "QAStream",
            "version": "1",
            "description": "Text files become question-answer records. Always read with "
            "isolation.level=read_committed: records of aborted transactions do not count. Ignore unknown fields. "
            "Another namespace has another prefix than qa.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(topic, key, kinds) for name, (topic, key, kinds) in _CHANNELS.items()},
        "operations": {
            f"{process}.{action}.{channel}": {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}
            for process, actions in _OPERATIONS.items()
            for action, channels in actions.items()
            for channel in channels
        },
        "components": {"messages": {kind.__name__: _message(kind) for kind in KINDS}, "schemas": schemas["$defs"]},
    }


def _channel(topic: str, key: str, kinds: tuple[type[Message], ...]) -> dict[str, Any]:
    address = getattr(TopicNames(), topic)
    configs = TopicNames().configs[address].items()
    config = {name: int(value) if value.lstrip("-").isdigit() else [value] for name, value in configs}
    return {
        "address": address,
        "description": f"Key: {key}.",
        "messages": {kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"} for kind in kinds},
        "bindings": {"kafka": {"topicConfiguration": config, "bindingVersion": KAFKA_BINDING}},
    }


def _message(kind: type[Message]) -> dict[str, Any]:
    return {
        "name": kind.model_fields["schema_"].default,
        "summary": " ".join((kind.__doc__ or "").split()),
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": KAFKA_BINDING}},
    }
