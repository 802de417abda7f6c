import logging
import sys
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import SettingsError
from configs.settings import load_settings
from schemas import Chunk
from telemetry.logs import _Json, configure_logs


@pytest.fixture
def logged(capsys):
    before, level = logging.getLogger().handlers[:], logging.getLogger().level

    def log(fmt: str, *args, **extra) -> str:
        configure_logs(load_settings({"log_format": fmt}).telemetry, process="test")
        logging.getLogger("x").warning(*args, exc_info=extra.pop("exc_info", None), extra=extra)
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


HOSTILE = [
    "a\x1b[31m\rb", "a\n12:00:00 ERROR   worker: all is lost", "\x9b2J", "\u202etxt.exe", "\u2028next", "\x00\x7f",
    "caf\udce9.txt", "\U000e0041tag", '"},{"level":"error"',
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
@pytest.mark.parametrize("fmt", ["human", "json"])
def test_a_hostile_name_is_one_line_of_harmless_characters(logged, fmt, name):
    text = logged(fmt, "published %s", name, path=name)
    assert text.count("\n") == 1
    assert text.removesuffix("\n").isprintable()
    if fmt == "json":
        assert orjson.loads(text)["level"] == "warning"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_json_line_says_what_was_logged(name):
    record = logging.makeLogRecord({"msg": "%s", "args": (name,), "levelname": "INFO"})
    line = _Json("test").format(record)
    assert orjson.loads(line)["message"] == name
    assert line.isprintable()


@pytest.mark.parametrize("fmt", ["human", "json"])
def test_a_traceback_keeps_its_lines_and_drives_nothing(logged, fmt):
    try:
        Path("name\x1b[2J").read_bytes()
    except OSError as exc:
        text = logged(fmt, "failed", exc_info=exc)
    assert "Traceback" in text
    assert "\x1b" not in text
    assert "name" in text


@pytest.mark.parametrize("fmt", ["human", "json"])
def test_a_traceback_quotes_nobody_but_us_and_the_system(logged, fmt):
    try:
        try:
            try:
                Chunk.model_validate({"text": ["the secret text"]})
            except ValueError as exc:
                raise ExceptionGroup("of the secret text", [exc]) from exc
        except ExceptionGroup as exc:
            raise SettingsError("ours stays") from exc
    except SettingsError as exc:
        text = logged(fmt, "failed", exc_info=exc)
    assert "secret text" not in text.replace('["the secret text"]', "").replace('"of the secret text"', "").replace(
        '[\\"the secret text\\"]', "").replace('\\"of the secret text\\"', "")  # fmt: skip # of the source line
    assert "ours stays" in text
    assert "ValidationError" in text


def test_a_field_may_be_keyed_by_numbers(logged):
    assert orjson.loads(logged("json", "up", offsets={3: 7}))["offsets"] == {"3": 7}


def test_what_a_library_repeats_is_counted(logged, capsys, monkeypatch):
    logged("json", "configured")
    for _ in range(50):
        logging.getLogger("asyncio").error("socket.accept() out of system resource")
    monkeypatch.setattr("telemetry.logs.REPEAT_S", 0)
    logging.getLogger("asyncio").error("socket.accept() out of system resource")
    first, second = (orjson.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first.get("repeated"), second["repeated"]) == (None, 49)


def test_the_kafka_client_repeats_itself_rarely_and_nobody_else_is_held_back(logged, capsys):
    logged("json", "configured")
    for node in range(50):
        logging.getLogger("aiokafka.consumer.fetcher").error("Failed fetch messages from %s", node)
        logging.getLogger("x").warning("each counts")
    lines = [orjson.loads(line)["message"] for line in capsys.readouterr().err.splitlines()]
    assert lines.count("Failed fetch messages from 0") == 1
    assert len(lines) == 51
