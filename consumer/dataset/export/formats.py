"""Makes items in the formats of training data, from pairs and from preferences (a kept against a rejected pair).

jsonl, parquet  all fields; what Hugging Face `datasets` loads
alpaca      https://github.com/tatsu-lab/stanford_alpaca: instruction, input, output
sharegpt    conversations of `from` (human, gpt) and `value`; preferences as LLaMA-Factory reads them
openai      https://platform.openai.com/docs/guides/supervised-fine-tuning: messages of role and content; preferences:
            https://platform.openai.com/docs/guides/direct-preference-optimization
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from configs.errors import SettingsError
from consumer.dataset.pairs import ExportedPair
from output.formats.features import Features
from output.formats.pair_row import FEATURES, pair_row

Item = dict[str, Any]
Reasoning = Literal["think", "drop", "field"]
Container = Literal["lines", "array", "parquet"]
SUFFIXES: dict[Container, str] = {"lines": ".jsonl", "array": ".json", "parquet": ".parquet"}
SAYS = {"role": "string", "content": "string"}
TURN = {"from": "string", "value": "string"}
ALPACA: Features = {"instruction": "string", "input": "string", "output": "string"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemShape:
    """Items are made by these options. `scores` has the names of all scores in the data set."""

    reasoning: Reasoning
    text: bool = False
    rejected: bool = False
    scores: tuple[str, ...] = ()

    def answer(self, full: Item) -> str:
        """Returns the answer, after the reasoning in <think> where that is asked for."""
        thought = full["reasoning"] if self.reasoning == "think" else ""
        return f"<think>\n{thought}\n</think>\n\n{full['answer']}" if thought else str(full["answer"])

    def prompt(self, full: Item) -> str:
        """Returns the question, after the source text where that is asked for."""
        return f"{full['text']}\n\n{full['question']}" if self.text else str(full["question"])

    def thought(self, full: Item) -> Item:
        """Returns the field for the reasoning, where it has a field of its own."""
        return {"reasoning": full["reasoning"]} if self.reasoning == "field" else {}

    def thought_features(self) -> Features:
        return {"reasoning": "string"} if self.reasoning == "field" else {}


@dataclass(frozen=True, slots=True)
class Format:
    """A format makes an `item` of a pair, and a `preference` of a kept and a rejected pair with the same question."""

    container: Container
    item: Callable[[Item, ItemShape], Item]
    features: Callable[[ItemShape], Features]
    preference: Callable[[Item, Item, ItemShape], Item]
    preference_features: Features
    reasoning: tuple[Reasoning, ...] = ("drop", "think", "field")
    """The values of --reasoning that the format takes, its default first."""

    @property
    def suffix(self) -> str:
        return SUFFIXES[self.container]

    def check_reasoning(self, name: str, asked: Reasoning | None) -> Reasoning:
        """Returns `asked`, or the default. Raises SettingsError for a value that the format does not take."""
        if asked is not None and asked not in self.reasoning:
            raise SettingsError(
                f"--reasoning {asked}: --format {name} has no field for it. It takes {' or '.join(self.reasoning)}"
            )
        return asked or self.reasoning[0]


def full(exported: ExportedPair, *, text: bool) -> Item:
    """Returns a pair with all its fields; the items of every format are made from it."""
    row = pair_row(exported.pair, exported.result, exported.reasons)
    return row | ({"text": exported.result["chunk"]["text"]} if text else {})


def full_features(shape: ItemShape) -> Features:
    """Returns the fields of a full item. No scores, no field for them: Parquet can't hold an empty struct."""
    present = {"reasoning": shape.reasoning == "field", "scores": bool(shape.scores), "text": shape.text}
    present |= {"status": shape.rejected, "reasons": shape.rejected}
    everything: Features = FEATURES | {"text": "string"}
    features = {name: feature for name, feature in everything.items() if present.get(name, True)}
    return features | ({"scores": dict.fromkeys(shape.scores, "float64")} if shape.scores else {})


def _full_item(full: Item, shape: ItemShape) -> Item:
    scores = {name: full["scores"].get(name) for name in shape.scores}
    values = full | {"answer": shape.answer(full), "scores": scores}
    return {name: values[name] for name in full_features(shape)}


def _alpaca(full: Item, shape: ItemShape) -> Item:
    source = full["text"] if shape.text else ""
    return {"instruction": full["question"], "input": source, "output": shape.answer(full)} | shape.thought(full)


def _sharegpt(full: Item, shape: ItemShape) -> Item:
    turns = [{"from": "human", "value": shape.prompt(full)}, {"from": "gpt", "value": shape.answer(full)}]
    return {"conversations": turns} | shape.thought(full)


def _openai(full: Item, shape: ItemShape) -> Item:
    return {"messages": [_says("user", shape.prompt(full)), _says("assistant", shape.answer(full))]}


def _says(role: str, content: str) -> Item:
    return {"role": role, "content": content}


def _full_preference(kept: Item, rejected: Item, shape: ItemShape) -> Item:
    texts = {"prompt": shape.prompt(kept), "chosen": shape.answer(kept), "rejected": shape.answer(rejected)}
    return texts | {name: kept[name] for name in ("id", "document")} | {"reasons": rejected["reasons"]}


def _alpaca_preference(kept: Item, rejected: Item, shape: ItemShape) -> Item:
    asked = {"instruction": kept["question"], "input": kept["text"] if shape.text else ""}
    return asked | {"chosen": shape.answer(kept), "rejected": shape.answer(rejected)}


def _sharegpt_preference(kept: Item, rejected: Item, shape: ItemShape) -> Item:
    return {
        "conversations": [{"from": "human", "value": shape.prompt(kept)}],
        "chosen": {"from": "gpt", "value": shape.answer(kept)},
        "rejected": {"from": "gpt", "value": shape.answer(rejected)},
    }


def _openai_preference(kept: Item, rejected: Item, shape: ItemShape) -> Item:
    return {
        "input": {"messages": [_says("user", shape.prompt(kept))]},
        "preferred_output": [_says("assistant", shape.answer(kept))],
        "non_preferred_output": [_says("assistant", shape.answer(rejected))],
    }


PREFERENCE: Features = {
    "prompt": "string", "chosen": "string", "rejected": "string", "id": "string", "document": "string",
    "reasons": ["string"],
}  # fmt: skip
ALL_FIRST: tuple[Reasoning, ...] = ("field", "think", "drop")

FORMATS = {
    "jsonl": Format("lines", _full_item, full_features, _full_preference, PREFERENCE, ALL_FIRST),
    "parquet": Format("parquet", _full_item, full_features, _full_preference, PREFERENCE, ALL_FIRST),
    "alpaca": Format(
        "array", _alpaca, lambda shape: ALPACA | shape.thought_features(), _alpaca_preference,
        {"instruction": "string", "input": "string", "chosen": "string", "rejected": "string"},
    ),
    "sharegpt": Format(
        "array", _sharegpt, lambda shape: {"conversations": [TURN]} | shape.thought_features(), _sharegpt_preference,
        {"conversations": [TURN], "chosen": TURN, "rejected": TURN},
    ),
    "openai": Format(
        "lines", _openai, lambda _: {"messages": [SAYS]}, _openai_preference,
        {"input": {"messages": [SAYS]}, "preferred_output": [SAYS], "non_preferred_output": [SAYS]},
        ("drop", "think"),
    ),
}  # fmt: skip
