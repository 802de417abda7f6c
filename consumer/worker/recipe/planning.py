"""Which questions are asked of a chunk: a function of its content alone, so that equal texts stay equal calls."""

from collections.abc import Mapping

from configs.recipe_parts import PairPlan
from schemas import Chunk, PairType
from schemas.ids import digest

SCALE = 2**64


def plan_of(chunk: Chunk, plan: PairPlan, language: str) -> dict[PairType, int]:
    """Questions by type; types of which none are asked are left out."""
    share = int(digest("plan", chunk.content_key)[:16], 16)
    wanted = plan.wanted(len(chunk.text), language)
    proportions = {kind: plan.proportions[kind.value] for kind in PairType if kind.value in plan.proportions}
    return {kind: count for kind, count in drawn(share, wanted, proportions).items() if count}


def drawn(share: int, wanted: int, proportions: Mapping[PairType, int]) -> dict[PairType, int]:
    """`wanted` divided by systematic sampling, begun at `share` (of SCALE) of a step.

    Each count is its exact part rounded up or down, and on the average over all shares it is exact (Madow, 1949).
    """
    whole = sum(proportions.values())
    counts, reached, below = {}, 0, 0
    for kind, part in proportions.items():
        reached += part
        upto = (reached * wanted * SCALE + share * whole) // (whole * SCALE)
        counts[kind], below = upto - below, upto
    return counts
