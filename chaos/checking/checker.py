"""Counts what readers with read_committed see, during a run and once more at its end.

    python -m chaos.checking.checker --bootstrap-servers B --namespace N --expectations FILE [--follow STATUS]

With `--follow` it reads along until SIGTERM and writes its progress to STATUS. Then, or at once without `--follow`, it
reads everything from the beginning. The exit code is 1 when anything is lost, doubled, read although its transaction
was aborted, or breaks the message contract.
"""

import argparse
import asyncio
import json
import logging
import signal
import sys
from contextlib import aclosing
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from chaos.checking.balance import Balance, Verdict
from chaos.checking.feed import Expectation, read_expectations
from configs.settings import Settings, load_settings
from messaging.connection import make_consumer, start_patiently
from messaging.reading import TopicMissingError, has_open_transaction, read_to_end, topic_partitions
from messaging.record import poll
from schemas import TopicNames
from telemetry.children import die_with_parent

READ_MS = 200
RETRY_S = 0.2
SETTLED_S = 90.0
"""Time to wait for open transactions. A dead worker's ends after 10 s, but a broker may have to come back first."""


class Follower:
    """Reads along with a run. It waits while a broker is away."""

    def __init__(self, settings: Settings, status: Path) -> None:
        self._settings = settings
        self._names = TopicNames(settings.kafka.namespace)
        self._status = status
        self.balance = Balance(self._names)

    async def run(self) -> None:
        """Reads until it is cancelled."""
        consumer = make_consumer(self._settings.kafka)
        await start_patiently(consumer, self._settings.kafka)
        try:
            await self._assign(consumer)
            while True:
                await self._read(consumer)
                self._write_status()
        finally:
            await consumer.stop()

    async def _assign(self, consumer: AIOKafkaConsumer) -> None:
        """Assigns all partitions from offset 0, which both topics keep, so that no offset reset is ever needed."""
        while True:
            try:
                places = [
                    TopicPartition(topic, number)
                    for topic in (self._names.results, self._names.dead_letters)
                    for number in await topic_partitions(consumer, topic)
                ]
            except TopicMissingError:
                await asyncio.sleep(RETRY_S)
                continue
            consumer.assign(places)
            for place in places:
                consumer.seek(place, 0)
            return

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        try:
            for records in (await poll(consumer, timeout_ms=READ_MS, max_records=2000)).values():
                for record in records:
                    self.balance.take(record)
        except KafkaError:
            await asyncio.sleep(RETRY_S)

    def _write_status(self) -> None:
        staged = self._status.with_suffix(".new")
        staged.write_text(json.dumps({"outcomes": self.balance.outcomes, "doubled": self.balance.doubled}))
        staged.replace(self._status)


async def read_all(settings: Settings) -> Balance:
    """Reads everything that is committed, after waiting until no transaction on the topics is open."""
    names = TopicNames(settings.kafka.namespace)
    balance = Balance(names)
    for topic in (names.results, names.dead_letters):
        await _wait_until_settled(settings, topic)
        async with aclosing(read_to_end(settings.kafka, topic)) as records:
            async for record in records:
                balance.take(record)
    return balance


async def _wait_until_settled(settings: Settings, topic: str) -> None:
    """Until readers of committed and of uncommitted records see the same end."""
    async with asyncio.timeout(SETTLED_S):
        while await has_open_transaction(settings.kafka, topic):
            await asyncio.sleep(RETRY_S)


def compare(followed: Balance, final: Balance, verdict: Verdict) -> None:
    """Notes every record that was read during the run and is missing, or seen less often, at the end."""
    at_end = final.records
    for identity, times in followed.records.items():
        if times > at_end.get(identity, 0):
            verdict.problems["vanished"].append(f"{identity}: read {times} times, in the end {at_end.get(identity, 0)}")


async def check(settings: Settings, expectations: Path, status: Path | None) -> Verdict:
    followed = await _follow_until_stopped(Follower(settings, status)) if status else None
    final = await read_all(settings)
    verdict = final.verdict(_read(expectations))
    if followed is not None:
        compare(followed, final, verdict)
        for kind, found in followed.verdict([]).problems.items():
            if kind in ("disorder", "contract"):
                verdict.problems[kind] += [f"read along: {each}" for each in found]
    return verdict


async def _follow_until_stopped(follower: Follower) -> Balance:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    following = asyncio.ensure_future(follower.run())
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait([following, stopped], return_when=asyncio.FIRST_COMPLETED)
    if following.done():
        following.result()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    return follower.balance


def _read(expectations: Path) -> list[Expectation]:
    return read_expectations(expectations.read_text().splitlines())


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos.checking.checker", description=__doc__)
    parser.add_argument("--bootstrap-servers", required=True)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--expectations", type=Path, required=True, help="what chaos.checking.feed wrote")
    parser.add_argument("--follow", type=Path, metavar="STATUS", help="read along until SIGTERM")
    args = parser.parse_args(argv)
    die_with_parent()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    settings = load_settings({"bootstrap_servers": args.bootstrap_servers, "namespace": args.namespace})
    verdict = asyncio.run(check(settings, args.expectations, args.follow))
    print(json.dumps({"clean": verdict.clean, "problems": {k: len(v) for k, v in verdict.problems.items()}}))
    print(verdict)
    return 0 if verdict.clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
