"""The parts of a prompt, as text."""

import re
from collections.abc import Iterable, Mapping, Sequence

from configs.recipe_parts import Example
from schemas import Chunk, PairType

MOST_TERMS = 20
"""Number of terms that a prompt explains at most."""


def frame(chunk: Chunk, terms: Mapping[str, str]) -> str:
    """Returns the part of a prompt that all stages share: headings, text, and the terms that occur in the text."""
    headings = f"<headings>\n{' > '.join(chunk.headings)}\n</headings>\n" if chunk.headings else ""
    shown = [f"{term}: {meaning}" for term, meaning in occurring(terms, chunk.text)]
    return f"{headings}<text>\n{chunk.text}\n</text>" + (f"\n{block('terms', shown)}" if shown else "")


def occurring(terms: Mapping[str, str], text: str) -> list[tuple[str, str]]:
    """Returns the first MOST_TERMS terms that occur in the text. A term in Latin script has to be a whole word."""
    found = [(term, meaning) for term, meaning in terms.items() if _occurs(term, text)]
    return found[:MOST_TERMS]


def _occurs(term: str, text: str) -> bool:
    if not term.isascii():
        return term.casefold() in text.casefold()
    return re.search(rf"(?<![A-Za-z]){re.escape(term)}s?(?![A-Za-z])", text, re.IGNORECASE) is not None


def block(name: str, lines: Iterable[str]) -> str:
    """Puts lines that a model or a user wrote between two tags, `<name>` and `</name>`."""
    return "\n".join([f"<{name}>", *lines, f"</{name}>"])


def plan_lines(plan: Mapping[PairType, int]) -> str:
    return "\n".join(f"- {kind.value}: {count}" for kind, count in plan.items())


def example_questions(examples: Sequence[Example], language: str) -> str:
    """Returns the example questions of a language, one a line; an empty string if the recipe has none."""
    lines = [f"- {example.type}: {example.question}" for example in examples if example.language == language]
    return block("examples", lines) if lines else ""


def whole_examples(examples: Sequence[Example], language: str, kind: PairType | None = None) -> str:
    """Returns the examples of a language, of one type if `kind` is given, with their reasoning and answer."""
    chosen = [e for e in examples if e.language == language and kind in (None, e.type) and e.answer]
    shown = [f"question: {e.question}\nreasoning: {e.reasoning}\nanswer: {e.answer}" for e in chosen]
    return block("examples", ["\n\n".join(shown)]) if shown else ""


def one_line(text: str) -> str:
    return " ".join(text.split())
