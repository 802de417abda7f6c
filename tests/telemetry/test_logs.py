import logging
import sys

import orjson
import pytest

from configs.settings import load_settings
from telemetry.logs import configure_logs


@pytest.fixture
def logged(capsys):
    before, level = logging.getLogger().handlers[:], logging.getLogger().level

    def log(fmt: str, *args, **extra) -> str:
        configure_logs(load_settings({"log_format": fmt}), process="test")
        logging.getLogger("x").warning(*args, extra=extra)
        return capsys.readouterr().err

    yield log
    logging.basicConfig(handlers=before or [logging.StreamHandler(sys.stderr)], level=level, force=True)


def test_json_lines_carry_fields(logged):
    line = orjson.loads(logged("json", "seen %d", 3, partition=7))
    assert (line["message"], line["partition"], line["process"], line["level"]) == ("seen 3", 7, "test", "warning")


def test_a_name_can_not_drive_the_terminal(logged):
    text = logged("human", "file %s", "a\x1b[31m\rb")
    assert "\x1b" not in text
    assert "\\x1b[31m\\rb" in text


def test_a_field_may_be_keyed_by_numbers(logged):
    assert orjson.loads(logged("json", "up", offsets={3: 7}))["offsets"] == {"3": 7}


def test_the_kafka_client_repeats_itself_rarely_and_nobody_else_is_held_back(logged, capsys):
    logged("json", "configured")
    for node in range(50):
        logging.getLogger("aiokafka.consumer.fetcher").error("Failed fetch messages from %s", node)
        logging.getLogger("x").warning("each counts")
    lines = [orjson.loads(line)["message"] for line in capsys.readouterr().err.splitlines()]
    assert lines.count("Failed fetch messages from 0") == 1
    assert len(lines) == 51
