"""Reading the topic as the README says, word for word but for the address and the namespace; and with Java's own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from schemas import TopicNames
from tests.support.kafka_tools import tool
from tests.support.outcomes import make_document, make_result, publish

README = Path(__file__).resolve().parents[1] / "README.md"
COMMITTED = [make_result(make_document(f"{name}.md")) for name in "ab"]
ABORTED = make_result(make_document("aborted.md"))


@pytest.fixture
def topic(make_settings):
    """Two results and one of an aborted transaction, which no reader may see."""
    settings = make_settings()
    publish(settings, ABORTED, abort=True)
    publish(settings, *COMMITTED)
    return settings


def adapted(text, settings):
    adapted = text.replace("localhost:9092", settings.kafka.brokers).replace(
        "qa.results", TopicNames(settings.kafka.namespace).results
    )
    assert adapted != text
    return adapted


def record_ids(lines):
    return sorted(orjson.loads(line)["record_id"] for line in lines)


EXPECTED = sorted(result.record_id for result in COMMITTED)


def test_the_readmes_python(topic):
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", adapted(program, topic)], stdout=subprocess.PIPE, text=True, encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    try:
        said = [process.stdout.readline().rstrip("\n") for result in COMMITTED for _ in result.pairs]
    finally:
        process.kill()
        process.communicate()
    assert sorted(said) == sorted(f"{pair.question} → {pair.answer}" for result in COMMITTED for pair in result.pairs)


@pytest.mark.kcat
def test_the_readmes_kcat(topic):
    (line,) = re.findall(r"^    (kcat .*) \| jq", README.read_text(encoding="utf-8"), re.MULTILINE)
    done = subprocess.run(adapted(line, topic).split(), capture_output=True, check=True)
    assert record_ids(done.stdout.splitlines()) == EXPECTED


def test_javas_console_consumer(topic):
    command = [
        *tool("org.apache.kafka.tools.consumer.ConsoleConsumer"), "--bootstrap-server", topic.kafka.brokers,
        "--topic", TopicNames(topic.kafka.namespace).results, "--from-beginning", "--isolation-level", "read_committed",
        "--max-messages", str(len(COMMITTED)), "--timeout-ms", "60000",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith(b"{")]
    assert record_ids(lines) == EXPECTED, done.stderr.decode()
