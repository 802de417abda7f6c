"""A pipeline of this machine that a Prometheus looks at, and what it lives through: for dashboard, alerts, pictures."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from chaos.waiting import eventually
from tests.support.embedded import EmbeddedServer, embedded_server
from tests.support.pipeline import Running, documents, pipeline
from tests.support.prometheus import Prometheus, metrics_port, running_prometheus

WORKERS = 2


@dataclass(slots=True)
class Observed:
    texts: Path
    pipeline: Running
    prometheus: Prometheus
    metrics: tuple[str, ...]
    """Addresses of the workers' /metrics."""
    _model: EmbeddedServer
    _stack: ExitStack
    _speed: Mapping[str, int]

    def drop(self, name: str, content: str | bytes) -> None:
        temporary = self.texts / f".{name}"
        temporary.write_bytes(content if isinstance(content, bytes) else content.encode())
        temporary.rename(self.texts / name)

    def done(self) -> int:
        return len(documents(self.pipeline.output_dir))

    def crash_the_model(self) -> None:
        """In the midst of its calls; it is back at once."""
        asked = len(self._model.requests)
        eventually(lambda: len(self._model.requests) > asked, what=lambda: self.pipeline.logs)
        self._model.process.kill()
        self._model.process.wait()
        port = urlsplit(self._model.base_url).port or 0
        log = self._model.request_log.parent
        self._model = self._stack.enter_context(embedded_server(log, port=port, **self._speed))


@contextmanager
def observed_pipeline(directory: Path, *flags: object, latency_ms: int, slots: int = 256) -> Iterator[Observed]:
    """Two workers and an embedded model server, all of it up and scraped."""
    speed = {"latency_ms": latency_ms, "slots": slots}
    first = metrics_port(WORKERS + 2)
    addresses = [f"127.0.0.1:{first + i}" for i in range(WORKERS + 2)]
    texts = directory / "texts"
    texts.mkdir()
    with ExitStack() as stack:
        model = stack.enter_context(embedded_server(directory, **speed))
        targets = {
            "qastream-producer": addresses[:1],
            "qastream-sink": addresses[1:2],
            "qastream-worker": addresses[2:],
            "model": [urlsplit(model.base_url).netloc],
        }
        prometheus = stack.enter_context(running_prometheus(directory / "prometheus", targets))
        given = ["--workers", WORKERS, "--metrics-port", first, "--model-urls", model.base_url, *flags]
        running = stack.enter_context(pipeline(texts, directory / "out", *given, "--model-name", "extractive"))
        wanted = {job: len(of_job) for job, of_job in sorted(targets.items())}
        eventually(lambda: prometheus.up() == wanted, within_s=90, what=lambda: f"{prometheus.up()}\n{running.logs}")
        metrics = tuple(f"http://{address}/metrics" for address in addresses[2:])
        yield Observed(texts, running, prometheus, metrics, model, stack, speed)
