"""Command lines of the JVM, for a fast start on a small machine."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from server.broker.java import Java

_LOG_CONFIG = Path(__file__).with_name("log4j2.xml")
_FAST_START = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # C2 would compete with the rest for two cores; a broker is mostly I/O
    "-XX:-UsePerfData",
)
_BROKER = (
    "-Xms64m",
    "-Xmx512m",
    "-XX:+ExitOnOutOfMemoryError",  # a broker without one of its threads is worse than none
    "-Djava.awt.headless=true",
    f"-Dlog4j2.configurationFile={_LOG_CONFIG}",
)
_QUIET_SINCE_24 = ("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")  # JEP 472, JEP 498


def environment() -> dict[str, str]:
    """The variables of a JVM, with a locale in which it writes names of files as Python does."""
    utf_8 = {"LC_ALL": "C.UTF-8"} if sys.getfilesystemencoding() == "utf-8" else {}
    return {**os.environ, **utf_8}


def broker_command(
    java: Java, jars: Sequence[Path], *, class_data: Sequence[str], log: str, properties: str
) -> list[str]:
    return [*_java(java), *_BROKER, *class_data, f"-Dqastream.log={log}", *_classpath(jars), "kafka.Kafka", properties]


def format_command(java: Java, jars: Sequence[Path], *, cluster_id: str, properties: str) -> list[str]:
    tool = ("kafka.tools.StorageTool", "format", "--cluster-id", cluster_id, "--config", properties)
    return [*_java(java), "-Xmx256m", *_classpath(jars), *tool]


def _java(java: Java) -> list[str]:
    return [str(java.executable), *_FAST_START, *(_QUIET_SINCE_24 if java.version >= 24 else ())]


def _classpath(jars: Sequence[Path]) -> tuple[str, str]:
    return "-cp", os.pathsep.join(map(str, jars))
