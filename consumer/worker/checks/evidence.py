"""Search for quotes in a text. It tolerates other widths, spaces, punctuation and line breaks, and nothing else."""

import re

from consumer.worker.checks.folding import Folded, fold, is_hyphenated, is_latin
from languages import LANGUAGES
from schemas import Evidence

_END = frozenset("。．.！!？?；;")
_MULTIPLES = frozenset("".join(language.quantities.continuing for language in LANGUAGES))
_NEGATION = re.compile(rf"(?:{LANGUAGES.either(lambda it: it.words.negation)})$")


class Quotable:
    """A chunk that is prepared once for any number of quotes. It begins at character `start` of its document."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._start = start
        self._views = [fold(text)] + ([fold(text, joined=False)] if is_hyphenated(text) else [])

    def located(self, quotes: tuple[str, ...]) -> tuple[Evidence, ...]:
        """The quotes that occur, each in the words of the text: `document[evidence.start:evidence.end]`.

        A quote that begins or ends within a word or a number does not occur: "4 nm" is not in "14 nm". Neither does a
        quote that leaves out the negation before it.
        """
        spans = (self._span(quote) for quote in quotes)
        return tuple(
            Evidence(text=self._text[begin:end], start=self._start + begin, end=self._start + end)
            for begin, end in (span for span in spans if span is not None)
        )

    def _span(self, quote: str) -> tuple[int, int] | None:
        searched = fold(quote).text.strip("~")
        if not any(c.isalnum() for c in searched):
            return None
        found = (_found(searched, view) for view in self._views)
        first = next((span for span in found if span is not None), None)
        return None if first is None else _as_quoted(first, quote.strip(), self._text)


def _found(searched: str, view: Folded) -> tuple[int, int] | None:
    for match in re.finditer(f"(?={re.escape(searched)})", view.text):
        begin, end = match.start(), match.start() + len(searched)
        if not _begins_within(view.text, begin) and not _ends_within(view.text, end):
            return view.starts[begin], view.ends[end - 1]
    return None


def _begins_within(folded: str, begin: int) -> bool:
    """True when a match at `begin` starts within a word or a number, or leaves out a sign or negation before it."""
    before, first = folded[max(0, begin - 2) : begin], folded[begin]
    if not before:
        return False
    if _NEGATION.search(folded, max(0, begin - 12), begin):
        return True
    if first.isdigit():
        return before[-1].isdigit() or before[-1] in ".,^±−"
    return _same_word(before[-1], first)


def _ends_within(folded: str, end: int) -> bool:
    """True when the word or number of a match goes on at `end`: with digits, per cent, an exponent or 万."""
    last, after = folded[end - 1], folded[end : end + 2]
    if not after:
        return False
    if last.isdigit():
        decimals = after[0] in ".," and after[1:].isdigit()
        return after[0].isdigit() or after[0] in "%‰°^" or after[0] in _MULTIPLES or decimals
    return _same_word(last, after[0])


def _same_word(one: str, other: str) -> bool:
    return is_latin(one) and is_latin(other)


def _as_quoted(span: tuple[int, int], quote: str, text: str) -> tuple[int, int]:
    """The span, extended by the punctuation at its ends that the quote has too."""
    begin, end = span
    exact = text.find(quote, max(0, begin - len(quote)), end + len(quote))
    if 0 <= exact <= begin and end <= exact + len(quote):
        return exact, exact + len(quote)
    return begin, end + (quote[-1:] in _END and text[end : end + 1] in _END and end < len(text))
