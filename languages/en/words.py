"""English stems, words that say little by themselves, and conjunctions."""

import re
from functools import lru_cache

import Stemmer

from languages.language import WordLists

WORDS = WordLists(
    idle=frozenset(
        "the a an of is are was were be been it its they their this that to in on at by for from and or as so then "
        "also do doe did can could may might will would must should has have had yes about roughli than which "
        "there some one".split()
    ),
    clause_start=r"\b(?:but|because|although|though|whereas|while|since)\b",
)


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
