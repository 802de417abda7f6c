"""The configuration of Apache Kafka 4 in KRaft mode, with controller and broker in one process on a small machine."""

import json
from collections.abc import Mapping

MIB = 1024**2
NODE_ID = 1

# Sizes are bytes. Names and meanings: Kafka's documentation, "Broker Configs".
_SETTINGS: dict[str, str | int] = {
    "process.roles": "broker,controller",
    "node.id": NODE_ID,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "default.replication.factor": 1,
    "min.insync.replicas": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    # For a small machine
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 2,
    "num.recovery.threads.per.data.dir": 2,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.num.partitions": 1,
    # Small segments of the internal topics keep them compacted, so that a restarted coordinator has little to load.
    "offsets.topic.segment.bytes": 16 * MIB,
    "transaction.state.log.segment.bytes": 16 * MIB,
    "log.segment.bytes": 128 * MIB,
    "log.index.size.max.bytes": 1 * MIB,  # an index file is mapped whole; one entry for each 4 KiB
    "log.cleaner.dedupe.buffer.size": 16 * MIB,  # on the heap, 128 MiB by default
    "message.max.bytes": 8 * MIB,  # a batch: 900 KB from our producers, more with very long chunks
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    # After kill -9 the controller accepts a broker again after 7 s instead of 14 s (measured).
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
    # A dead worker's transaction is aborted within 1 s of its timeout, not 10 s: read_committed readers wait for it.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
    # An output directory is a self-contained run that may go on years later.
    "offsets.retention.minutes": 10 * 365 * 24 * 60,
    "log.retention.ms": -1,
}
_LISTENERS = ("listeners", "advertised.listeners", "listener.security.protocol.map")


def properties(
    *, host: str, port: int, controller_port: int, log_dir: str, more: Mapping[str, str | int]
) -> dict[str, str]:
    """Give all settings of one node. `more` wins over ours; its listeners replace ours of the same name.

    Our listener has no password, so clients with a password need one of `more`. The controller listens on loopback.
    `log_dir` is relative to the JVM's working directory, since `log.dirs` is a list and a path may contain a comma.
    """
    listener = f"PLAINTEXT://{address(host, port)}"
    settings = {
        **_SETTINGS,
        "controller.quorum.voters": f"{NODE_ID}@127.0.0.1:{controller_port}",
        "listeners": f"{listener},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": listener,
        "log.dirs": log_dir,
    }
    for name, value in more.items():
        settings[name] = _by_name(f"{settings[name]},{value}") if name in _LISTENERS else value
    return {name: str(value) for name, value in settings.items()}


def _by_name(listeners: str) -> str:
    """The last listener of each name, of the form `NAME://…` or `NAME:…`."""
    return ",".join({listener.partition(":")[0]: listener for listener in listeners.split(",")}.values())


def address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def as_file(settings: Mapping[str, str]) -> str:
    r"""The text of a file for java.util.Properties: `\` escapes, and characters beyond ASCII are \uXXXX (UTF-16)."""
    return "".join(f"{name}={_escape(value)}\n" for name, value in settings.items())


def _escape(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n")
    return "".join(c if c.isascii() else json.dumps(c)[1:-1] for c in escaped)
