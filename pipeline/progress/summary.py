"""The lines at the end of a run: counts, three pairs to look at, where the results are, how to read the topic."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from shlex import quote

from configs.cli import printable
from ledger.account import ProgressTotals
from ledger.progress import Progress
from output.layout import Layout
from output.segments.naming import covering, list_segments
from output.segments.records import read_segment
from pipeline.run.plan import EMBEDDED_MODEL, RunPlan
from schemas import DecodeError, Pair, Result, TopicNames, decode

SAMPLES = 3
LOOK_AT = 500
NAMED = 10
WIDTH = 300


def summary(plan: RunPlan, progress: Progress, *, undone: Mapping[str, str], report: str) -> Iterator[str]:
    """Yields the lines for a finished run. `undone` has reasons by path; `report` says where the page is."""
    yield ""
    yield f"Done: {counts(progress.totals)}"
    if progress.totals == ProgressTotals() and not undone:
        where = printable(str(plan.input_dir))
        yield f"No file in {where}: hidden files and files that --include or --exclude leaves out do not count"
    yield from _named("In the dead letters", list(progress.failures()))
    yield from _named("Left undone; fix the cause and run it again", [f"{p}: {why}" for p, why in undone.items()])
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
    """Yields a heading with the number of `lines`, and the first of them; nothing where there are none."""
    if lines:
        yield f"{what} ({len(lines)}):"
        yield from (f"    {printable(line)}" for line in lines[:NAMED])
    if len(lines) > NAMED:
        yield f"    … and {len(lines) - NAMED} more"


def _of_other_models(plan: RunPlan, results: Iterable[Result]) -> Iterator[str]:
    """Yields a note where an earlier run asked another model: answered chunks are not asked again."""
    model = EMBEDDED_MODEL if plan.own_model else plan.settings.model.model_name
    others = sorted({result.model.name for result in results} - {model})
    if others:
        yield (
            f"Some chunks were answered by {printable(', '.join(others))} before and are not asked again. "
            f"For answers of {model} take another --output-dir, or `python -m producer regenerate`"
        )


def read_results(output_dir: Path) -> Iterator[Result]:
    """Yields results from the segments, newer segments first, results of replaced versions included."""
    folder = Layout(output_dir).results
    for segment in reversed(covering(list_segments(folder))):
        for record in read_segment(folder, segment):
            with suppress(DecodeError):
                yield decode(Result, record.value)


def sample(results: Iterable[Result]) -> list[tuple[Result, Pair]]:
    """Returns up to three pairs with evidence, from different documents, in both languages where both occur."""
    candidates: dict[str, tuple[Result, Pair]] = {}
    for result in results:
        pair = next((pair for pair in result.pairs if pair.evidence), None)
        if pair is not None:
            candidates.setdefault(result.document.id, (result, pair))
    return _languages_first(list(candidates.values()))[:SAMPLES]


def _languages_first(found: list[tuple[Result, Pair]]) -> list[tuple[Result, Pair]]:
    """Returns the items in their order, but the first item of each language before the rest."""
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


def _how_to_read(plan: RunPlan) -> Iterator[str]:
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
    """Returns the path of this interpreter as a user can type it: `python` alone may be another one."""
    executable, here = Path(sys.executable), Path.cwd()
    return str(executable.relative_to(here) if executable.is_relative_to(here) else executable)
