"""Request bodies: system, then chunk, then task, since prefix caches reuse what requests begin with."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Template

from configs.recipe import Recipe
from configs.recipe_parts import Example, Stage
from inference.chat import ChatRequest, Message, ResponseFormat
from schemas import Chunk, PairType

MOST_TERMS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What a request says besides its prompt."""

    model: str
    temperature: float
    max_tokens: int
    reasoning_max_tokens: int = 0


def chat_request(
    recipe: Recipe,
    stage: Stage,
    framed: str,
    language: str,
    *,
    values: Mapping[str, str],
    schema: ResponseFormat,
    sent: Sending,
) -> ChatRequest:
    """The request of a stage. It depends on the chunk's content only: equal chunks make equal requests."""
    thinking = recipe.thinking if stage.thinking is None else stage.thinking
    task = Template(recipe.prompt(stage.prompt, language)).substitute(values, **recipe.limits.placeholders)
    return ChatRequest(
        model=sent.model,
        messages=(
            Message("system", recipe.prompt(recipe.system, language)),
            Message("user", f"{framed}\n\n{task.strip()}"),
        ),
        temperature=sent.temperature if stage.temperature is None else stage.temperature,
        max_tokens=sent.max_tokens + (0 if thinking is False else sent.reasoning_max_tokens),
        response_format=schema,
        thinking=thinking,
    )


def frame(chunk: Chunk, terms: Mapping[str, str]) -> str:
    """The part of a prompt that all stages share: headings, text, and the terms that occur in it."""
    headings = f"<headings>\n{' > '.join(chunk.headings)}\n</headings>\n" if chunk.headings else ""
    shown = [f"{term}: {meaning}" for term, meaning in occurring(terms, chunk.text)]
    return f"{headings}<text>\n{chunk.text}\n</text>" + (f"\n{block('terms', shown)}" if shown else "")


def occurring(terms: Mapping[str, str], text: str) -> list[tuple[str, str]]:
    """Those that the text has, whole words in Latin script, in their order and not too many."""
    found = [(term, meaning) for term, meaning in terms.items() if _occurs(term, text)]
    return found[:MOST_TERMS]


def _occurs(term: str, text: str) -> bool:
    if not term.isascii():
        return term.casefold() in text.casefold()
    return re.search(rf"(?<![A-Za-z]){re.escape(term)}s?(?![A-Za-z])", text, re.IGNORECASE) is not None


def block(name: str, lines: Iterable[str]) -> str:
    """What a model wrote, or a user gave, between lines that say what it is."""
    return "\n".join([f"<{name}>", *lines, f"</{name}>"])


def plan_lines(plan: Mapping[PairType, int]) -> str:
    return "\n".join(f"- {kind.value}: {count}" for kind, count in plan.items())


def example_questions(examples: Sequence[Example], language: str) -> str:
    """One a line; nothing where the recipe has none."""
    lines = [f"- {example.type}: {example.question}" for example in examples if example.language == language]
    return block("examples", lines) if lines else ""


def whole_examples(examples: Sequence[Example], language: str, kind: PairType | None = None) -> str:
    """With reasoning and answer; of one type if it is given."""
    chosen = [e for e in examples if e.language == language and kind in (None, e.type) and e.answer]
    shown = [f"question: {e.question}\nreasoning: {e.reasoning}\nanswer: {e.answer}" for e in chosen]
    return block("examples", ["\n\n".join(shown)]) if shown else ""


def one_line(text: str) -> str:
    return " ".join(text.split())
