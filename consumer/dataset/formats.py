"""Formats that people train from. Each makes an item of a pair; a file is JSON lines or one JSON array.

alpaca      https://github.com/tatsu-lab/stanford_alpaca: instruction, input, output
sharegpt    conversations of `from` (human, gpt) and `value`
openai      https://platform.openai.com/docs/guides/fine-tuning: messages of role and content
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from consumer.dataset.pairs import ExportedPair

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    """`array`: the file is one JSON array, with a line for each item; else JSON lines."""

    to_item: Callable[[ExportedPair], Item]
    array: bool = False

    @property
    def suffix(self) -> str:
        return ".json" if self.array else ".jsonl"


def full(exported: ExportedPair) -> Item:
    pair, result = exported.pair, exported.result
    document, chunk = result["document"], result["chunk"]
    return {
        "id": pair["id"],
        "type": pair["type"],
        "question": pair["question"],
        "answer": pair["answer"],
        "reasoning": pair.get("reasoning", ""),
        "evidence": pair.get("evidence", []),
        "scores": pair.get("scores", {}),
        "language": pair.get("language", ""),
        "source": document["source"],
        "document": document["path"],
        "version": document["version"],
        "generation": result.get("generation", 0),
        "chunk": chunk["id"],
        "chunk_index": chunk["index"],
        "model": result["model"]["name"],
        "recipe": result["recipe"]["name"],
    }


def alpaca(exported: ExportedPair) -> Item:
    return {"instruction": exported.pair["question"], "input": "", "output": exported.pair["answer"]}


def sharegpt(exported: ExportedPair) -> Item:
    turns = (("human", exported.pair["question"]), ("gpt", exported.pair["answer"]))
    return {"conversations": [{"from": who, "value": text} for who, text in turns]}


def openai(exported: ExportedPair) -> Item:
    turns = (("user", exported.pair["question"]), ("assistant", exported.pair["answer"]))
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


FORMATS = {
    "jsonl": Format(full),
    "alpaca": Format(alpaca, array=True),
    "sharegpt": Format(sharegpt, array=True),
    "openai": Format(openai),
}


def render(items: Iterable[Item], *, array: bool) -> Iterator[bytes]:
    """The file in pieces."""
    if not array:
        yield from (orjson.dumps(item) + b"\n" for item in items)
        return
    separator = b"[\n"
    for item in items:
        yield separator + orjson.dumps(item)
        separator = b",\n"
    yield b"\n]\n" if separator == b",\n" else b"[]\n"
