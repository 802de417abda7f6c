"""kill -9 of every kind of process, over one input and one output directory."""

import json
import random
import signal
from pathlib import Path

import pytest

from chaos.waiting import eventually
from server.broker.node import Broker
from server.ports import free_port
from tests.support.embedded import EmbeddedServer, embedded_server
from tests.support.pipeline import Running, documents, finished, pipeline, records

ENDING = ["producer", "worker", "sink", "runner"]
"""Processes whose death ends the run; it is started again."""
SURVIVED = ["broker", "model"]
"""What a user has running elsewhere; the run waits until it is back."""
CONCURRENCY = 3
LATENCY_MS = 150
CHUNKS = 6
SEED = 20261122


def paragraph(file: int, number: int) -> str:
    return f"The tool T{file}x{number} is a stepper that exposes {file * 100 + number} wafers per hour at 193 nm.\n\n"


def drop(texts: Path, file: int) -> None:
    """A new text, moved into place: paragraphs just too long to share a chunk of 120 characters."""
    hidden = texts / f".{file}.tmp"
    hidden.write_text("".join(paragraph(file, number) for number in range(CHUNKS)))
    hidden.rename(texts / f"{file:02}.txt")


def flags(model: EmbeddedServer, brokers: str) -> list[object]:
    servers = ["--model-urls", model.base_url, "--model-name", "extractive", "--bootstrap-servers", brokers]
    quick = ["--session-timeout-ms", 2000, "--settle-ms", 100, "--partitions", 3]
    return [*servers, *quick, "--chunk-size", 120, "--concurrency", CONCURRENCY]


class Restartable:
    """The model server, on one port, with one log of requests."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port("127.0.0.1")
        self._start()

    @property
    def requests(self) -> int:
        return len(self.server.requests)

    def kill(self) -> None:
        self.server.process.kill()
        self.stop()
        self._start()

    def stop(self) -> None:
        self._context.__exit__(None, None, None)

    def _start(self) -> None:
        self._context = embedded_server(self._folder, latency_ms=LATENCY_MS, port=self._port)
        self.server = self._context.__enter__()


def until_asked(requests: int, model: Restartable, running: Running) -> None:
    eventually(
        lambda: model.requests >= requests or running.process.poll() is not None,
        what=lambda: f"{model.requests} of {requests} requests\n{running.said}\n{running.logs}",
    )


def kill(kind: str, running: Running) -> None:
    """A child that died is named on the screen; a runner that died takes all with it."""
    running.kill(kind)
    code = running.end()
    if kind == "runner":
        assert code == -signal.SIGKILL
    else:
        assert code == 1, running.said
        name = "worker-1" if kind == "worker" else kind
        assert f"error: {name} was killed by SIGKILL" in running.said


def kill_and_restart(kind: str, broker: Broker, model: Restartable) -> None:
    if kind == "model":
        model.kill()
    else:
        broker.kill()
        broker.start()


@pytest.mark.timeout(600)
def test_no_kill_loses_or_doubles_a_record(tmp_path: Path):
    """Twelve kills, each kind twice, each after a random number of further requests to the model server."""
    rng = random.Random(SEED)
    ending = rng.sample(ENDING * 2, 2 * len(ENDING))
    survived = dict(zip(rng.sample(range(len(ending)), 4), SURVIVED * 2, strict=True))
    texts, output = tmp_path / "texts", tmp_path / "out"
    texts.mkdir()
    model = Restartable(tmp_path)
    with Broker(data_dir=tmp_path / "kafka") as broker:
        options = flags(model.server, broker.bootstrap_servers)
        for number, kind in enumerate(ending):
            with pipeline(texts, output, *options) as running:
                drop(texts, 2 * number)
                until_asked(model.requests + rng.randint(1, CHUNKS), model, running)
                if number in survived:
                    kill_and_restart(survived[number], broker, model)
                    drop(texts, 2 * number + 1)
                    until_asked(model.requests + rng.randint(1, CHUNKS), model, running)
                kill(kind, running)
        finished(texts, output, *options)
        requests = model.requests
        finished(texts, tmp_path / "calm", *options, "--namespace", "calm")
    model.stop()

    chunks = CHUNKS * (len(ending) + len(survived))
    assert len(records(output)) == chunks
    assert records(output).keys() == records(tmp_path / "calm").keys()
    assert pairs(output) == pairs(tmp_path / "calm")
    assert requests <= chunks + CONCURRENCY * (len(ending) + len(survived))


def pairs(output: Path) -> dict[str, object]:
    return {record: json.loads(line)["pairs"] for record, line in records(output).items()}


def test_what_was_started_here_and_dies_is_named_and_the_next_start_goes_on(tmp_path: Path):
    """Given nothing configured, when the own broker is killed, then Ctrl-C, then the third run finishes the work."""
    texts, output = tmp_path / "texts", tmp_path / "out"
    texts.mkdir()
    drop(texts, 0)
    with pipeline(texts, output) as running:
        eventually(lambda: documents(output), what=lambda: f"{running.said}\n{running.logs}")
        before = records(output)
        kill("broker", running)
    drop(texts, 1)
    with pipeline(texts, output) as running:
        eventually(lambda: len(documents(output)) == 2, what=lambda: f"{running.said}\n{running.logs}")
        running.process.send_signal(signal.SIGINT)
        assert running.end() == 128 + signal.SIGINT
        assert "Stopped by SIGINT" in running.said
        assert "Traceback" not in running.said
    assert before.items() <= records(output).items()


def test_an_own_model_server_that_dies_is_named(tmp_path: Path, make_settings):
    texts = tmp_path / "texts"
    texts.mkdir()
    settings = make_settings()
    with pipeline(
        texts, tmp_path / "out", "--bootstrap-servers", settings.kafka.brokers, "--namespace", settings.kafka.namespace
    ) as running:
        kill("model", running)
