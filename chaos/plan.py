"""Plans the faults of a run: how many of each kind, and as a function of the seed, their order and parameters."""

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

SHARES = {
    "kill": 20, "kill at": 20, "zombie": 4, "stop at": 4, "term": 3, "storm": 2, "kill broker": 2, "restart broker": 1,
    "freeze broker": 1, "kill broker on assignment": 1, "reset connections": 3, "cut": 11, "restart model": 2,
    "corrupt": 2, "refuse records": 1,
}  # fmt: skip
"""Faults of each kind in about a hundred faults of a long run."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A run of fixed size. `every_s` is the mean time between two faults, in seconds."""

    chunks: int
    planted: int
    seed: int
    every_s: float
    deck: Mapping[str, int]
    workers: int = 3


DAILY = Profile(
    chunks=20_000,
    planted=60,
    seed=20,
    every_s=2.0,
    deck={
        "kill": 16, "kill at": len(POINTS), "zombie": 4, "stop at": 5, "term": 1, "storm": 1, "kill broker": 1,
        "restart broker": 1, "freeze broker": 1, "kill broker on assignment": 1, "reset connections": 1, "cut": 4,
        "restart model": 1, "corrupt": 2, "refuse records": 1,
    },
)  # fmt: skip
"""The run that every change has to pass: four to five minutes on one broker."""

SHORT = Profile(
    chunks=2_500,
    planted=16,
    seed=21,
    every_s=1.0,
    deck={
        "kill": 2, "kill at": 5, "zombie": 1, "stop at": 1, "kill broker": 1, "reset connections": 1, "cut": 2,
        "restart model": 1, "corrupt": 1,
    },
)  # fmt: skip
"""The run that is part of the test suite."""


def deck_for(minutes: float, every_s: float) -> dict[str, int]:
    """Returns the deck of a run of any length, with at least one fault of each kind."""
    faults = minutes * 60 / every_s
    total = sum(SHARES.values())
    return {kind: max(1, round(faults * share / total)) for kind, share in SHARES.items()}


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
