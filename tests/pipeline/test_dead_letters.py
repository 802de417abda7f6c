"""A run that is done, but not without dead letters."""

from pathlib import Path

from tests.support.embedded import EmbeddedServer
from tests.support.pipeline import documents, pipeline


def test_what_can_not_be_read_is_named_and_the_rest_is_done(
    tmp_path: Path, embedded_server: EmbeddedServer, make_settings
):
    texts, output, settings = tmp_path / "texts", tmp_path / "out", make_settings()
    texts.mkdir()
    (texts / "good.txt").write_text("An excimer laser is a light source that emits at 193 nm.\n")
    (texts / "bad.txt").write_bytes(b"\x00\xff\xfe\x00\x81" * 100)
    flags = ["--once", "--bootstrap-servers", settings.kafka.brokers, "--namespace", settings.kafka.namespace]
    with pipeline(texts, output, *flags, "--model-urls", embedded_server.base_url) as running:
        assert running.end() == 3, f"{running.said}\n{running.logs}"
    assert "In the dead letters (1):\n    bad.txt: " in running.said
    assert [d["document"]["path"] for d in documents(output).values()] == ["good.txt"]
