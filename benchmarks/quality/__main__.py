"""Precision and recall of the checks that need no model, on one half of the labelled cases."""

import argparse
import time

from benchmarks.quality.cases import cases, texts
from benchmarks.quality.figures import figures, reasons


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--half", choices=("tune", "report"), default="report", help="default: report")
    half = parser.parse_args().half
    print(f"| {half} half | cases | precision | recall |\n|---|---|---|---|")
    for each in figures(half):
        print(f"| {each.what} | {each.cases} | {each.precision:.3f} | {each.recall:.3f} |")
    print(f"\n{_milliseconds():.2f} ms of CPU for a pair that is alone in its chunk")


def _milliseconds() -> float:
    chunks, pairs = texts(), cases("support", "tune")
    began = time.process_time()
    for pair in pairs:
        reasons(pair, chunks[pair["text"]])
    return (time.process_time() - began) / len(pairs) * 1000


if __name__ == "__main__":
    main()
