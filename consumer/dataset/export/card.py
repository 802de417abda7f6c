"""Writes the dataset card: a README.md whose front matter tells Hugging Face `datasets` about files and fields.

https://huggingface.co/docs/hub/datasets-cards. The front matter is YAML; its values are JSON, which is YAML too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from consumer.dataset.export.gathering import Choice, ExportAccount
from output.formats.features import Features, card_features

MARK = "qastream-export"
"""The tag that marks a directory as an export, so that another export may replace it."""
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
LANGUAGE_CODE = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A configuration of the data set has files and numbers of items by split, and the fields of an item."""

    name: str
    files: Mapping[str, str]
    features: Features
    counts: Mapping[str, int]


def render_card(format_name: str, parts: list[Part], account: ExportAccount, choice: Choice) -> bytes:
    """Returns the content of README.md."""
    matter = "".join(f"{key}: {orjson.dumps(value).decode()}\n" for key, value in _front_matter(parts, account).items())
    return f"---\n{matter}---\n\n{_body(format_name, parts, account, choice)}".encode()


def _front_matter(parts: list[Part], account: ExportAccount) -> dict[str, Any]:
    total = sum(parts[0].counts.values())
    return {
        "pretty_name": "Questions and answers by QAStream",
        "language": sorted(code for code in account.languages if len(code) == LANGUAGE_CODE),
        "task_categories": ["question-answering", "text-generation"],
        "size_categories": [next((name for limit, name in SIZES if total < limit), "1M<n<10M")],
        "tags": [MARK, "synthetic"],
        "configs": [_config(part, default=part is parts[0]) for part in parts],
        "dataset_info": [{"config_name": part.name, "features": card_features(part.features)} for part in parts],
    }


def _config(part: Part, *, default: bool) -> dict[str, Any]:
    files = [{"split": split, "path": path} for split, path in part.files.items()]
    return {"config_name": part.name, "data_files": files} | ({"default": True} if default else {})


def _body(format_name: str, parts: list[Part], account: ExportAccount, choice: Choice) -> str:
    paragraphs = (
        "# Questions and answers",
        f"Made by QAStream, in the format {format_name}. A language model wrote each pair about a piece of a text.",
        _table(("configuration", "split", "file", "items"), _file_rows(parts)),
        _table(("pairs by", "", "number"), _pair_rows(account)),
        _table(("left out", "pairs"), list(account.left_out()) or [("nothing", 0)]),
        "How they were chosen:",
        "\n".join(f"- {line}" for line in _choices(choice)),
    )
    return "\n\n".join(paragraphs) + "\n"


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(value) for value in line)} |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _file_rows(parts: list[Part]) -> list[tuple[object, ...]]:
    return [(part.name, split, path, part.counts[split]) for part in parts for split, path in part.files.items()]


def _pair_rows(account: ExportAccount) -> list[tuple[object, ...]]:
    counted = (("type", account.types), ("language", account.languages), ("model", account.models))
    return [(what, name or "unknown", count) for what, counts in counted for name, count in sorted(counts.items())]


def _choices(choice: Choice) -> list[str]:
    only = choice.only
    filters = (
        ("types", only.types), ("languages", only.languages), ("documents", only.documents),
        ("models", only.models), ("scores", [f"{n or 'each'} ≥ {least:g}" for n, least in only.scores.items()]),
    )  # fmt: skip
    lines = [f"only {what}: {', '.join(sorted(values))}" for what, values in filters if values]
    lines.append(f"pairs: {only.status}")
    if choice.proportions is not None:
        shares = ", ".join(f"{kind} {float(share):.4g}" for kind, share in choice.proportions.items())
        lines.append(f"shares of types: {shares}")
    kept = "kept" if choice.keep_duplicates else "left out"
    lines.append(f"pairs of equal texts, and questions that ask the same: {kept}")
    clusters = f"by clusters of texts (similarity {choice.similarity:g})"
    lines.append(f"validation: {choice.validation:g} of the pairs, {clusters}; seed {choice.seed}")
    return lines
