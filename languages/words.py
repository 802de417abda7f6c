"""Division of a text into clauses and words. A word is an English word, one Chinese character or one figure."""

import re
from functools import lru_cache, reduce
from itertools import pairwise

from languages import LANGUAGES

_CLAUSE = re.compile(
    rf"[，。；！？!?;\n]|[.,:](?=\s|$)|(?<!\d),(?!\d)|{LANGUAGES.either(lambda it: it.words.clause_start)}"
)
WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_\u2e80-\u9fff]+|[\u3400-\u9fff々〇]")
IDLE = LANGUAGES.union(lambda it: it.words.idle)


@lru_cache(maxsize=10_000)
def stem(word: str) -> str:
    """The word without its endings, as words are compared."""
    return reduce(lambda shortened, language: language.stem(shortened), LANGUAGES, word)


def clauses(text: str) -> list[str]:
    return [clause for clause in (part.strip() for part in _CLAUSE.split(text)) if clause]


def grams(text: str) -> frozenset[str]:
    """The content of a text: the stems of its words, pairs of neighbouring Chinese characters, and figures."""
    found = [match[0] for match in WORD.finditer(text)]
    pairs = (a + b for a, b in pairwise(found) if a >= "\u2e80" and b >= "\u2e80")
    return frozenset(pairs) | frozenset(w for w in map(stem, found) if w < "\u2e80" and w not in IDLE)
