"""The decks: how many faults of each kind a run has."""

from collections.abc import Mapping
from dataclasses import dataclass

from chaos.plan import POINTS

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
