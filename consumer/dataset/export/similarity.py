"""When two texts are nearly the same characters.

Similarity is the Jaccard index of character n-grams, of letters and digits only: 2-grams where Chinese characters are,
3-grams elsewhere.
"""

import re
import unicodedata

PERMUTATIONS = 64
RECALL = 0.99
OTHER = re.compile(r"[\W_]+")
CHINESE = re.compile("[\u3400-\u9fff]")


def plain(text: str) -> str:
    """In one form and case, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def fold(text: str) -> str:
    """Letters and digits only, in one form and case, words apart."""
    return OTHER.sub(" ", plain(text)).strip()


def shingles(folded: str) -> frozenset[str]:
    """Of what `fold` gives; the text itself where it is shorter than one."""
    size = 2 if CHINESE.search(folded) else 3
    return frozenset({folded[i : i + size] for i in range(max(1, len(folded) - size + 1))})


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def band_rows(threshold: float) -> int:
    """Rows of a band of MinHash: as many as find `RECALL` of the texts that are as similar as `threshold`."""
    sizes = (rows for rows in range(PERMUTATIONS, 0, -1) if _found(threshold, rows) >= RECALL)
    return next(sizes, 1)


def _found(similarity: float, rows: int) -> float:
    """Probability that texts of that similarity share a band (Leskovec et al., Mining of Massive Datasets, 3.4)."""
    return 1 - (1 - similarity**rows) ** (PERMUTATIONS // rows)
