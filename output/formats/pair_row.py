"""Makes a flat row of everything that is known about a pair. Parquet files and exports consist of such rows."""

from typing import Any

from output.formats.features import Features

EVIDENCE = {"text": "string", "start": "int64", "end": "int64"}
FEATURES: Features = {
    "id": "string", "type": "string", "question": "string", "answer": "string", "reasoning": "string",
    "evidence": [EVIDENCE], "scores": [{"name": "string", "value": "float64"}], "language": "string",
    "source": "string", "document": "string", "title": "string", "version": "int64", "generation": "int64",
    "chunk": "string", "chunk_index": "int64", "headings": ["string"], "model": "string", "recipe": "string",
    "status": "string", "reasons": ["string"],
}  # fmt: skip


def pair_row(pair: dict[str, Any], result: dict[str, Any], reasons: tuple[str, ...] | None) -> dict[str, Any]:
    """Returns the row of a pair of `result`; `scores` is a dict by name here, and a list of structs in FEATURES.

    `reasons` names the checks that rejected the pair; it is None for a kept pair.
    """
    document, chunk = result["document"], result["chunk"]
    return {
        "id": pair["id"], "type": pair["type"], "question": pair["question"], "answer": pair["answer"],
        "reasoning": pair.get("reasoning", ""),
        "evidence": [{name: quote[name] for name in EVIDENCE} for quote in pair.get("evidence", [])],
        "scores": pair.get("scores", {}), "language": pair.get("language", ""),
        "source": document["source"], "document": document["path"], "title": document.get("title", ""),
        "version": document["version"], "generation": result.get("generation", 0),
        "chunk": chunk["id"], "chunk_index": chunk["index"], "headings": chunk.get("headings", []),
        "model": result["model"]["name"], "recipe": result["recipe"]["name"],
        "status": "kept" if reasons is None else "rejected", "reasons": list(reasons or ()),
    }  # fmt: skip


def rejection(rejected: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Returns the pair in an item of a result's `rejected`, and the names of the checks that it failed."""
    return rejected["pair"], tuple(reason["check"] for reason in rejected["reasons"])
