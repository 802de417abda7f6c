"""English stems, words that say little by themselves, and conjunctions."""

import re
from functools import lru_cache

import Stemmer

from languages.language import WordLists

_NEITHER = (
    r"not only|more or less|up to|over time|no longer than|no one|as long as|so long as|long[- ]term|short[- ]term|"
    r"higher-\w+|rising edge|falling edge|in order to"
)
_NO = (
    r"not|cannot|never|no|none|neither|nor|without|lacks?|lacking|unable|prevent\w*|avoid\w*|hardly|free (?:of|"
    r"from)|fails? to|failed to|keep(?:s|ing)?(?=\b.*\bfrom\b)|(?:do|does|did|is|are|was|were|ca|could|wo|would|"
    r"should|must|need|has|have|had)n't"
)
_MORE = (
    r"higher|highest|above|over|more|most|greater|greatest|larger|largest|bigger|longer|increas\w*|ris\w+|rose|"
    r"exceed\w*|rais\w*|at least|faster|wider|thicker|stronger|deeper|brighter|hotter|gain\w*|grow\w*|grew|grown|"
    r"maximum|after|better|up|improv\w*|lengthen\w*|widen\w*|broaden\w*|deepen\w*|thicken\w*|strengthen\w*|"
    r"enhanc\w*|boost\w*|accelerat\w*|speed(?:s|ed)? up|expand\w*|doubl(?:e[sd]|ing)|tripl(?:e[sd]|ing)|promot\w*|"
    r"heat(?:s|ed)(?: up)?|extend\w*|amplif\w*|maximi[sz]\w*"
)
_LESS = (
    r"lower|lowest|lower(?:s|ed|ing)|below|under|less|least|fewer|fewest|smaller|smallest|shorter|decreas\w*|"
    r"fall\w*|fell|drop\w*|reduc\w*|at most|slower|narrower|thinner|weaker|shallower|dimmer|colder|cooler|"
    r"los[et]\w*|minimum|before|worse\w*|down|shorten\w*|narrow(?:s|ed|ing)|weaken\w*|slow(?:s|ed|ing)?(?: down)?|"
    r"shrink\w*|shrank|shrunk|declin\w*|diminish\w*|degrad\w*|delay(?:s|ed)|halv\w+|suppress\w*|inhibit\w*|"
    r"hinder\w*|cool(?:s|ed)(?: down)?|contract(?:s|ed|ing)|minimi[sz]\w*"
)
_PREFIX = (
    r"\b(?:un(?!i|der|til|less|cle)|non-?)(?=[a-z]{3,}(?:ed|ing|able|al|ar|ent|ant|ic|ful|tile|n)\b)|\bin(?=(?:soluble|sensitive|dependent|active|"
    r"complete|visible|sufficient|stable|direct|accurate|effective|organic|flexible)\w*\b)"
)


def _words(alternatives: str) -> str:
    return rf"\b(?:{alternatives})\b"


WORDS = WordLists(
    idle=frozenset(
        "the a an of is are was were be been it its they their this that to in on at by for from and or as so then "
        "also do doe did can could may might will would must should has have had yes about roughli than which "
        "there some one".split()
    ),
    clause_start=r"\b(?:but|because|although|though|whereas|while|since)\b",
    neither=_words(_NEITHER),
    no=f"{_words(_NO)}|{_PREFIX}",
    more=_words(_MORE),
    less=_words(_LESS),
    high=_words("high|large|long|big|fast|wide|thick|strong|positive|directly|deep|hot|bright|first"),
    low=_words("low|small|short|slow|narrow|thin|weak|negative|inversely|shallow|cold|dark|last"),
    leading=r"with(?:out)? (?:it|them|this|that|these|those)",
    negation=r"\b(?:not|never|no|without|cannot|(?:do|does|did|is|are|was|were|ca|could|wo|would|should|must|need|has|have|had)nt) ?",
)


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


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
