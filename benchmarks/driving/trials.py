"""The trials. Each one prints its observations and checks them."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.driving.stand import Model, Process, Seen, Stand, stand
from schemas import Status
from tests.support.redis_server import RedisServer

SLOTS, SECONDS = 16, 0.8
SPEED = SLOTS / SECONDS
"""Answers per second of a model server that is always full."""
FOLLOWS_S = 10.0
CRASHED_S = 2.0


@dataclass(frozen=True)
class Trial:
    """A trial on a broker, in a folder. `scale` multiplies the numbers of chunks and the lengths of faults."""

    broker: str
    folder: Path
    scale: float

    def number(self, full: int) -> int:
        return max(30, int(full * self.scale))


def texts(number: int, *, first: int = 0) -> list[str]:
    return [f"Number {first + n}: the film is {first + n} nanometres thick." for n in range(number)]


def demand(what: str, *, seen: object, holds: bool) -> None:
    print(f"  {'ok  ' if holds else 'FAIL'} {what}: {seen}", flush=True)
    if not holds:
        raise SystemExit(1)


def demand_all_answered(seen: Seen, chunks: int) -> None:
    demand("chunks answered", seen=f"{seen.count(Status.OK)} of {chunks}", holds=seen.count(Status.OK) == chunks)
    demand("dead letters", seen=len(seen.letters), holds=not seen.letters)
    demand("outcomes written twice", seen=seen.twice, holds=not seen.twice)


async def outage(trial: Trial) -> None:
    """The model server is killed in the middle and returns much later."""
    chunks, away_s = trial.number(2000), 300 * trial.scale
    undisturbed_s, _ = await _timed(trial, "undisturbed", chunks)
    disturbed_s, seen = await _timed(trial, "outage", chunks, away_s=away_s)
    demand_all_answered(seen, chunks)
    most_s = 1.1 * undisturbed_s + away_s + 30
    print(f"  undisturbed {undisturbed_s:.1f} s, outage {away_s:.0f} s")
    demand(f"seconds, of at most {most_s:.1f}", seen=f"{disturbed_s:.1f}", holds=disturbed_s <= most_s)


async def _timed(trial: Trial, name: str, chunks: int, *, away_s: float = 0.0) -> tuple[float, Seen]:
    async with _published(trial, name, texts(chunks)) as made:
        model = _model(made, "model")
        made.worker(model)
        await made.seen.reach(1)
        began = time.monotonic()
        if away_s:
            await made.seen.reach(chunks // 2)
            model.kill()
            await asyncio.sleep(away_s)
            model.start()
        await made.seen.reach(chunks)
        return time.monotonic() - began, made.seen


async def killed_replica(trial: Trial) -> None:
    """One of two endpoints is killed and returns: answers per second before, between and after."""
    phase_s = max(25.0, 40 * trial.scale)
    async with _published(trial, "replicas", texts(int(SPEED * 6 * phase_s))) as made:
        models = [_model(made, "one"), _model(made, "other")]
        made.worker(*models)
        await made.seen.reach(int(2 * SPEED * 10))  # the limits have grown
        changes = [time.time()]
        for change in (models[1].kill, models[1].start):
            await asyncio.sleep(phase_s)
            change()
            changes.append(time.time())
        await asyncio.sleep(phase_s)
        ended = time.time()
        answers = [entry["time_s"] for model in models for entry in model.entries("answer")]
        demand("dead letters", seen=len(made.seen.letters), holds=not made.seen.letters)
    before = _rate(answers, changes[0], changes[1])
    print(f"  answers a second before: {before:.1f}, of {2 * SPEED:.0f} that the servers could give")
    for what, first_s, last_s, part in (
        ("without one, 10 s after the kill", changes[1] + FOLLOWS_S, changes[2], 0.5),
        ("with both, 10 s after the start", changes[2] + FOLLOWS_S, ended, 1.0),
    ):
        share = _rate(answers, first_s, last_s) / before
        demand(f"answers {what}, as a part of before ({part})", seen=f"{share:.2f}", holds=share >= 0.9 * part)
    for what, at in (("kill", changes[1]), ("start", changes[2])):
        print(f"  answers a second in the 10 s after the {what}: {_rate(answers, at, at + FOLLOWS_S):.1f}")


def _rate(answers: list[float], first_s: float, last_s: float) -> float:
    return sum(first_s <= at < last_s for at in answers) / (last_s - first_s)


async def slower_replica(trial: Trial) -> None:
    """One of two endpoints takes three times as long."""
    chunks = trial.number(3000)
    async with _published(trial, "slower", texts(chunks)) as made:
        fast, slow = _model(made, "fast"), _model(made, "slow", seconds=3 * SECONDS)
        made.worker(fast, slow)
        await made.seen.reach(chunks)
        began, ended = _middle([*fast.entries("answer"), *slow.entries("answer")])
        counts = [sum(began <= e["time_s"] < ended for e in model.entries("answer")) for model in (fast, slow)]
        demand_all_answered(made.seen, chunks)
    rates = [count / (ended - began) for count in counts]
    for name, rate, full in (("fast", rates[0], SPEED), ("slow", rates[1], SPEED / 3)):
        print(f"  answers a second, {name}: {rate:.1f}, of {full:.1f} that it could give")
    ratio = rates[0] / rates[1]
    demand("work, fast to slow (speeds: 3)", seen=f"{ratio:.2f}", holds=3 * 0.85 <= ratio <= 3 * 1.15)


def _middle(entries: list[dict[str, float]]) -> tuple[float, float]:
    """The middle of a run, without the first quarter, when limits still grow, and the end, when work runs out."""
    times = sorted(entry["time_s"] for entry in entries)
    return times[len(times) // 4], times[int(0.9 * len(times))]


async def poison(trial: Trial) -> None:
    """One prompt kills the server's process each time, and its operator starts it again."""
    chunks = trial.number(500)
    asked = texts(chunks)
    asked[chunks // 3] += " POISON"
    async with _published(trial, "poison", asked) as made:
        model = _model(made, "model", poison="POISON")
        reviving = asyncio.create_task(model.keep_alive(away_s=CRASHED_S))
        made.worker(model)
        await made.seen.reach(chunks)
        reviving.cancel()
        seen = made.seen
        calls = Counter(entry["text"] for entry in model.entries("request"))
    poisonous = calls.pop(asked[chunks // 3])
    demand("chunks answered", seen=f"{seen.count(Status.OK)} of {chunks}", holds=seen.count(Status.OK) == chunks - 1)
    classes = [letter.error_class for letter in seen.letters]
    demand("dead letters", seen=", ".join(classes), holds=classes == ["kills_server"])
    demand("crashes", seen=poisonous, holds=poisonous == 3)
    print(f"  most requests of an innocent chunk: {max(calls.values())}")


async def frozen(trial: Trial) -> None:
    """The server hangs (SIGSTOP) for far longer than all attempts together may take."""
    await _stopped(trial, "frozen", Process.freeze, Process.thaw)


async def hung_engine(trial: Trial) -> None:
    """The engine hangs for as long: the server still answers for models and metrics, but no completion ends."""
    await _stopped(trial, "hung-engine", Model.hang_engine, Model.free_engine)


async def _stopped(trial: Trial, name: str, stop: Callable[[Model], None], go_on: Callable[[Model], None]) -> None:
    chunks, stopped_s = trial.number(500), max(30.0, 60 * trial.scale)
    async with _published(trial, name, texts(chunks)) as made:
        model = _model(made, "model")
        worker = made.worker(model, timeout_s=3)
        await made.seen.reach(chunks // 3)
        stop(model)
        await asyncio.sleep(stopped_s)
        go_on(model)
        await made.seen.reach(chunks)
        demand_all_answered(made.seen, chunks)
        away = worker.output().count("is away")
        demand("times the server was seen to be away", seen=away, holds=away >= 1)


async def dead_redis(trial: Trial) -> None:
    """Two workers share a cache; it dies while half of the work is in it, and stays dead for a while."""
    chunks = trial.number(600)
    known = set(texts(chunks))
    async with stand(trial.broker, trial.folder, "redis") as made:
        redis = RedisServer(made.folder)
        await asyncio.to_thread(redis.start)
        model = _model(made, "model")
        await made.shared_out(*(made.worker(model, cache="true", cache_url=redis.url) for _ in range(2)))
        await made.publish(texts(chunks))
        await made.seen.reach(chunks)
        await made.publish(texts(2 * chunks), path="again.txt")  # the first half is in the cache
        await made.seen.reach(chunks + chunks // 4)
        redis.kill()
        at = len(made.seen.results)
        await made.seen.reach(2 * chunks)
        await asyncio.to_thread(redis.start)
        await made.seen.reach(3 * chunks)
        redis.kill()
        demand_all_answered(made.seen, 3 * chunks)
        usages = [result.usage for result in made.seen.results.values()]
        asked = Counter(entry["text"] for entry in model.entries("request"))
    cached, paid = sum(usage.cached_calls for usage in usages), sum(usage.calls for usage in usages)
    print(f"  killed after {at} of {3 * chunks} outcomes; {cached} answers from the cache, {paid} by calls")
    demand("each answer is from a call or the cache", seen=paid + cached, holds=paid + cached == 3 * chunks)
    demand("answers from the cache", seen=cached, holds=cached >= chunks // 8)
    twice = sum(number > 1 + (text in known) for text, number in asked.items())
    demand("texts asked more often than there are chunks of them", seen=twice, holds=not twice)


def _model(made: Stand, name: str, *, seconds: float = SECONDS, poison: str = "") -> Model:
    return made.model(name, "--slots", SLOTS, "--seconds", seconds, "--poison", poison)


@asynccontextmanager
async def _published(trial: Trial, name: str, asked: list[str]) -> AsyncIterator[Stand]:
    async with stand(trial.broker, trial.folder, name) as made:
        await made.publish(asked)
        yield made


TRIALS: dict[str, Callable[[Trial], object]] = {
    "outage": outage,
    "killed-replica": killed_replica,
    "slower-replica": slower_replica,
    "poison": poison,
    "frozen": frozen,
    "hung-engine": hung_engine,
    "redis": dead_redis,
}
