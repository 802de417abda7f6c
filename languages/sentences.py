"""Ends of sentences and clauses in a text of any known language."""

import re
from collections.abc import Iterator
from functools import lru_cache

from languages import LANGUAGES
from languages.language import NEVER, Languages

_ENDS = "．…"
"""Marks that end a sentence in every language."""
CLOSERS = "\"'”’」』）)】》〉］]"
"""Closing marks that belong to the sentence before them."""
_INITIAL = re.compile(r"(?<!\w)(?<!\d )[A-Z]\Z")  # "J. Smith", but not "3.5 V."
_NOT_OF_WORDS = re.compile(r"[^\w.]")


class SentenceRules:
    """The marks of a set of languages as patterns."""

    def __init__(self, languages: Languages) -> None:
        marks = [language.writing for language in languages]
        ends, spaced = "".join(each.ends for each in marks), "".join(each.spaced_ends for each in marks)
        clause, spaced_clause = "".join(e.clause_ends for e in marks), "".join(e.spaced_clause_ends for e in marks)
        self.ends = frozenset(ends + spaced + _ENDS)
        self.clause = re.compile(rf"{_any_of(clause + spaced_clause)}(?:[^\S\n]+|(?<={_any_of(clause)}))")
        """Matches a mark that ends a clause, with the space after it."""
        self.start = re.compile(rf"(?:{_any_of(ends)}|{_any_of(spaced)}\s|\n)\s*(?=\S)")
        """Matches from the end of a sentence or line to the first character of the next one."""
        self._spaced = spaced
        self._abbreviations = languages.union(lambda it: it.writing.abbreviations)
        end = re.escape("".join(sorted(self.ends)))
        self._sentence = re.compile(  # `re` is quick when a pattern starts with one set of characters
            rf"[{end}\n](?:(?<=\n)\n*|[{end}]*{_any_of(CLOSERS)}*(?P<gap>[^\S\n]*\n*))"
        )

    def sentence_ends(self, text: str) -> Iterator[tuple[int, bool]]:
        """Offsets in `text` at which a sentence (True) or a line (False) ends, without the end of the text itself."""
        for found in self._sentence.finditer(text):
            end = found.end()
            if end == len(text):
                continue
            if found["gap"] is None:
                yield end, False
            elif text[found.start()] not in self._spaced or (found["gap"] and self._ends_here(text, found)):
                yield end, True

    def _ends_here(self, text: str, found: re.Match[str]) -> bool:
        """False for a mark in "Fig. 3", "J. Smith" or before a lower-case letter: the sentence goes on."""
        if text[found.end()].islower():
            return False
        if found[0][0] != "." or found.start() == 0:
            return True
        before = text[max(0, found.start() - 12) : found.start()]
        if before[-1].isupper() and _INITIAL.search(before):
            return False
        return _NOT_OF_WORDS.split(before)[-1].lower() not in self._abbreviations


def _any_of(characters: str) -> str:
    return f"[{re.escape(characters)}]" if characters else NEVER


@lru_cache
def sentence_rules(languages: Languages = LANGUAGES) -> SentenceRules:
    return SentenceRules(languages)
