"""The description of one language, and the set of languages that the program knows.

A pattern is a regular expression as text. Its user joins the patterns of all languages (`Languages.either`), because a
technical text mixes languages: a Chinese sentence holds English words and units. An empty pattern is left out.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

Rewrites = tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]
"""Patterns and their replacements; each pair works on the result of the pair before it."""
Words = Mapping[str, str]
Stems = frozenset[str]
NEVER = "(?!)"
"""A pattern that matches nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """Punctuation and headings. A spaced mark ends something only before white space: the point in "3.5 V" does not."""

    ends: str = ""
    spaced_ends: str = ""
    clause_ends: str = ""
    spaced_clause_ends: str = ""
    abbreviations: frozenset[str] = frozenset()  # lower case, without the last full stop: "e.g"
    headings: tuple[tuple[re.Pattern[str], int], ...] = ()  # the beginning of a heading, and its level from 1
    heading_starts: str = ""  # every first character of such a heading


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitNames:
    """Names of units of measurement. `languages.units` says how a definition is written."""

    prefixed: Words = field(default_factory=dict)  # units that take every prefix
    prefixes: Mapping[str, int] = field(default_factory=dict)  # the power of ten of each prefix
    whole: Words = field(default_factory=dict)  # units without prefixes
    lengths: Words = field(default_factory=dict)  # units that take `powers`: 平方米
    powers: Mapping[str, int] = field(default_factory=dict)
    phrases: str = ""  # units of several words
    per: str = ""  # words that divide by the unit after them


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantities:
    """Numbers in words, words around numbers, and operators in words."""

    numeral: str = ""
    value: Callable[[str], float] = float  # the number that a match of `numeral` stands for
    ignored: frozenset[str] = frozenset()  # matches, in lower case, that are seldom meant as a number: "one"
    multiple: str = ""  # words that multiply the figures before them: "million"
    multiples: Mapping[str, float] = field(default_factory=dict)  # the factor of each such word
    continuing: str = ""  # characters that make another number of the figures before them: 3百
    fractions: Callable[[str], Iterator[tuple[float, float, int, int]]] = lambda _: iter(())
    """Shares in a text, such as 三分之一 or "half": value, value of the last digit (0 if exact), start and end."""
    halves: Rewrites = ()  # "an hour and a half" becomes "1.5 hour"
    months: tuple[str, ...] = ()  # the names of the twelve months
    between: str = ""  # joins the two ends of a range: "to"
    joining: str = ""  # joins the parts of one quantity: "4 h and 18 min"
    one: str = ""  # means one of the unit after it: "a day"
    below_zero: str = ""  # makes the number after it negative
    change: str = ""  # shows that a temperature is a difference
    periods: Mapping[str, float] = field(default_factory=dict)  # seconds, by what the next two patterns capture
    period_after: str = ""  # "a day" after a quantity
    period_before: str = ""  # 每天 before a quantity
    year: str = ""  # a character that makes a date of a number of four figures
    about: str = ""
    each: str = ""
    counted: str = ""  # the beginning of the name of counted things
    one_of: str = ""  # stands directly before the name of one such thing
    over: str = ""  # characters after a number that mean a little more than it
    power: str = ""
    times: str = ""
    divided: str = ""
    plus: str = ""
    minus: str = ""
    equals: str = ""
    before_minus: str = ""  # last characters of units that a minus follows without a space


@dataclass(frozen=True, slots=True, kw_only=True)
class WordLists:
    """Words that say little, and words that negate and compare."""

    idle: Stems = frozenset()
    reckoning: frozenset[str] = frozenset()  # characters of words around numbers
    clause_start: str = ""  # conjunctions
    neither: str = ""  # words that contain one of the following without its meaning: 不锈, "not only"
    no: str = ""
    more: str = ""
    less: str = ""
    high: str = ""  # describes a thing, unlike `more`: a thing that is not high need not be low
    low: str = ""
    leading: str = ""  # a clause that belongs to the clause after it: "without it"
    negation: str = ""  # right before a quotation, it turns the quotation into its opposite


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionForms:
    """Ways to put a question. The patterns ignore case."""

    why: str = ""
    when: str = ""
    where: str = ""
    who: str = ""
    how: str = ""
    which: str = ""
    defines: str = ""
    amount: str = ""
    whether: str = ""  # asks for yes or no
    either: str = ""  # joins two alternatives: the question then asks for one of them, not for yes or no
    yes_or_no: str = ""  # may be answered in the words of the question
    choice: str = ""
    polite: str = ""
    labels: str = ""  # stand before a question or an answer: "Question:"
    cause: str = ""  # left out of a question for why
    order: str = ""  # ends at a word whose two sides must not change places: "than"
    passive: str = ""
    baseline: str = ""  # names the thing compared with, wherever it stands
    rewrites: Rewrites = ()  # other wordings, unified before the kind of question is determined
    ordinals: Rewrites = ()  # unified before numbers are read
    phrases: Rewrites = ()  # phrases with one meaning, unified before words are compared
    contractions: Rewrites = ()
    frame: str = ""  # words that only turn a sentence into a question
    idle: frozenset[str] = frozenset()
    synonyms: Words = field(default_factory=dict)  # a stem, and the stem that it is compared as
    light: Stems = frozenset()  # words that only one of two equal questions may have
    narrowing: Stems = frozenset()  # words that make another question
    implied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # stems that add nothing beside the key
    pointing: Callable[[str], Iterator[str]] = lambda _: iter(())  # describes words that point outside a question
    options: str = ""  # begins a list of things to choose from, as a colon does
    option_joining: str = ""  # joins the things in such a list
    option_pointing: str = ""  # points at such a list within the question


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language. The parts with a default may come later: each one improves a check.

    A change of `writing` changes the chunks of texts: raise `producer.text.splitting.RULES` with it.
    """

    code: str  # ISO 639-1: the suffix of prompt files, and `language` of a pair
    name: str
    claims: Callable[[str], bool]  # true when a text is in this language rather than in a later one of `Languages`
    accepts: Callable[[str], bool]  # true when a question or an answer is in it; names and units are in any language
    writing: Writing
    stem: Callable[[str], str] = str  # gives a word without its endings, and leaves the words of other languages alone
    units: UnitNames = UnitNames()
    quantities: Quantities = Quantities()
    words: WordLists = WordLists()
    questions: QuestionForms = QuestionForms()


class Languages:
    """A set of languages in order. The first one that claims a text has it; the last one takes unclaimed texts."""

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
        """The language that a text is in. The last one has a text without words, as "12345"."""
        return next((language for language in self if language.claims(text)), self._last)

    def either(self, pattern: Callable[[Language], str]) -> str:
        """One pattern of each language, joined as alternatives."""
        return "|".join(filter(None, map(pattern, self))) or NEVER

    def pattern(self, pattern: Callable[[Language], str]) -> re.Pattern[str]:
        """The same, compiled. It ignores case."""
        return re.compile(self.either(pattern), re.IGNORECASE)

    def union(self, words: Callable[[Language], frozenset[str]]) -> frozenset[str]:
        """One word list of each language, joined."""
        return frozenset().union(*map(words, self))


def rewritten(text: str, rewrites: Rewrites) -> str:
    """Apply the replacements one after another."""
    for pattern, replacement in rewrites:
        text = pattern.sub(replacement, text)
    return text


def spoken_of(question: str, outside: Mapping[str, re.Pattern[str]]) -> Iterator[str]:
    """Describe the first match of each pattern. The keys name the things that the patterns point at."""
    for what, pattern in outside.items():
        if match := pattern.search(question):
            yield f"speaks of {what}: {match[0].strip('，, ')}"
