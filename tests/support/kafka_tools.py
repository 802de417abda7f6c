"""Kafka's own command-line tools, which the broker needs none of: one more jar beside its own."""

import os

from server.broker.jars import KAFKA_VERSION, Jar, cache_dir, install, kafka_jars
from server.broker.java import find_java

JAR = Jar(
    f"org/apache/kafka/kafka-tools/{KAFKA_VERSION}/kafka-tools-{KAFKA_VERSION}.jar",
    "894caaca48b11d351cbe1f27d58c7a3c09ff22563bf3ab4bccf1ef69933e099c",
)


def tool(name: str) -> list[str]:
    """The command line of the tool with this main class."""
    jars = [*kafka_jars(note=print), *install([JAR], cache_dir(), note=print)]
    options = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dlog4j2.level=ERROR")
    return [str(find_java().executable), *options, "-cp", os.pathsep.join(map(str, jars)), name]
