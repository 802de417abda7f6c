"""The repository of Maven is the seam: a folder stands in for it."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from server.broker import jars
from server.errors import ServerError

CONTENT = {"org/example/one/1.0/one-1.0.jar": b"one", "org/example/two/2.0/two-2.0.jar": b"two"}


def pinned() -> list[jars.Jar]:
    return [jars.Jar(path, hashlib.sha256(content).hexdigest()) for path, content in CONTENT.items()]


class Repository:
    """Gives what it has, as jgo does: into the staging folder."""

    def __init__(self) -> None:
        self.content = dict(CONTENT)
        self.fetched: list[str] = []

    def context(self, staging: Path) -> SimpleNamespace:
        def fetch(path: str) -> None:
            self.fetched.append(path)
            if path not in self.content:
                raise RuntimeError(f"{path} not found")
            (staging / path).parent.mkdir(parents=True, exist_ok=True)
            (staging / path).write_bytes(self.content[path])

        def project(group: str, artifact: str) -> SimpleNamespace:
            def at_version(version: str) -> SimpleNamespace:
                path = f"{group.replace('.', '/')}/{artifact}/{version}/{artifact}-{version}.jar"
                return SimpleNamespace(artifact=lambda: SimpleNamespace(resolve=lambda: fetch(path)))

            return SimpleNamespace(at_version=at_version)

        return SimpleNamespace(project=project)


@pytest.fixture
def repository(monkeypatch) -> Repository:
    repository = Repository()
    monkeypatch.setattr(jars, "_maven", repository.context)
    monkeypatch.setattr(jars, "_ATTEMPTS", 1)
    return repository


def install(target: Path) -> list[Path]:
    return jars.install(pinned(), target, note=lambda _: None)


def test_the_jars_are_put_at_their_place(repository, tmp_path: Path):
    paths = install(tmp_path)
    assert [path.read_bytes() for path in paths] == [b"one", b"two"]


def test_what_is_there_is_not_fetched_again(repository, tmp_path: Path):
    install(tmp_path)
    install(tmp_path)
    assert sorted(repository.fetched) == sorted(CONTENT)


def test_a_damaged_jar_is_replaced(repository, tmp_path: Path):
    one, _ = install(tmp_path)
    one.write_bytes(b"damaged")
    install(tmp_path)
    assert one.read_bytes() == b"one"
    assert len(repository.fetched) == 3


def test_a_jar_with_another_sum_is_not_used(repository, tmp_path: Path):
    repository.content["org/example/one/1.0/one-1.0.jar"] = b"something else"
    with pytest.raises(ServerError, match=r"one-1\.0\.jar is not the file we pinned"):
        install(tmp_path)
    assert not (tmp_path / "org/example/one/1.0/one-1.0.jar").exists()


def test_a_failed_download_keeps_what_it_has(repository, tmp_path: Path):
    del repository.content["org/example/two/2.0/two-2.0.jar"]
    with pytest.raises(ServerError, match=r"can't download two-2\.0\.jar"):
        install(tmp_path)
    assert (tmp_path / "org/example/one/1.0/one-1.0.jar").read_bytes() == b"one"


def test_two_at_once_download_once(repository, tmp_path: Path):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: install(tmp_path), range(4)))
    assert sorted(repository.fetched) == sorted(CONTENT)


def test_the_committed_sums_name_every_module_of_kafka_at_one_version():
    paths = [jar.path for jar in jars.read_sums(jars.SUMS)]
    assert len(paths) == len(set(paths))
    kafka = [path for path in paths if path.startswith("org/apache/kafka/")]
    assert len(kafka) == len(jars._MODULES)
    assert all(f"/{jars.KAFKA_VERSION}/" in path for path in kafka)


def test_coordinates_come_from_the_path():
    assert pinned()[0].coordinates == ("org.example", "one", "1.0")
    assert pinned()[0].name == "one-1.0.jar"
