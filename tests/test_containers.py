"""The pipeline over Kafka in a container, as users run it."""

from pathlib import Path

import pytest

from tests.support.embedded import EmbeddedServer
from tests.support.pipeline import documents, finished, records

pytestmark = pytest.mark.container


def test_texts_come_out_as_documents(
    tmp_path: Path, container_kafka: str, embedded_server: EmbeddedServer, make_settings
):
    settings = make_settings(bootstrap_servers=container_kafka)
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "en.txt").write_text("An excimer laser is a light source that emits at 193 nm.\n")
    (texts / "zh.txt").write_text("光刻是一种把掩模版上的图形转移到晶圆上的工艺。\n")
    flags = ["--bootstrap-servers", container_kafka, "--namespace", settings.kafka.namespace]
    flags += ["--model-urls", embedded_server.base_url, "--model-name", "extractive"]
    finished(texts, tmp_path / "out", *flags)
    assert len(documents(tmp_path / "out")) == 2
    before = records(tmp_path / "out")
    finished(texts, tmp_path / "out", *flags)
    assert records(tmp_path / "out") == before
    assert len(embedded_server.requests) == 2
