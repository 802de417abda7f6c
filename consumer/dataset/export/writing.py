"""Writes items into a file: JSON lines, one JSON array, or Parquet."""

from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

import orjson

from consumer.dataset.export.formats import Container, Item
from output.durable import TempFile
from output.formats.features import Features
from output.formats.parquet_io import parquet_pieces


def write_items(path: Path, container: Container, items: Iterable[Item], features: Features) -> int:
    """Writes the file, which appears whole or not at all. Returns the number of items."""
    counter = count()
    counted = (item for item, _ in zip(items, counter, strict=False))  # the items end first, so the number is exact
    with TempFile(path.with_name(f".{path.name}.tmp")) as file:
        for piece in render(counted, container, features):
            file.write(piece)
        file.publish(path)
    return next(counter)


def render(items: Iterable[Item], container: Container, features: Features) -> Iterator[bytes]:
    """Returns the content of the file, in pieces."""
    match container:
        case "lines":
            return (orjson.dumps(item) + b"\n" for item in items)
        case "array":
            return _array(items)
        case "parquet":
            return parquet_pieces(items, features, {})


def _array(items: Iterable[Item]) -> Iterator[bytes]:
    separator = b"[\n"
    for item in items:
        yield separator + orjson.dumps(item)
        separator = b",\n"
    yield b"\n]\n" if separator == b",\n" else b"[]\n"
