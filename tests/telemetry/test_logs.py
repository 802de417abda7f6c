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
