"""`--on-done` with a real sink: a file goes when all of it is on disk, whatever is killed meanwhile."""

from pathlib import Path

import orjson
import pytest

from chaos.ends import Program
from chaos.waiting import eventually
from output.segments.records import iter_records
from tests.conftest import MakeSettings
from tests.producer.kafka import write_all
from tests.support.embedded import EmbeddedServer

FILES = {
    f"sub/{number}.txt": f"An excimer laser {number} is a light source that emits at 193 nm." for number in range(6)
}


class Site:
    """Producer, worker and sink over one directory; files go to `done`, or nowhere."""

    def __init__(self, settings, folder: Path, model: EmbeddedServer, how: str) -> None:
        self.input, self.output, self.done = folder / "in", folder / "out", folder / "done"
        kafka = ("--bootstrap-servers", settings.kafka.brokers, "--namespace", settings.kafka.namespace)
        created = (*kafka, "--partitions", 3)
        where = ("--done-dir", self.done) if how == "move" else ()
        self.producer = Program(
            folder / "producer.log", "producer", "--input-dir", self.input, "--output-dir", self.output,
            "--on-done", how, *where, "--settle-ms", 0, "--scan-interval-s", 0.5, *created,
        )  # fmt: skip
        model_flags = ("--model-urls", model.base_url, "--model-name", "extractive", "--no-cache")
        self.worker = Program(folder / "worker.log", "consumer", *model_flags, *created)
        self.sink = Program(folder / "sink.log", "consumer", "sink", "--output-dir", self.output, *kafka)
        self.programs = (self.producer, self.worker, self.sink)

    def there(self) -> set[str]:
        return {str(path.relative_to(self.input)) for path in self.input.rglob("*.txt")}

    def moved(self) -> set[str]:
        return {str(path.relative_to(self.done)) for path in self.done.rglob("*.txt")}

    def on_disk(self) -> set[str]:
        """Documents all of whose outcomes are in the segments."""
        lines = (line for path in self.output.glob("results/*.jsonl") for line in path.read_bytes().splitlines())
        return {orjson.loads(line)["document"]["path"] for line in lines}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("how", "point", "gone"), [("move", "producer.put_away", 1), ("delete", "producer.done", 0)])
def test_files_go_once_they_are_on_disk(
    make_settings: MakeSettings, tmp_path: Path, embedded_server: EmbeddedServer, how: str, point: str, gone: int
):
    """Given answers and no sink, no file goes; killed before or after the first one goes, all go in the end."""
    site = Site(make_settings(), tmp_path, embedded_server, how)
    try:
        write_all(site.input, FILES)
        site.producer.start(die_at=point)
        site.worker.start()
        eventually(lambda: len(embedded_server.requests) >= len(FILES), what=lambda: site.worker.said)
        assert site.there() == FILES.keys()
        assert site.producer.ended is None
        site.sink.start()
        site.producer.killed_itself()
        assert len(site.there()) == len(FILES) - gone
        assert site.on_disk() >= FILES.keys() - site.there()
        site.sink.kill()
        site.sink.start()
        site.producer.start()
        eventually(lambda: not site.there(), what=lambda: site.producer.said)
        assert site.on_disk() == FILES.keys()
        assert sum(1 for _ in iter_records(site.output)) == len(FILES)
        assert site.moved() == (FILES.keys() if how == "move" else set())
    finally:
        for program in site.programs:
            program.stop()
