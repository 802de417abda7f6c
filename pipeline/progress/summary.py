"""What is said at the end: how much there is, three pairs to look at, where it lies, how to read the topic."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from shlex import quote

from ledger.account import ProgressTotals
from ledger.progress import Progress
from pipeline.run.children import printable
from pipeline.run.plan import EMBEDDED_MODEL, Plan
from schemas import DecodeError, Pair, Result, TopicNames, decode

SAMPLES = 3
LOOK_AT = 500
NAMED = 10
WIDTH = 300


def summary(plan: Plan, progress: Progress, *, undone: Mapping[str, str], report: str) -> Iterator[str]:
    """Lines for a finished run.

    `undone` says why by path, for what could not be read; `report` where the page about the data is.
    """
    yield ""
    yield f"Done: {counts(progress.totals)}"
    if progress.totals == ProgressTotals() and not undone:
        where = printable(str(plan.input_dir))
        yield f"No file in {where}: hidden ones, and what --include or --exclude leaves out, don't count"
    yield from _named("In the dead letters", list(progress.failures()))
    yield from _named("Left undone; run it again when that is mended", [f"{p}: {why}" for p, why in undone.items()])
    results = [result for result in islice(read_results(plan.output_dir), LOOK_AT) if progress.is_newest(result)]
    yield from _of_other_models(plan, results)
    for result, pair in sample(results):
        yield from _shown(result, pair)
    yield ""
    yield f"Results:   {plan.output_dir / 'documents'} (one JSON a text), {plan.output_dir / 'results'} (JSON lines)"
    yield f"Report:    {printable(report)}"
    yield from _how_to_read(plan)


def counts(totals: ProgressTotals) -> str:
    return (
        f"{totals.files} files, {totals.chunks} chunks, {totals.pairs} question–answer pairs; "
        f"{totals.calls} model calls in this run, {totals.cached_calls} answered from the cache"
    )


def _named(what: str, lines: Sequence[str]) -> Iterator[str]:
    """The first of them, if there are any."""
    if lines:
        yield f"{what} ({len(lines)}):"
        yield from (f"    {printable(line)}" for line in lines[:NAMED])
    if len(lines) > NAMED:
        yield f"    … and {len(lines) - NAMED} more"


def _of_other_models(plan: Plan, results: Iterable[Result]) -> Iterator[str]:
    """What was answered before is not asked again, whatever the model is now."""
    model = EMBEDDED_MODEL if plan.own_model else plan.settings.model.model_name
    others = sorted({result.model.name for result in results} - {model})
    if others:
        yield (
            f"Some of it was answered by {printable(', '.join(others))} before, and is not asked again. For answers of "
            f"{model} take another --output-dir, or `python -m producer regenerate`"
        )


def read_results(output_dir: Path) -> Iterator[Result]:
    """Results on disk, some of the newest first; those of older versions are among them."""
    for segment in sorted((output_dir / "results").glob("*.jsonl"), reverse=True):
        with segment.open("rb") as lines:
            for line in lines:
                try:
                    yield decode(Result, line)
                except DecodeError:
                    continue


def sample(results: Iterable[Result]) -> list[tuple[Result, Pair]]:
    """Up to three pairs with evidence, of different documents, both languages among them when there are both."""
    candidates: dict[str, tuple[Result, Pair]] = {}
    for result in results:
        pair = next((pair for pair in result.pairs if pair.evidence), None)
        if pair is not None:
            candidates.setdefault(result.document.id, (result, pair))
    return _languages_first(list(candidates.values()))[:SAMPLES]


def _languages_first(found: list[tuple[Result, Pair]]) -> list[tuple[Result, Pair]]:
    """One of each language, then the rest, otherwise in their order."""
    firsts = {item[1].language: item for item in reversed(found)}
    leading = [item for item in found if item is firsts[item[1].language]]
    return leading + [item for item in found if item not in leading]


def _shown(result: Result, pair: Pair) -> Iterator[str]:
    evidence = pair.evidence[0]
    yield ""
    yield f"  {printable(result.document.path)} [{pair.type}]"
    yield f"  Q: {_clip(pair.question)}"
    yield f"  A: {_clip(pair.answer)}"
    yield f"  Evidence, characters {evidence.start}–{evidence.end}: {_clip(evidence.text)}"


def _clip(text: str) -> str:
    text = " ".join(printable(text).split())
    return text if len(text) <= WIDTH else text[:WIDTH] + "…"


def _how_to_read(plan: Plan) -> Iterator[str]:
    namespace = plan.settings.kafka.namespace
    topic = TopicNames(namespace).results
    brokers = plan.settings.kafka.brokers
    if plan.own_broker:
        brokers = "localhost:9092"
        yield "The topic:  Kafka was stopped with the pipeline. Start it again, then read in another terminal:"
        yield f"    {_python()} -m server broker --data-dir {quote(str(plan.broker_dir))} --port 9092"
    else:
        yield "The topic:"
    yield f"    kcat -C -e -b {brokers} -t {topic} -X isolation.level=read_committed"
    read = f"{_python()} -m pipeline read --bootstrap-servers {brokers} --namespace {namespace}"
    yield f"    {read}    # where there is no kcat"


def _python() -> str:
    """The interpreter as it can be typed here: `python` alone may be another one."""
    executable, here = Path(sys.executable), Path.cwd()
    return str(executable.relative_to(here) if executable.is_relative_to(here) else executable)
