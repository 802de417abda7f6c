"""Request bodies of a recipe: system, then chunk, then task, since prefix caches reuse what requests begin with."""

from typing import Any

from configs.recipe import Recipe
from consumer.worker.answers import response_format
from consumer.worker.checks import language_of
from schemas import Chunk


def chat_request(
    recipe: Recipe, chunk: Chunk, *, model: str, temperature: float, max_tokens: int, reasoning_max_tokens: int = 0
) -> dict[str, Any]:
    """Body of POST /chat/completions. A function of the chunk's content only: equal chunks make equal requests."""
    thinking = recipe.thinking
    language = language_of(chunk.text)
    task = recipe.task(language, recipe.pairs.wanted(len(chunk.text), language))
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": recipe.system(language)},
            {"role": "user", "content": f"{_frame(chunk)}\n\n{task}"},
        ],
        "temperature": temperature,
        "max_tokens": max_tokens + (0 if thinking is False else reasoning_max_tokens),
        "response_format": response_format(recipe.pairs),
    } | ({} if thinking is None else {"chat_template_kwargs": {"enable_thinking": thinking}})


def _frame(chunk: Chunk) -> str:
    headings = f"<headings>\n{' > '.join(chunk.headings)}\n</headings>\n" if chunk.headings else ""
    return f"{headings}<text>\n{chunk.text}\n</text>"
