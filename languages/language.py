"""What the program knows about a language, and the set of languages it knows.

Patterns are regular expressions as text. Whoever uses one joins those of all languages (`Languages.either`), since a
technical text mixes languages: a Chinese sentence holds English words and units.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Rewrites = tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]
"""Replacements that are made one after another."""
NEVER = "(?!)"
"""A pattern that matches nothing."""


def rewritten(text: str, rewrites: Rewrites) -> str:
    for pattern, replacement in rewrites:
        text = pattern.sub(replacement, text)
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceMarks:
    """Punctuation. A spaced mark counts only before white space, as the full stop does: "3.5 V." has one."""

    ends: str = ""
    spaced_ends: str = ""
    clause_ends: str = ""
    spaced_clause_ends: str = ""
    abbreviations: frozenset[str] = frozenset()
    """Words, in lower case and without their last full stop, that a full stop follows within a sentence."""


class HeadingForm(NamedTuple):
    """A line that matches `pattern` at its start, as "Chapter 4", is a heading of this level; 1 is the outermost."""

    pattern: re.Pattern[str]
    level: int


class FractionInWords(NamedTuple):
    """A share such as 三分之一 or "half", at `start` to `end` of a text; `step` is the value of its last digit."""

    value: float
    step: float
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Numerals:
    """Numbers in words. `value` gives the number of what `pattern` matches."""

    pattern: str = ""
    value: Callable[[str], float] = float
    ignored: frozenset[str] = frozenset()
    """Matches of `pattern`, in lower case, that are seldom meant as a number: "one"."""
    multiple: str = ""
    """Words after figures that multiply them, longest first: "million"; `multiples` has their factors."""
    multiples: Mapping[str, float] = field(default_factory=dict)
    continuing: str = ""
    """Characters that make another number of the figures before them: 3百."""
    fractions: Callable[[str], Iterator[FractionInWords]] = lambda _: iter(())
    halves: Rewrites = ()
    """Writes "an hour and a half" as "1.5 hour"."""
    months: tuple[str, ...] = ()
    """Names of the twelve months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitNames:
    """Names of units; a definition is that of `languages.units`."""

    prefixed: Mapping[str, str] = field(default_factory=dict)
    """Units that take each of the `prefixes`, which are given with their power of ten."""
    prefixes: Mapping[str, int] = field(default_factory=dict)
    whole: Mapping[str, str] = field(default_factory=dict)
    """Units without prefixes."""
    lengths: Mapping[str, str] = field(default_factory=dict)
    """Units of length, which take `powers`: 平方米."""
    powers: Mapping[str, int] = field(default_factory=dict)
    phrases: str = ""
    """Units of several words."""
    per: str = ""
    """Words that divide by the unit after them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityWords:
    """Words around numbers; the patterns are searched in text that `plain` of the checks gave."""

    between: str = ""
    """Joins the two ends of a range: "to"."""
    joining: str = ""
    """Stands between the parts of "4 h and 18 min"."""
    one: str = ""
    """An article or numeral that means one of the unit after it: "a day"."""
    below_zero: str = ""
    change: str = ""
    """Says of a temperature that it is a difference."""
    periods: Mapping[str, float] = field(default_factory=dict)
    """Spans of time, in seconds, by the name that a group of the two patterns matches."""
    period_after: str = ""
    period_before: str = ""
    year: str = ""
    """A character that makes a date of a number of four figures."""
    about: str = ""
    each: str = ""
    counted: str = ""
    """The beginning of the name of things that are counted."""
    one_of: str = ""
    """Stands directly before the name of one such thing."""
    over: str = ""
    """Characters after a number that mean a little more than it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """Operators in words."""

    power: str = ""
    times: str = ""
    divided: str = ""
    plus: str = ""
    minus: str = ""
    equals: str = ""
    before_minus: str = ""
    """Characters of units that a minus may follow without a space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparisons:
    """Words that negate and compare."""

    neither: str = ""
    """Words that hold such a word and mean no such thing: 不锈, "not only"."""
    no: str = ""
    more: str = ""
    less: str = ""
    high: str = ""
    low: str = ""
    """High and low describe a thing: what is not high is not the same as low."""
    leading: str = ""
    """A clause that belongs to the one after it: "without it"."""
    negation: str = ""
    """A negation right before a quotation, so that the quotation says the opposite of its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordLists:
    idle: frozenset[str] = frozenset()
    """Words that say little by themselves, as stems."""
    reckoning: frozenset[str] = frozenset()
    """Characters of words around numbers."""
    clause_start: str = ""
    """Conjunctions that begin a clause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionForms:
    """How questions are put. The patterns ignore case."""

    why: str = ""
    when: str = ""
    where: str = ""
    who: str = ""
    cause: str = ""
    """Words to leave out where the question is why."""
    polite: str = ""
    either: str = ""
    """Joins the two sides of an either-or question, which is none for yes or no."""
    whether: str = ""
    how: str = ""
    defines: str = ""
    amount: str = ""
    which: str = ""
    order: str = ""
    """Ends at a word whose two sides must not change places: "than"."""
    passive: str = ""
    baseline: str = ""
    """A part at any place that names what is compared with."""
    rewrites: Rewrites = ()
    """Other ways to ask, made one before the kind of the question is told."""
    ordinals: Rewrites = ()
    phrases: Rewrites = ()
    """Phrases that mean the same, made one before words are compared."""
    contractions: Rewrites = ()
    frame: str = ""
    """Words that only make a question of a sentence."""
    idle: frozenset[str] = frozenset()
    synonyms: Mapping[str, str] = field(default_factory=dict)
    """Stems and the stem that stands for each."""
    light: frozenset[str] = frozenset()
    """Words that one of two equal questions may have and the other not."""
    narrowing: frozenset[str] = frozenset()
    """Words that make another question, as stems."""
    implied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Words that say nothing more beside the key."""
    labels: str = ""
    """Labels before a question or an answer."""
    yes_or_no: str = ""
    choice: str = ""


def spoken_of(question: str, outside: Mapping[str, re.Pattern[str]]) -> Iterator[str]:
    """The first match of each pattern, with the name of the thing outside that it points at."""
    for what, pattern in outside.items():
        if match := pattern.search(question):
            yield f"speaks of {what}: {match[0].strip('，, ')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PointingWords:
    """Words by which a question points at something outside itself."""

    found: Callable[[str], Iterator[str]] = lambda _: iter(())
    """Yields each such word of a question with what it points at."""
    options: str = ""
    """Begins a list of things to choose from, besides a colon."""
    joining: str = ""
    """Joins the things of such a list."""
    choice: str = ""
    """Points at such a list, which is in the question itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language. The parts without a default are what it takes to split, name and recognise texts.

    A change of `sentences` or `headings` splits texts differently: raise `producer.text.splitting.RULES` with it.
    """

    code: str
    """ISO 639-1 code: the suffix of prompt files, and `language` of a pair."""
    name: str
    claims: Callable[[str], bool]
    """True when a text is in this language, and not in one that comes later in `Languages`."""
    accepts: Callable[[str], bool]
    """True when a question or an answer is in this language; names, numbers and units are in any."""
    sentences: SentenceMarks = SentenceMarks()
    headings: tuple[HeadingForm, ...] = ()
    heading_starts: str = ""
    """Every character that a heading of one of these forms begins with."""
    numerals: Numerals = Numerals()
    units: UnitNames = UnitNames()
    quantities: QuantityWords = QuantityWords()
    arithmetic: Arithmetic = Arithmetic()
    words: WordLists = WordLists()
    comparisons: Comparisons = Comparisons()
    questions: QuestionForms = QuestionForms()
    pointing: PointingWords = PointingWords()


class Languages:
    """Languages in the order in which they are asked whether a text is theirs; the last one takes all others."""

    def __init__(self, *known: Language) -> None:
        self._known = {language.code: language for language in known}
        self._last = known[-1]

    def __iter__(self) -> Iterator[Language]:
        return iter(self._known.values())

    def __getitem__(self, code: str) -> Language:
        return self._known[code]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(self._known)

    def of(self, text: str) -> Language:
        """The language that a text is in."""
        return next((language for language in self if language.claims(text)), self._last)

    def either(self, pattern: Callable[[Language], str]) -> str:
        """The patterns of all languages as alternatives."""
        return "|".join(filter(None, map(pattern, self))) or NEVER

    def union(self, words: Callable[[Language], frozenset[str]]) -> frozenset[str]:
        return frozenset().union(*map(words, self))
