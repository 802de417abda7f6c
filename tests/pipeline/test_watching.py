"""The pipeline as it watches: a new file reaches the disk by itself."""

import time
from pathlib import Path
from statistics import median

from chaos.waiting import eventually
from tests.support.embedded import embedded_server
from tests.support.pipeline import documents, pipeline

TEXT = "Photolithography is a process that transfers a pattern from a mask to a wafer.\n"
LATENCY_MS = 300


def test_a_new_file_is_on_disk_within_two_seconds_of_the_answer(tmp_path: Path, make_settings):
    settings = make_settings()
    texts, output = tmp_path / "texts", tmp_path / "out"
    texts.mkdir()
    (texts / "first.txt").write_text(TEXT)
    flags = ["--bootstrap-servers", settings.kafka.brokers, "--namespace", settings.kafka.namespace, "--partitions", 1]
    with embedded_server(tmp_path, latency_ms=LATENCY_MS) as model:
        flags += ["--model-urls", model.base_url, "--model-name", "extractive"]
        with pipeline(texts, output, *flags) as running:
            eventually(lambda: documents(output), what=lambda: f"{running.said}\n{running.logs}")

            took_s = []
            for count in range(2, 7):
                (texts / f"{count}.txt").write_text(TEXT.replace("Photolithography", f"Lithography {count}"))
                eventually(lambda count=count: len(model.requests) >= count, what=lambda: running.logs)
                asked_s = time.monotonic()
                eventually(lambda count=count: len(documents(output)) == count, what=lambda: running.logs)
                took_s.append(time.monotonic() - asked_s)
            assert median(took_s) < LATENCY_MS / 1000 + 2  # the machine may be busy now and then
