"""Injects every error class and writes a table for docs/model-server.md: requests at the server, and outcomes."""

import asyncio
import time
from dataclasses import dataclass

from benchmarks.driving.stand import ROOT, Model, Stand, stand
from benchmarks.driving.trials import CRASHED_S, Trial, demand
from schemas import Result, Status

PAGE = ROOT / "docs" / "model-server.md"
BEGIN, END = "<!-- classes: made by `python -m benchmarks.driving classes` -->", "<!-- /classes -->"
TIMEOUT_S = 2.0
AWAY = "away"
"""A case that is no fault of an answer: the server is killed before the chunk is published."""


@dataclass(frozen=True)
class Case:
    """A fault that a chunk meets `times` times or `always`, and the number of requests that it should cause."""

    shown: str
    error_class: str
    kind: str
    times: str
    ends: str
    requests: int


CASES = (
    Case("connection refused while it is restarted", "outage", AWAY, "0", "ok", 1),
    Case("502", "outage", "502", "3", "ok", 4),
    Case("401", "outage", "401", "3", "ok", 4),
    Case("404", "outage", "404", "3", "ok", 4),
    Case("500 `EngineCore`", "outage", "engine", "2", "ok", 3),
    Case("`finish_reason: abort`", "outage", "abort", "3", "ok", 4),
    Case("connection reset", "outage", "reset", "6", "ok", 7),
    Case("connection reset in mid-answer", "outage", "half", "6", "ok", 7),
    Case("429, `Retry-After: 1`", "overload", "429", "3", "ok", 4),
    Case("503", "overload", "503", "6", "ok", 7),
    Case("500", "transient", "500", "4", "ok", 5),
    Case("500", "transient", "500", "always", "transient", 5),
    Case("408", "transient", "408", "always", "transient", 5),
    Case("504", "transient", "504", "always", "transient", 5),
    Case("no answer in time", "transient", "hang", "1", "ok", 2),
    Case("no answer in time", "transient", "hang", "always", "transient", 5),
    Case("stops in mid-answer", "transient", "drip", "always", "transient", 5),
    Case("200 with a torn body", "malformed", "garbage", "4", "ok", 5),
    Case("200 with a torn body", "malformed", "garbage", "always", "malformed", 5),
    Case("answer is no JSON", "malformed", "no_json", "always", "malformed", 5),
    Case("answer does not fit the schema", "malformed", "schema", "always", "malformed", 5),
    Case("`finish_reason: length`", "truncated", "truncated", "2", "ok", 3),
    Case("`finish_reason: length`", "truncated", "truncated", "always", "truncated", 5),
    Case("`finish_reason: length`, 400 over 8,192 tokens", "truncated", "narrow", "always", "truncated", 4),
    Case("400", "refused", "400", "always", "refused", 1),
    Case("413", "refused", "413", "always", "refused", 1),
    Case("422", "refused", "422", "always", "refused", 1),
    Case("the process dies", "outage", "crash", "2", "ok", 3),
    Case("the process dies", "kills_server", "crash", "always", "kills_server", 3),
)


async def classes(trial: Trial) -> None:
    """Run the cases one after the other, so that an outage concerns its own chunk only."""
    async with stand(trial.broker, trial.folder, "classes") as made:
        model = made.model("model", "--seconds", "0.05")
        reviving = asyncio.create_task(model.keep_alive(away_s=CRASHED_S))
        made.worker(model, timeout_s=TIMEOUT_S)
        rows = [await _meet(made, model, number, case) for number, case in enumerate(CASES)]
        reviving.cancel()
    _write(rows)
    print(f"  table of {len(rows)} cases in {PAGE.relative_to(ROOT)}")


async def _meet(made: Stand, model: Model, number: int, case: Case) -> str:
    """A row of the table. Ends the trial when it differs from the expected one."""
    text = f"Number {number}: INJECT {case.kind} {case.times}"
    if case.kind == AWAY:
        model.kill()
    began = time.monotonic()
    await made.publish([text], path=f"case-{number}.txt")
    await made.seen.reach(number + 1, within_s=120)
    took_s = time.monotonic() - began
    result = next(result for result in made.seen.results.values() if result.chunk.text == text)
    requests = [entry for entry in model.entries("request") if entry["text"] == text]
    letters = await _letters(made, result)
    came_out = _outcome(result)
    seen = (came_out, len(requests), letters)
    expected = (case.ends, case.requests, [] if case.ends == "ok" else [case.ends])
    demand(f"{case.shown}, {case.times}: outcome, requests, letters", seen=seen, holds=seen == expected)
    asked = " → ".join(str(entry["max_tokens"]) for entry in requests) if case.error_class == "truncated" else ""
    attempts = result.error.attempts if result.error else result.usage.calls
    out = "answered" if came_out == "ok" else f"dead letter `{came_out}`"
    at_server = f"{len(requests)}{f' (max_tokens {asked})' if asked else ''}"
    times = {"always": ", always", "0": ""}.get(case.times, f", {case.times} ×")
    return f"| {case.error_class} | {case.shown}{times} | {at_server} | {out} | {attempts} | {took_s:.1f} |"


async def _letters(made: Stand, result: Result) -> list[str]:
    """Wait for dead letters: they are committed with their results, but the two topics are read separately."""
    for _ in range(20):
        found = [letter.error_class for letter in made.seen.letters if letter.chunk_id == result.chunk.id]
        if found or result.status is Status.OK:
            return found
        await asyncio.sleep(0.1)
    return []


def _outcome(result: Result) -> str:
    return result.error.error_class if result.error else result.status.value


def _write(rows: list[str]) -> None:
    head = [
        "| class | injected | requests at the server | came out | attempts | seconds |",
        "|---|---|---|---|---|---|",
    ]
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text("\n".join([before + BEGIN, *head, *rows, END]) + after)
