"""Writes the rights of each process in docs/security.md: a table, and the commands that grant them."""

from collections.abc import Iterator
from pathlib import Path

from messaging.roles import Need, Role, needs
from schemas.topics import TopicNames
from tools.places import ROOT, between

PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- rights: made by `python -m tools`; do not edit -->\n", "<!-- end of rights -->\n"
_USERS = {Role.PACED_PRODUCER: "qa-producer"}
_WHAT = {
    Role.PRODUCER: "`python -m producer`",
    Role.PACED_PRODUCER: "the same with `--max-backlog` or `--on-done`: the rights of the producer, and",
    Role.WORKER: "`python -m consumer`",
    Role.SINK: "`python -m consumer sink`",
    Role.TOOLS: "`dead-letters`, `verify`, `pipeline status`, `pipeline read`",
    Role.SETUP: "`python -m pipeline topics`",
}


def _lines() -> Iterator[str]:
    names = TopicNames()
    yield "| process | topics | group | transactional ids |\n|---|---|---|---|"
    for role in Role:
        own = _own(role, names)
        cells = (_cell(own, kind) for kind in ("topic", "group", "transactional-id"))
        yield f"| {_WHAT[role]} | {' | '.join(cells)} |"
    yield "\nAs commands for the namespace `qa`, with an administrator's `--bootstrap-server` and `--command-config`:\n"
    for role in Role:
        user = _USERS.get(role, f"qa-{role}")
        yield from (f"    {acl_command(need, user)}" for need in _own(role, names))


def _own(role: Role, names: TopicNames) -> list[Need]:
    known = needs(Role.PRODUCER, names) if role is Role.PACED_PRODUCER else []
    return [need for need in needs(role, names) if need not in known]


def _cell(own: list[Need], kind: str) -> str:
    operations: dict[str, list[str]] = {}
    for need in own:
        if need.kind == kind:
            operations.setdefault(need.name + "*" * need.prefix, []).append(need.operation)
    return "; ".join(f"`{name}` {', '.join(each)}" for name, each in operations.items())


def acl_command(need: Need, principal: str) -> str:
    """Return the command of Kafka's own tool that grants a right."""
    pattern = " --resource-pattern-type prefixed" if need.prefix else ""
    operation = need.operation.capitalize()
    return (
        f"kafka-acls.sh --add --allow-principal User:{principal} --operation {operation} "
        f"--{need.kind} {need.name}{pattern}"
    )


def pages() -> dict[Path, str]:
    return {PAGE: between(PAGE, BEGIN, END, _lines())}
