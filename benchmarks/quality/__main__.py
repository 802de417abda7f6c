"""Precision and recall of the checks that need no model, on one half of the labelled cases."""

import argparse
import time

import orjson

from benchmarks.quality.cases import AUTHORS, WHOLE, Author, Half, cases, texts
from benchmarks.quality.figures import Figure, failures, figures, of_mutations, reasons


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--half", choices=("tune", "report"), default="report", help="default: report")
    parser.add_argument("--failures", action="store_true", help="list the cases that go wrong, for the tune half only")
    options = parser.parse_args()
    if options.failures and options.half == "report":
        parser.error("nobody may look at cases of the report half: --failures needs --half tune")
    _print_figures(options.half)
    if options.failures:
        for what, case in failures():
            print(f"{what}: {orjson.dumps(case).decode()}")


def _print_figures(half: Half) -> None:
    print(f"| {half} half | author | cases | precision | recall |\n|---|---|---|---|---|")
    groups: list[tuple[str, tuple[Author, ...]]] = [*((author, (author,)) for author in AUTHORS), ("both", AUTHORS)]
    groups += [(author, (author,)) for author, whole in WHOLE.items() if whole == half]
    for name, authors in groups:
        for each in figures(half, authors):
            print(_row(each, name))
    print(_row(of_mutations(half), "chance"))
    print(f"\n{_milliseconds():.2f} ms of CPU for a pair that is alone in its chunk")


def _row(figure: Figure, author: str) -> str:
    return f"| {figure.what} | {author} | {figure.cases} | {figure.precision:.3f} | {figure.recall:.3f} |"


def _milliseconds() -> float:
    chunks, pairs = texts(), cases("support", "tune")
    began = time.process_time()
    for pair in pairs:
        reasons(pair, chunks[pair["text"]])
    return (time.process_time() - began) / len(pairs) * 1000


if __name__ == "__main__":
    main()
