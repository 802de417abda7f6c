"""One Kafka node on this machine: a JVM process with a data directory.

The directory contains `kafka/` (Kafka's own log directory), `server.properties` (written at each start), `broker.log`
and `lock`. After a restart it may have another port.
"""

import argparse
import asyncio
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple, NoReturn, Self

from configs.errors import SettingsError
from server.arguments import interrupt_on_sigterm, port_number
from server.broker import jvm
from server.broker.class_data import ClassData
from server.broker.directory_lock import DirectoryLock
from server.broker.jars import KAFKA_VERSION, cache_dir, kafka_jars
from server.broker.java import Java, find_java
from server.broker.kafka_config import address, as_file, properties
from server.broker.probe import wait_until_ready
from server.broker.storage import CHECKPOINT, format_storage
from server.errors import ServerError
from server.ports import free_port, is_taken
from server.ready_file import forget_ready_file, ready_file
from telemetry.children import ends_with_parent
from telemetry.log_file import tail

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 30.0
_ORPHAN_TIMEOUT_S = 30.0
_SHOWN_LOG_LINES = 15
_PORT_TRIES = 3
_LOG_DIR, _PROPERTIES, _LOG = "kafka", "server.properties", "broker.log"
_NEWER_DATA = ("UnsupportedVersionException", "this controller only supports versions")
"""Messages in the log when an older Kafka finds data of a newer one."""


class _Kafka(NamedTuple):
    """The files that a broker is started from."""

    java: Java
    jars: list[Path]
    class_data: ClassData


class Broker:
    """One Kafka node. `with Broker(data_dir=...) as broker:` starts it and stops it.

    `port` 0 takes a free port, which this object keeps over restarts. `properties` are Kafka's own broker settings.
    `note` gets a line when something takes time (a download, a wait). Start the broker in a thread that lives as long
    as the broker: on Linux the JVM is asked to stop when that thread ends.
    """

    def __init__(
        self,
        *,
        data_dir: Path,
        port: int = 0,
        host: str = "127.0.0.1",
        properties: Mapping[str, str | int] | None = None,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.data_dir = Path(data_dir)
        self.host = host
        self.port = port
        self._more = dict(properties or {})
        self._note = note
        self._lock = DirectoryLock(self.data_dir / "lock")
        self._process: subprocess.Popen[bytes] | None = None
        self._kafka: _Kafka | None = None
        self._log_start = 0  # position in broker.log, in bytes, where the lines of this start begin

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` of the started broker."""
        return address(self.host, self.port)

    @property
    def pid(self) -> int | None:
        """The process id of the running JVM."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def log(self) -> Path:
        return self.data_dir / _LOG

    def start(self, *, timeout_s: float = START_TIMEOUT_S) -> Self:
        """Start Kafka, also after `kill` or `stop`, and block until it answers.

        Raises ServerError (with the last lines of the log if Kafka fails) and SettingsError.
        """
        kafka = self._kafka = self._kafka or self._find_kafka()
        self._open_data_dir()
        try:
            template = cache_dir() / CHECKPOINT
            format_storage(self.data_dir / _LOG_DIR, template=template, run_tool=partial(_format, kafka))
            self._start_on_a_port(kafka, time.monotonic() + timeout_s)
        except BaseException:
            self.kill()
            self._lock.release()
            raise
        return self

    def wait(self) -> NoReturn:
        """Wait until the JVM ends by itself. That is an error: raises ServerError."""
        assert self._process is not None, "not started"
        code = self._process.wait()
        raise ServerError(f"Kafka died ({_ending(code)}).{self._last_lines()}")

    def stop(self, *, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Shut down cleanly; kill the broker if it has not ended after `timeout_s` seconds."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._note(f"Kafka did not stop within {timeout_s:.0f} s: killing it")
        self.kill()
        if self._kafka is not None:
            self._kafka.class_data.finish()
        self._lock.release()

    def kill(self) -> None:
        """End the broker at once (SIGKILL), as a crash would. The lock is kept, so it can `start` again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _find_kafka(self) -> "_Kafka":
        java, jars = find_java(), kafka_jars(note=self._note)
        return _Kafka(java, jars, ClassData(java, jars, cache=cache_dir(), work=self.data_dir))

    def _open_data_dir(self) -> None:
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(orphan_timeout_s=_ORPHAN_TIMEOUT_S, note=self._note)
            self._lock.record(None)
        except OSError as exc:
            advice = "Give a directory you may write to"
            raise SettingsError(f"--data-dir {self.data_dir}: {exc.strerror}. {advice}") from exc

    def _start_on_a_port(self, kafka: "_Kafka", deadline: float) -> None:
        """Start the JVM, with other ports if another process took ours before the JVM could bind them."""
        given = self.port
        for _ in range(_PORT_TRIES):
            self.port = given
            self._choose_port()
            self._launch(kafka)
            if self._wait_until_ready(deadline):
                kafka.class_data.make()
                return
            if not self._lost_a_port():
                break
        raise ServerError(f"Kafka did not start: {self._why()}")

    def _choose_port(self) -> None:
        try:
            if self.port == 0:
                self.port = free_port(self.host)
            elif is_taken(self.host, self.port):
                taken = f"port {self.port} on {self.host} is taken by another process"
                raise ServerError(f"{taken}. Stop it, or give another --port")
        except OSError as exc:
            given = f"--host {self.host}, --port {self.port}"
            raise SettingsError(f"{given}: {exc.strerror}. Give an address of this machine") from exc

    def _launch(self, kafka: "_Kafka") -> None:
        ports = {"port": self.port, "controller_port": free_port("127.0.0.1")}
        settings = properties(host=self.host, **ports, log_dir=_LOG_DIR, more=self._more)
        (self.data_dir / _PROPERTIES).write_text(as_file(settings), encoding="ascii")
        command = jvm.broker_command(
            kafka.java, kafka.jars, class_data=kafka.class_data.options(), log=_LOG, properties=_PROPERTIES
        )
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                command,
                cwd=self.data_dir,
                env=jvm.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches only this process, which then stops Kafka cleanly
                preexec_fn=partial(_in_child, ends_with_parent()),  # noqa: PLW1509 - what it calls is safe after fork
                pass_fds=(self._lock.fileno(),),
            )
        self._lock.record(self._process.pid)

    def _wait_until_ready(self, deadline: float) -> bool:
        """True if the broker answers. The probe runs in a thread, since the caller may be inside an event loop."""
        left = max(0.0, deadline - time.monotonic())
        probe = wait_until_ready(self.bootstrap_servers, alive=lambda: self.pid is not None, timeout_s=left)
        with ThreadPoolExecutor(1) as pool:
            try:
                return pool.submit(asyncio.run, probe).result()
            except BaseException:
                self.kill()  # ends the probe, for which the pool waits
                raise

    def _lost_a_port(self) -> bool:
        return self.pid is None and "Address already in use" in self._log_of_this_start()

    def _why(self) -> str:
        assert self._process is not None
        if any(sign in self._log_of_this_start() for sign in _NEWER_DATA):
            return (
                f"the data in {self.data_dir} was written by a newer version than {KAFKA_VERSION}, and an older Kafka "
                f"can't read it. Move the folder away, or give another --data-dir. See {self.log}"
            )
        code = self._process.poll()
        return f"{'it does not answer' if code is None else _ending(code)}.{self._last_lines()}"

    def _last_lines(self) -> str:
        lines = self._log_of_this_start().splitlines()[-_SHOWN_LOG_LINES:]
        return f" The end of {self.log}:\n" + "\n".join(lines) if lines else f" {self.log} says nothing"

    def _log_of_this_start(self) -> str:
        """The last 64 KiB at most."""
        return tail(self.log, 65_536, start=self._log_start).decode(errors="replace")


def _format(kafka: _Kafka, directory: Path, cluster_id: str) -> None:
    """Run Kafka's storage tool. It needs ports in its configuration and does not use them."""
    settings = properties(host="127.0.0.1", port=1, controller_port=2, log_dir=".", more={})
    (directory / _PROPERTIES).write_text(as_file(settings), encoding="ascii")
    command = jvm.format_command(kafka.java, kafka.jars, cluster_id=cluster_id, properties=_PROPERTIES)
    done = subprocess.run(  # noqa: S603 - our own command line
        command, cwd=directory, env=jvm.environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ServerError(f"Kafka's storage tool failed:\n{(done.stderr or done.stdout).strip()}")


def _in_child(end_with_parent: Callable[[], None]) -> None:
    """Runs after the fork: the child ends with its parent and takes the signals that the parent may have blocked."""
    end_with_parent()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})


def _ending(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def main(argv: Sequence[str]) -> int:
    """The command `python -m server broker`."""
    args = _parser().parse_args(argv)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the readiness probe connects before the port is open
    broker = Broker(data_dir=args.data_dir, port=args.port, host=args.host, note=_say)
    forget_ready_file(args.ready_file)
    interrupt_on_sigterm()
    try:
        broker.start()
        pids = {"pid": os.getpid(), "jvm_pid": broker.pid or 0}
        with ready_file(args.ready_file, {"bootstrap_servers": broker.bootstrap_servers, **pids}):
            _say(f"Kafka is ready at {broker.bootstrap_servers}")
            broker.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        broker.stop()


def _say(text: str) -> None:
    print(text, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m server broker",
        description="A real single-node Apache Kafka (KRaft) on this machine. The first start downloads its jars "
        "(44 MB) into the user's cache; later starts need no network. Data survives restarts. SIGTERM or Ctrl-C "
        "stops it.",
        epilog="Then: KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9092 python -m producer --input-dir data/texts",
    )
    parser.add_argument("--data-dir", type=Path, required=True, metavar="D", help="directory for data, log and lock")
    parser.add_argument("--port", type=port_number, default=9092, metavar="P", help="0: any free port (default 9092)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on and to give to clients (default "
        "127.0.0.1). There is no password: give another address only in a network that you trust")  # fmt: skip
    ready = "JSON with the broker's address and pid, written once it answers"
    parser.add_argument("--ready-file", type=Path, metavar="F", help=ready)
    return parser
