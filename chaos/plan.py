"""Plans the faults of a run, their order and their parameters, as a function of the seed."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FLUSH = ("worker.flush.begun", "worker.flush.sent", "worker.flush.offsets", "worker.flush.committed")
TAKEOVER = ("worker.takeover.begun", "worker.takeover.fenced", "worker.takeover.found", "worker.takeover.resumed")
ANSWER = ("worker.answered", "worker.cached", "cache.inserted", "cache.committed")
END = ("worker.end.begun", "worker.end.flushed")
FIRST = ("worker.first.offsets", "worker.first.committed")
"""Steps that only the first workers of a namespace reach."""
POINTS = (*FLUSH, *TAKEOVER, *ANSWER, *END)
CUTS = ("PRODUCE", "ADD_PARTITIONS_TO_TXN", "ADD_OFFSETS_TO_TXN", "TXN_OFFSET_COMMIT", "END_TXN", "INIT_PRODUCER_ID",
        "OFFSET_FETCH", "FETCH", "JOIN_GROUP", "SYNC_GROUP", "HEARTBEAT")  # fmt: skip
CORRUPTIONS = ("garbage", "truncate", "delete", "flip")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, which comes after a pause of `after_s` seconds."""

    kind: str
    after_s: float
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        shown = " ".join(f"{name}={value}" for name, value in self.parameters.items() if name != "victim")
        return f"{self.kind} {shown}".strip()


def make_plan(deck: Mapping[str, int], *, seed: int, every_s: float) -> list[Fault]:
    """Returns all faults of the deck in random order. The deck has the number of faults by kind."""
    rng = random.Random(seed)
    kinds = [kind for kind, count in sorted(deck.items()) for _ in range(count)]
    rng.shuffle(kinds)
    numbers: dict[str, int] = {}
    plan = []
    for kind in kinds:
        number = numbers[kind] = numbers.get(kind, -1) + 1
        plan.append(Fault(kind, every_s * rng.uniform(0.3, 1.7), _parameters(kind, number, rng)))
    return plan


def _parameters(kind: str, number: int, rng: random.Random) -> dict[str, Any]:
    """`number` counts the faults of a kind. Steps and requests take turns, so that a large deck reaches all of them."""
    common: dict[str, Any] = {"victim": rng.random()}
    match kind:
        case "kill at":
            point = POINTS[number % len(POINTS)]
            return common | {"point": point, "at": rng.randint(1, 4 if point in (*FLUSH, *ANSWER) else 2)}
        case "stop at":
            point = FLUSH[number % len(FLUSH)] if number % 2 == 0 else TAKEOVER[number // 2 % len(TAKEOVER)]
            return common | {"point": point, "at": rng.randint(1, 2)}
        case "cut":
            return common | {"api": CUTS[number % len(CUTS)], "cut": rng.choice(("before", "after"))}
        case "storm":
            return common | {"workers": rng.randint(5, 8)}
        case "corrupt":
            return common | {"how": CORRUPTIONS[number % len(CORRUPTIONS)]}
        case "freeze broker":
            return common | {"seconds": round(rng.uniform(3, 8), 1)}
        case _:
            return common
