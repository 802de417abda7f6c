"""Training data in common formats, from what the sink wrote: newest complete version of each document, last attempts.

Writes a directory: train.*, validation.* where it is asked for, and README.md, a dataset card that Hugging Face
`datasets` understands. Pairs of equal texts and questions that are alike are there once. The same results and the same
options give the same files, byte for byte.
"""

import argparse
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from configs import cli
from configs.errors import SettingsError
from consumer.dataset.errors import DatasetError
from consumer.dataset.export import filters as wanted
from consumer.dataset.export.card import Part, render_card
from consumer.dataset.export.folder import CARD, new_folder, pool_file
from consumer.dataset.export.formats import FORMATS, Format, Item, Reasoning, Shape
from consumer.dataset.export.gathering import Account, Choice, Gathering
from consumer.dataset.export.pool import Pool
from consumer.dataset.export.proportions import DEFAULT, parse_proportions
from consumer.dataset.export.writing import write_items
from consumer.dataset.outcomes import indexed
from consumer.dataset.pairs import iter_pairs
from output.durable import write_whole
from output.formats.features import Features
from output.formats.parquet import check_pyarrow
from output.layout import Layout, layout_of

SIDES = ("train", "validation")
NOUNS = {"default": "pairs", "preferences": "preferences"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", required=True, choices=FORMATS, help="what to write")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: exports/<format> in the output directory")
    parser.add_argument("--reasoning", choices=("think", "drop", "field"), help=(
        "think: before the answer, in <think>; field: in a field of its own (default for jsonl and parquet, not for "
        "openai); drop (default for the others)"
    ))  # fmt: skip
    parser.add_argument(
        "--with-text", action="store_true", help="with the source text: a field, or before the question"
    )
    parser.add_argument(
        "--preferences", action="store_true", help="also kept against rejected answers to the same question"
    )
    wanted.add_arguments(parser)
    group = parser.add_argument_group("how many of them, and where")
    group.add_argument(
        "--balance", nargs="?", const=DEFAULT, metavar="TYPE=N,…", help=f"exact shares of types (default {DEFAULT})"
    )
    group.add_argument(
        "--keep-duplicates", action="store_true", help="also equal texts, and questions that ask the same"
    )
    group.add_argument(
        "--similarity",
        type=float,
        default=0.85,
        metavar="N",
        help="from where texts are alike, to 1, for --validation (default 0.85)",
    )
    group.add_argument(
        "--validation", type=float, default=0.0, metavar="SHARE", help="of the pairs, at most (default 0: none)"
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="another one, another choice (default 0)")
    cli.add_settings(parser, "output_dir")


def main(args: argparse.Namespace) -> int:
    layout, asked = layout_of(cli.settings_from(args).sink.output_dir), FORMATS[args.format]
    reasoning = asked.check_reasoning(args.format, args.reasoning)
    if asked.container == "parquet":
        check_pyarrow(f"--format {args.format}")
    choice = choice_from(args)
    exported = export(layout, args.format, args.out or layout.exports / args.format, choice=choice, reasoning=reasoning)
    report(exported, choice)
    return 0


def choice_from(args: argparse.Namespace) -> Choice:
    """Raises SettingsError."""
    if not 0 < args.similarity <= 1:
        raise SettingsError(f"--similarity {args.similarity:g}: takes more than 0, and at most 1")
    if not 0 <= args.validation < 1:
        raise SettingsError(f"--validation {args.validation:g}: takes a share, from 0 to below 1")
    return Choice(
        wanted=wanted.wanted_from(args),
        similarity=args.similarity,
        keep_duplicates=args.keep_duplicates,
        proportions=parse_proportions(args.balance) if args.balance else None,
        validation=args.validation,
        seed=args.seed,
        text=args.with_text,
        preferences=args.preferences,
    )


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of an export. `parts` are the data set and, where they are asked for, the preferences."""

    out: Path
    parts: tuple[Part, ...]
    account: Account


def export(
    layout: Layout, name: str, out: Path, *, choice: Choice | None = None, reasoning: Reasoning | None = None
) -> Exported:
    """Write the directory `out`, which appears whole or not at all. Raises DatasetError."""
    choice, asked = choice or Choice(), FORMATS[name]
    indexed(layout)  # before anything is made
    try:
        with new_folder(out) as made, closing(Pool(pool_file(made), seed=choice.seed)) as pool:
            account = _gather(layout, pool, choice)
            shape = Shape(
                reasoning=reasoning or asked.reasoning[0],
                text=choice.text,
                rejected=choice.wanted.status != "kept",
                scores=tuple(sorted(account.scores)),
            )
            parts = _write(made, asked, shape, pool, preferences=choice.preferences)
            write_whole(made / CARD, render_card(name, parts, account, choice))
    except (OSError, sqlite3.OperationalError) as exc:
        raise DatasetError(f"{out} can't be written: {getattr(exc, 'strerror', None) or exc}") from exc
    return Exported(out, tuple(parts), account)


def _gather(layout: Layout, pool: Pool, choice: Choice) -> Account:
    gathering = Gathering(pool, choice)
    gathering.take(iter_pairs(layout, rejected=choice.rejected))
    return gathering.finish()


def _write(folder: Path, asked: Format, shape: Shape, pool: Pool, *, preferences: bool) -> list[Part]:
    """Files of no items are left out, but for the first: `datasets` can't load them."""
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


def report(exported: Exported, choice: Choice) -> None:
    """What came out and where; on stderr, what somebody may have expected and did not get."""
    for part in exported.parts:
        for side, count in part.counts.items():
            print(f"{count:,} {NOUNS[part.name]} -> {exported.out / part.files[side]}")
    for what, count in exported.account.left_out():
        print(f"  {count:,} left out: {what}")
    for line in _surprises(exported, choice):
        print(f"warning: {line}", file=sys.stderr)


def _surprises(exported: Exported, choice: Choice) -> Iterator[str]:
    pairs, available = exported.parts[0].counts, exported.account.available
    if choice.proportions is not None:
        missing = [kind for kind, share in choice.proportions.items() if share and not available.get(kind)]
        if missing:
            yield f"there are no pairs of type {', '.join(missing)}: --balance leaves next to nothing without them"
    if choice.validation and "validation" not in pairs:
        yield "there is no validation part: each cluster of texts has more pairs than would fit into it"
    if choice.preferences and len(exported.parts) == 1:
        yield "there are no preferences: no rejected pair has the question of a kept one"
