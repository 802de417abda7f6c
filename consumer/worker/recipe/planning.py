"""Plans how many questions of each type are asked about a chunk.

The plan is a function of the chunk's content alone, so equal texts make equal calls.
"""

from collections.abc import Mapping

from configs.recipe_parts import PairPlan
from schemas import Chunk, PairType
from schemas.ids import digest

SCALE = 2**64


def plan_of(chunk: Chunk, plan: PairPlan, language: str) -> dict[PairType, int]:
    """Returns the number of questions by type, without types of which none are asked."""
    share = int(digest("plan", chunk.content_key)[:16], 16)
    wanted = plan.wanted(len(chunk.text), language)
    proportions = {kind: plan.proportions[kind.value] for kind in PairType if kind.value in plan.proportions}
    return {kind: count for kind, count in drawn(share, wanted, proportions).items() if count}


def drawn(share: int, wanted: int, proportions: Mapping[PairType, int]) -> dict[PairType, int]:
    """Divides `wanted` by systematic sampling, which starts at `share` (of SCALE) of a step.

    Each count is its exact part, rounded up or down. The mean over all shares is the exact part (Madow, 1949).
    """
    whole = sum(proportions.values())
    counts, reached, below = {}, 0, 0
    for kind, part in proportions.items():
        reached += part
        upto = (reached * wanted * SCALE + share * whole) // (whole * SCALE)
        counts[kind], below = upto - below, upto
    return counts
