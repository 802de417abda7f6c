"""Training data in common formats, from what the sink wrote: newest complete version of each document, last attempts.

The same results give the same file, byte for byte.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from configs import cli
from consumer.dataset.errors import DatasetError, NothingThereError
from consumer.dataset.formats import FORMATS, Format, Item, render
from consumer.dataset.pairs import iter_pairs
from consumer.sink.command import layout_of
from consumer.sink.durable import TempFile
from consumer.sink.layout import Layout


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", required=True, choices=FORMATS, help="what to write")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: exports/<format> in the output directory")
    cli.add_settings(parser, "output_dir")


def main(args: argparse.Namespace) -> int:
    layout, wanted = layout_of(cli.settings_from(args)), FORMATS[args.format]
    out = args.out or layout.exports / f"{args.format}{wanted.suffix}"
    count = export(layout, wanted, out)
    print(f"{count} pairs -> {out}")
    return 0


def export(layout: Layout, wanted: Format, out: Path) -> int:
    """Number of pairs written to `out`, which appears whole or not at all. Raises DatasetError."""
    if not layout.root.is_dir():
        raise NothingThereError(f"--output-dir {layout.root}: no such directory")
    counter = _Counter(wanted.to_item(exported) for exported in iter_pairs(layout))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TempFile(out.with_name(f".{os.getpid()}.tmp")) as file:
            for piece in render(counter, array=wanted.array):
                file.write(piece)
            file.publish(out)
    except OSError as exc:
        raise DatasetError(f"{out} can't be written: {exc.strerror}") from exc
    return counter.count


class _Counter:
    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self.count = 0

    def __iter__(self) -> Iterator[Item]:
        for item in self._items:
            self.count += 1
            yield item
