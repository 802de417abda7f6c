"""Exports training data in common formats, from the last attempts at the newest complete version of each document.

Writes a directory: train.*, validation.* where it is asked for, and README.md, a dataset card that Hugging Face
`datasets` understands. Pairs of equal texts and questions that ask the same are in it once. The same results and the
same options give the same files, byte for byte.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from configs import cli
from configs.errors import SettingsError
from consumer.dataset.export import filters
from consumer.dataset.export.dataset import ExportedSet, export
from consumer.dataset.export.formats import FORMATS
from consumer.dataset.export.gathering import Choice
from consumer.dataset.export.proportions import DEFAULT, parse_proportions
from output.formats.parquet_io import check_pyarrow
from output.layout import layout_of

NOUNS = {"default": "pairs", "preferences": "preferences"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", required=True, choices=FORMATS, help="the format to write")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: exports/<format> in the output directory")
    parser.add_argument("--reasoning", choices=("think", "drop", "field"), help=(
        "think: before the answer, in <think>; field: in a field of its own (default for jsonl and parquet, not for "
        "openai); drop: left out (default for the others)"
    ))  # fmt: skip
    parser.add_argument(
        "--with-text", action="store_true", help="add the source text: as a field, or before the question"
    )
    parser.add_argument(
        "--preferences", action="store_true", help="also write kept against rejected answers to the same question"
    )
    filters.add_arguments(parser)
    group = parser.add_argument_group("how many of them, and where")
    group.add_argument("--balance", nargs="?", const=DEFAULT, metavar="TYPE=N,…", help=(
        f"exact shares of types (default {DEFAULT})"
    ))  # fmt: skip
    group.add_argument("--keep-duplicates", action="store_true", help=(
        "keep pairs of equal texts and questions that ask the same"
    ))  # fmt: skip
    group.add_argument("--similarity", type=float, default=0.85, metavar="N", help=(
        "texts at least this similar, up to 1, go to the same side of --validation (default 0.85)"
    ))  # fmt: skip
    group.add_argument("--validation", type=float, default=0.0, metavar="SHARE", help=(
        "largest share of the pairs that goes to the validation part (default 0: none)"
    ))  # fmt: skip
    group.add_argument("--seed", type=int, default=0, metavar="N", help="changes what chance chooses (default 0)")
    cli.add_settings(parser, "output_dir")


def main(args: argparse.Namespace) -> int:
    layout, asked = layout_of(cli.settings_from(args).sink.output_dir), FORMATS[args.format]
    reasoning = asked.check_reasoning(args.format, args.reasoning)
    if asked.container == "parquet":
        check_pyarrow(f"--format {args.format}")
    choice = choice_from(args)
    exported = export(layout, args.format, args.out or layout.exports / args.format, choice=choice, reasoning=reasoning)
    _report(exported, choice)
    return 0


def choice_from(args: argparse.Namespace) -> Choice:
    """Returns the options of a command line. Raises SettingsError for a value that a flag does not take."""
    if not 0 < args.similarity <= 1:
        raise SettingsError(f"--similarity {args.similarity:g}: takes more than 0, and at most 1")
    if not 0 <= args.validation < 1:
        raise SettingsError(f"--validation {args.validation:g}: takes a share, from 0 to below 1")
    return Choice(
        only=filters.filter_from(args), similarity=args.similarity, keep_duplicates=args.keep_duplicates,
        proportions=parse_proportions(args.balance) if args.balance else None,
        validation=args.validation, seed=args.seed, text=args.with_text, preferences=args.preferences,
    )  # fmt: skip


def _report(exported: ExportedSet, choice: Choice) -> None:
    """Prints the files with their numbers of items, and on stderr what the user may miss."""
    for part in exported.parts:
        for side, count in part.counts.items():
            print(f"{count:,} {NOUNS[part.name]} -> {exported.out / part.files[side]}")
    for what, count in exported.account.left_out():
        print(f"  {count:,} left out: {what}")
    for line in _surprises(exported, choice):
        print(f"warning: {line}", file=sys.stderr)


def _surprises(exported: ExportedSet, choice: Choice) -> Iterator[str]:
    pairs, available = exported.parts[0].counts, exported.account.available
    if choice.proportions is not None:
        missing = [kind for kind, share in choice.proportions.items() if share and not available.get(kind)]
        if missing:
            yield f"there are no pairs of type {', '.join(missing)}: --balance leaves next to nothing without them"
    if choice.validation and "validation" not in pairs:
        yield "there is no validation part: each cluster of texts has more pairs than would fit into it"
    if choice.preferences and len(exported.parts) == 1:
        yield "there are no preferences: no rejected pair has the question of a kept one"
