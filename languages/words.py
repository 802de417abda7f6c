"""Texts as clauses and words: stems in English, single characters in Chinese, figures whole."""

import re
from functools import lru_cache
from itertools import pairwise

import Stemmer

_CLAUSE = re.compile(
    r"[，。；！？!?;\n]|[.,:](?=\s|$)|(?<!\d),(?!\d)|\b(?:but|because|although|though|whereas|while|since)\b|但是?|而(?!且)|因为|所以|因此"
)
WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_\u2e80-\u9fff]+|[\u3400-\u9fff々〇]")

IDLE = frozenset(
    [
        "的",
        "了",
        "是",
        "为",
        "约",
        "会",
        "能",
        "可",
        "以",
        "应",
        "该",
        "须",
        "必",
        "要",
        "有",
        "则",
        "也",
        "就",
        "都",
        "还",
        "仍",
        "其",
        "它",
        "在",
        "与",
        "和",
        "及",
        "并",
        "且",
        "由",
        "被",
        "把",
        "使",
        "令",
        "the",
        "a",
        "an",
        "of",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "it",
        "its",
        "they",
        "their",
        "this",
        "that",
        "to",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "and",
        "or",
        "as",
        "so",
        "then",
        "also",
        "do",
        "doe",
        "did",
        "can",
        "could",
        "may",
        "might",
        "will",
        "would",
        "must",
        "should",
        "has",
        "have",
        "had",
        "yes",
        "about",
        "roughli",
        "than",
        "which",
        "there",
        "some",
        "one",
    ]
)
"""Words that say little by themselves, as stems."""


def clauses(text: str) -> list[str]:
    return [clause for clause in (part.strip() for part in _CLAUSE.split(text)) if clause]


def grams(text: str) -> frozenset[str]:
    """What a text speaks of: stems of its words, pairs of Chinese characters, figures."""
    found = [match[0] for match in WORD.finditer(text)]
    pairs = (a + b for a, b in pairwise(found) if a >= "\u2e80" and b >= "\u2e80")
    return frozenset(pairs) | frozenset(w for w in map(stem, found) if w < "\u2e80" and w not in IDLE)


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


@lru_cache(maxsize=10_000)
def stem(word: str) -> str:
    if not word.isascii() or not word.isalpha():
        return word.replace(",", "")
    lower = word.lower()
    return str(_stemmer().stemWord(_IRREGULAR.get(lower) or _BRITISH.sub(_american, lower)))


def _american(match: re.Match[str]) -> str:
    return match[0].replace("our", "or").replace("is", "iz")


_BRITISH = re.compile(r"(?<=\w{3})our(?=s|ed|ing|s?$)|(?<=\w{4})is(?=e$|es$|ed$|ing$|ation)")
_IRREGULAR = {
    past: verb
    for verb, pasts in {
        "begin": "began begun", "break": "broke broken", "build": "built", "choose": "chose chosen", "drive": "drove driven",
        "fall": "fell fallen", "find": "found", "give": "gave given", "grow": "grew grown", "hold": "held", "keep": "kept",
        "know": "knew known", "lead": "led", "leave": "left", "lose": "lost", "make": "made", "melt": "molten", "rise": "rose risen",
        "see": "saw seen", "show": "shown", "spin": "spun", "take": "took taken", "wear": "wore worn", "write": "wrote written",
        "blow": "blew blown", "tear": "torn", "shoot": "shot", "feel": "felt", "mean": "meant", "light": "lit", "buy": "bought",
        "sell": "sold", "bring": "brought", "teach": "taught", "send": "sent", "spend": "spent", "pay": "paid",
        "say": "said", "stand": "stood", "become": "became", "come": "came", "run": "ran", "shrink": "shrank shrunk", "draw": "drew drawn",
        "throw": "threw thrown", "freeze": "froze frozen", "strike": "struck", "bind": "bound", "feed": "fed", "meet": "met", "win": "won",
        "get": "got gotten", "catch": "caught", "fly": "flew flown", "forbid": "forbade forbidden", "eat": "ate eaten", "think": "thought",
    }.items()
    for past in pasts.split()
    if past != "led"  # an LED in capitals is one too
}  # fmt: skip
