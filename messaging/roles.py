"""The least rights on topics, group and transactional ids that the Kafka user of each process needs.

The tables in docs/security.md are made of this, the processes check it when they start, and the tests grant exactly it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from schemas.topics import TopicNames

Operation = Literal["READ", "WRITE", "CREATE", "DESCRIBE"]


class Role(StrEnum):
    PRODUCER = "producer"
    PACED_PRODUCER = "producer with --max-backlog, --on-done or metrics"
    WORKER = "worker"
    SINK = "sink"
    TOOLS = "tools"
    SETUP = "setup"


@dataclass(frozen=True, slots=True)
class Need:
    """One ACL. `kind` is spelled as kafka-acls does; with `prefix` it holds for all names that begin with `name`."""

    kind: Literal["topic", "group", "transactional-id"]
    name: str
    operation: Operation
    prefix: bool = False


def needs(role: Role, names: TopicNames) -> list[Need]:
    """List the rights of a role. READ and WRITE include DESCRIBE, which all roles but the tools need on every topic."""
    everything = f"{names.namespace}."
    found = [] if role in (Role.PACED_PRODUCER, Role.TOOLS) else [Need("topic", everything, "DESCRIBE", prefix=True)]
    found += [Need("topic", topic, operation) for topic, operation in _on_topics(role, names)]
    match role:
        case Role.PRODUCER | Role.PACED_PRODUCER:
            found.append(Need("transactional-id", names.producer_id(""), "WRITE", prefix=True))
            found.append(Need("transactional-id", f"{names.requests}.", "WRITE", prefix=True))
        case Role.WORKER:
            found.append(Need("group", names.group, "READ"))
            found.append(Need("transactional-id", f"{names.group}.", "WRITE", prefix=True))
        case Role.TOOLS:
            found.append(Need("group", names.group, "DESCRIBE"))
            found.append(Need("transactional-id", names.replay_id, "WRITE"))
        case Role.SETUP:
            found.append(Need("topic", everything, "CREATE", prefix=True))
    return found


def _on_topics(role: Role, names: TopicNames) -> Iterator[tuple[str, Operation]]:
    chunks, files, results, requests, letters = (
        names.chunks, names.files, names.results, names.requests, names.dead_letters
    )  # fmt: skip
    publishing = {chunks: "W", files: "RW", requests: "RW", letters: "W"}
    table = {
        Role.PRODUCER: publishing,
        Role.PACED_PRODUCER: publishing | {results: "R"},
        Role.WORKER: {chunks: "R", results: "RW", letters: "RW"},
        Role.SINK: {results: "R", files: "R"},
        Role.TOOLS: {chunks: "RW", files: "R", results: "R", requests: "W", letters: "RW"},
        Role.SETUP: {},
    }
    for topic, operations in table[role].items():
        for letter in operations:
            yield topic, "READ" if letter == "R" else "WRITE"
