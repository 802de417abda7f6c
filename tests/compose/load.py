"""Load for a stack, and what came of it by the topic."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from threading import Event

from chaos.waiting import eventually
from configs.settings import load_settings
from messaging.reading import read_to_end
from schemas import Result, TopicNames, decode
from tests.compose.stack import READY_S, Stack

WAITING = 60
"""Files that are kept waiting while there has to be load: some 240 chunks, 15 s of work."""
LATENCY_MS = 1000
SLOTS = 16
"""Of the embedded model server: that many chunks a second, so that there is load while workers come and go."""
OVERRIDE = f"""services:
  embedded:
    command: python -m server embedded --host 0.0.0.0 --latency-ms {LATENCY_MS} --max-num-seqs {SLOTS}
"""


def text(number: int) -> str:
    """Some 7,000 characters that no other number has, as a few chunks."""
    facts = [f"A type {number}-{part} laser is a light source that emits at {part + 193} nm." for part in range(110)]
    return " ".join(facts) + "\n"


@contextmanager
def load(stack: Stack) -> Iterator[None]:
    """Files are kept waiting as long as the context lasts."""
    over = Event()

    def feed() -> None:
        while not over.wait(0.2):
            for number in range(stack.dropped(), len(stack.published()) + WAITING):
                stack.drop(f"{number:04}.txt", text(number))

    with ThreadPoolExecutor(max_workers=1) as pool:
        feeding = pool.submit(feed)
        try:
            yield
        finally:
            over.set()
        feeding.result()


def results_go_on(stack: Stack) -> None:
    done_before = len(stack.published())
    eventually(lambda: len(stack.published()) > done_before + 10, within_s=READY_S)


async def result_times_s(stack: Stack) -> list[float]:
    """When each result was sent, in order. No two are of the same chunk."""
    settings = load_settings({"bootstrap_servers": f"localhost:{stack.kafka_port}"})
    async with aclosing(read_to_end(settings.kafka, TopicNames("qa").results)) as records:
        found = [(record.timestamp_ms / 1000, decode(Result, record.value).record_id) async for record in records]
    assert len({record_id for _, record_id in found}) == len(found), "a chunk has two results"
    return sorted(time_s for time_s, _ in found)
