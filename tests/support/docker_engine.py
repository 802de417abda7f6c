"""A Kafka container, where an engine answers and has the image or can pull it."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import docker
import yaml
from docker.errors import DockerException, ImageNotFound
from testcontainers.core.container import DockerContainer

from server.broker.jars import KAFKA_VERSION
from server.broker.probe import wait_until_ready
from server.ports import free_port

COMPOSE = Path(__file__).resolve().parents[2] / "compose.yaml"
IMAGE = f"apache/kafka:{KAFKA_VERSION}"
PULL_S = 120
START_S = 120


def obstacle() -> str | None:
    """Why there can be no Kafka container here; None when there can."""
    try:
        client = docker.from_env(timeout=PULL_S)
        client.ping()
    except (DockerException, OSError) as exc:
        return f"no Docker engine answers: {exc}"
    try:
        client.images.get(IMAGE)
    except ImageNotFound:
        return _pull_obstacle(client)
    return None


def _pull_obstacle(client: docker.DockerClient) -> str | None:
    try:
        client.images.pull(IMAGE)
    except (DockerException, OSError) as exc:
        return f"the image {IMAGE} is not there and can't be pulled: {exc}"
    return None


@contextmanager
def kafka_container() -> Iterator[str]:
    """Bootstrap address of a broker of its own."""
    port = free_port("127.0.0.1")  # known before the start, because the broker must advertise it
    container = _hardened(DockerContainer(IMAGE, env=_environment(port))).with_bind_ports(9092, port)
    with container:
        address = f"localhost:{port}"
        if not _answers(address):
            out, err = container.get_logs()
            raise TimeoutError(f"Kafka in a container does not answer:\n{(out + err).decode(errors='replace')}")
        yield address


def _answers(address: str) -> bool:
    """Waits in a thread: the fixture may be asked for in the midst of a coroutine."""
    waiting = partial(wait_until_ready, address, alive=lambda: True, timeout_s=START_S)
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(lambda: asyncio.run(waiting())).result()


def _hardened(container: DockerContainer) -> DockerContainer:
    """With what compose.yaml takes away from Kafka: what it needs of that, it must need here."""
    service = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]["kafka"]
    for mount in service["tmpfs"]:
        container.with_tmpfs_mount(*mount.split(":", 1))
    return container.with_kwargs(**{name: service[name] for name in ("user", "read_only", "cap_drop", "security_opt")})


def _environment(port: int) -> dict[str, str]:
    """One KRaft node. It reaches itself by the inner listener: the outer one's address holds outside only.

    Without the last four, transactions wait for ever for replicas that one node can't have.
    """
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_LOG_DIRS": "/tmp/data",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "OUTER://:9092,INNER://:19092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"OUTER://localhost:{port},INNER://localhost:19092",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "OUTER:PLAINTEXT,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "INNER",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
    }
