"""Comparison of questions. Two ask the same if they have the same words, apart from words that only make a question.

A share of common words would not do: one other number, name or "not" makes another question, however long the rest is.
"""

import re
from collections import Counter
from dataclasses import dataclass

from consumer.worker.checks.quantities import plain, quantities
from languages import LANGUAGES
from languages.language import rewritten
from languages.words import WORD, stem

_FORMS = [language.questions for language in LANGUAGES]
_KINDS = {
    "why": LANGUAGES.pattern(lambda it: it.questions.why),
    "when": LANGUAGES.pattern(lambda it: it.questions.when),
    "where": LANGUAGES.pattern(lambda it: it.questions.where),
    "who": LANGUAGES.pattern(lambda it: it.questions.who),
}
_CAUSE = LANGUAGES.pattern(lambda it: it.questions.cause)
_POLITE = LANGUAGES.pattern(lambda it: it.questions.polite)
_WHETHER = re.compile(
    rf"^(?!.*(?:{LANGUAGES.either(lambda it: it.questions.either)}))"
    rf"(?:{LANGUAGES.either(lambda it: it.questions.whether)})",
    re.IGNORECASE,
)
_HOW = LANGUAGES.pattern(lambda it: it.questions.how)
_DEFINES = LANGUAGES.pattern(lambda it: it.questions.defines)
_AMOUNT = LANGUAGES.pattern(lambda it: it.questions.amount)
_WHICH = LANGUAGES.pattern(lambda it: it.questions.which)
_ORDER = LANGUAGES.pattern(lambda it: it.questions.order)
_PASSIVE = LANGUAGES.pattern(lambda it: it.questions.passive)
_BASELINE = LANGUAGES.pattern(lambda it: it.questions.baseline)
_FRAMES = [re.compile(forms.frame, re.IGNORECASE) for forms in _FORMS if forms.frame]
_IDLE = LANGUAGES.union(lambda it: it.questions.idle)
_LIGHT = LANGUAGES.union(lambda it: it.questions.light)
_NARROWS = LANGUAGES.union(lambda it: it.questions.narrowing)
_SYNONYMS = {word: shown for forms in _FORMS for word, shown in forms.synonyms.items()}
_IMPLIED = {word: others for forms in _FORMS for word, others in forms.implied.items()}
LEAST_SHARED = 3
LEAST_SHARED_OF_ONE_MORE = 5
_ALIAS = re.compile(r"\((?:[A-Z][\w-]{1,11}|[\u4e00-\u9fff]{2,12})\)")
_MARK = re.compile(r"%|(?<![\w)])-(?=\d)|[<>=≤≥]")


@dataclass(frozen=True, slots=True)
class Asked:
    """The content of a question. `before` are the words up to a comparison or a verb whose sides matter."""

    kind: str
    how: bool
    defines: bool
    amount: bool
    which: bool
    words: Counter[str]
    before: Counter[str]


def asked(question: str) -> Asked:
    text = _ALIAS.sub(" ", plain(question).replace("’", "'"))
    for forms in _FORMS:
        text = rewritten(text, forms.rewrites)
    kind = next((kind for kind, pattern in _KINDS.items() if pattern.search(text)), "")
    kind = kind or ("whether" if _WHETHER.search(_POLITE.sub("", text)) else "")
    baseline = _BASELINE.search(text)
    order = _ORDER.search(text)
    before = text[: order.end()] if order else text.replace(baseline[0], "") if baseline else ""
    if _PASSIVE.search(text):
        before = ""
    if kind == "why":
        text, before = _CAUSE.sub(" ", text), _CAUSE.sub(" ", before)
    how, defines, amount, which = (pattern.search(text) is not None for pattern in (_HOW, _DEFINES, _AMOUNT, _WHICH))
    return Asked(kind, how, defines, amount, which, words_of(text), words_of(before))


def same(one: Asked, other: Asked) -> bool:
    if one.kind != other.kind or not one.words or _conflict(one, other) or _conflict(other, one):
        return False
    left, right = one.words - other.words, other.words - one.words
    if (one.words & other.words).total() >= LEAST_SHARED:
        left, right = _without_light(left), _without_light(right)
    if _one_more(left | right, one.words & other.words) and not (left and right):
        return not _swapped(one, other)
    return _spelled_alike(left, right) and not _swapped(one, other)


def _one_more(extra: Counter[str], shared: Counter[str]) -> bool:
    """True when the difference is one English word among many, and this word does not narrow the question."""
    words = [word for word in extra if word.isascii() and word.isalpha() and word not in _NARROWS]
    return len(words) == extra.total() == 1 and shared.total() >= LEAST_SHARED_OF_ONE_MORE


def _without_light(words: Counter[str]) -> Counter[str]:
    return Counter({word: count for word, count in words.items() if word not in _LIGHT})


def _conflict(one: Asked, other: Asked) -> bool:
    """True when one asks how and the other for a definition, or one how many and the other which."""
    return (one.how and other.defines) or (one.amount and ((other.which and not one.which) or other.defines))


def _spelled_alike(left: Counter[str], right: Counter[str]) -> bool:
    """True for different spellings such as "band gap" and "bandgap"."""
    return "".join(left.elements()) == "".join(right.elements())


def _swapped(one: Asked, other: Asked) -> bool:
    """True when the two sides of a comparison or sequence changed places: "A than B", "B than A"."""
    return bool(one.before - other.before and other.before - one.before)


def words_of(text: str) -> Counter[str]:
    """The words of a text without those that only make a question. Repeated Chinese characters are counted."""
    for forms in _FORMS:
        text = rewritten(text, forms.ordinals)
    found, text = _figures(text)
    for forms in _FORMS:
        text = rewritten(text, forms.phrases)
    for frame in _FRAMES:
        text = frame.sub(" ", text)
    found.update(_MARK.findall(text))
    for forms in _FORMS:
        text = rewritten(text, forms.contractions)
    for word in WORD.findall(text):
        if word.lower() not in _IDLE:
            root = stem(word)
            found[_SYNONYMS.get(root, root)] += 1
    for word in found.keys() & _IMPLIED.keys():
        for other in _IMPLIED[word]:
            del found[other]
    return Counter({word: 1 if word < "\u2e80" else count for word, count in found.items()})


def _figures(text: str) -> tuple[Counter[str], str]:
    """Numbers by value and unit, and the text without them. "2 h" and "two hours" are the same number."""
    found: Counter[str] = Counter()
    for quantity in reversed(quantities(text)):
        found[f"{quantity.size:.6g} {quantity.unit.dimensions if quantity.unit else ''}"] += 1
        text = f"{text[: quantity.start]} {text[quantity.end :]}"
    return found, text
