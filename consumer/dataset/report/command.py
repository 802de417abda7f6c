"""Writes one HTML page about the data, and a JSON file with the same numbers, from the results on disk.

The numbers are about the newest complete version of each document and the last attempt at each chunk. A sink may run
meanwhile; Kafka is not needed. The page is one file that opens offline.
"""

import argparse
import math
from pathlib import Path

import orjson

from configs import cli
from configs.errors import SettingsError
from consumer.dataset.errors import DatasetError
from consumer.dataset.report.gathering import gather
from consumer.dataset.report.page import render
from consumer.dataset.report.tally import Prices
from output.durable import write_whole
from output.layout import Layout, layout_of

SUFFIXES = {"html": ".html", "json": ".json"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", type=Path, metavar="FILE", help="default: report.html in the output directory")
    parser.add_argument(
        "--format",
        choices=(*SUFFIXES, "both"),
        default="both",
        help="the page, the JSON file, or both side by side (default)",
    )
    parser.add_argument("--price-prompt", type=float, metavar="N", help="price of a million prompt tokens")
    parser.add_argument("--price-completion", type=float, metavar="N", help="price of a million completion tokens")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="changes which pairs are shown (default 0)")
    cli.add_settings(parser, "output_dir")


def main(args: argparse.Namespace) -> int:
    layout, prices = layout_of(cli.settings_from(args).sink.output_dir), prices_from(args)
    targets = targets_of(layout, args.to, args.format)
    report = gather(layout, seed=args.seed, prices=prices)
    for kind, path in targets.items():
        as_json = orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n"
        _write(path, render(report).encode() if kind == "html" else as_json)
    print(
        f"{report.pairs.kept:,} pairs kept of {report.pairs.asked:,}, of {report.documents.complete:,} documents "
        f"-> {', '.join(map(str, targets.values()))}"
    )
    return 0


def prices_from(args: argparse.Namespace) -> Prices | None:
    """Returns the prices of a command line; None where none is given. Raises SettingsError."""
    given = {"--price-prompt": args.price_prompt, "--price-completion": args.price_completion}
    if all(price is None for price in given.values()):
        return None
    for flag, price in given.items():
        if price is None:
            raise SettingsError(f"{flag} is missing: a cost needs both prices; 0 is a price")
        if price < 0 or not math.isfinite(price):
            raise SettingsError(f"{flag} {price:g}: takes 0 or more")
    return Prices(prompt=args.price_prompt, completion=args.price_completion)


def targets_of(layout: Layout, to: Path | None, kind: str) -> dict[str, Path]:
    """Returns the files to write by kind, html or json. Raises SettingsError where both have one name."""
    if kind == "both":
        page = to or layout.root / "report.html"
        if page.suffix == SUFFIXES["json"]:
            raise SettingsError(f"--to {page}: is the page. Give it another end than the JSON file, or --format json")
        return {"html": page, "json": page.with_suffix(SUFFIXES["json"])}
    return {kind: to or layout.root / f"report{SUFFIXES[kind]}"}


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    except OSError as exc:
        raise DatasetError(f"{path} can't be written: {exc.strerror}") from exc
