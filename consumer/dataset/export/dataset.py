"""Writes a data set from the results on disk: its items in a format, and the dataset card."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from consumer.dataset.errors import DatasetError
from consumer.dataset.export.card import Part, render_card
from consumer.dataset.export.folder import CARD, new_folder, pool_file
from consumer.dataset.export.formats import FORMATS, Format, Item, ItemShape, Reasoning
from consumer.dataset.export.gathering import Choice, ExportAccount, Gathering
from consumer.dataset.export.pool import Pool
from consumer.dataset.export.writing import write_items
from consumer.dataset.outcomes import indexed
from consumer.dataset.pairs import iter_pairs
from output.durable import write_whole
from output.formats.features import Features
from output.layout import Layout

SIDES = ("train", "validation")


@dataclass(frozen=True, slots=True)
class ExportedSet:
    """A written data set has pairs and, where they are asked for, preferences as its `parts`."""

    out: Path
    parts: tuple[Part, ...]
    account: ExportAccount


def export(
    layout: Layout, name: str, out: Path, *, choice: Choice | None = None, reasoning: Reasoning | None = None
) -> ExportedSet:
    """Writes the directory `out` in the format `name`. It appears whole or not at all. Raises DatasetError."""
    choice, asked = choice or Choice(), FORMATS[name]
    indexed(layout)  # fails before anything is made
    try:
        with new_folder(out) as made, closing(Pool(pool_file(made), seed=choice.seed)) as pool:
            account = Gathering(pool, choice).gather(iter_pairs(layout, rejected=choice.rejected))
            shape = ItemShape(
                reasoning=reasoning or asked.reasoning[0], text=choice.text, rejected=choice.only.status != "kept",
                scores=tuple(sorted(account.scores)),
            )  # fmt: skip
            parts = _write(made, asked, shape, pool, preferences=choice.preferences)
            write_whole(made / CARD, render_card(name, parts, account, choice))
    except (OSError, sqlite3.OperationalError) as exc:
        raise DatasetError(f"{out} can't be written: {getattr(exc, 'strerror', None) or exc}") from exc
    return ExportedSet(out, tuple(parts), account)


def _write(folder: Path, asked: Format, shape: ItemShape, pool: Pool, *, preferences: bool) -> list[Part]:
    """Writes all files of the data set, but for empty ones after the first: `datasets` can't load them."""
    pairs = {side: (asked.item(full, shape) for full in pool.items(side)) for side in SIDES}
    parts = [_write_part(folder, asked, "default", asked.features(shape), pairs)]
    if preferences:
        opposed = {side: (asked.preference(*both, shape) for both in pool.preferences(side)) for side in SIDES}
        parts.append(_write_part(folder, asked, "preferences", asked.preference_features, opposed))
    return [part for part in parts if part.counts]


def _write_part(
    folder: Path, asked: Format, name: str, features: Features, items: Mapping[str, Iterator[Item]]
) -> Part:
    files, counts = dict[str, str](), dict[str, int]()
    for side, of_side in items.items():
        first = next(of_side, None)
        if first is not None or (name, side) == ("default", "train"):
            files[side] = f"{side if name == 'default' else f'{name}-{side}'}{asked.suffix}"
            given = chain([] if first is None else [first], of_side)
            counts[side] = write_items(folder / files[side], asked.container, given, features)
    return Part(name, files, features, counts)
