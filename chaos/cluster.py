"""Runs one or three real brokers, each behind a proxy that workers use. Driver and checker connect directly."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from chaos.proxy import Proxy
from server.broker.jars import cache_dir
from server.broker.node import Broker
from server.broker.storage import CHECKPOINT, META, format_storage, random_uuid
from server.ports import free_port

T = TypeVar("T")
HOST = "127.0.0.1"
LISTENERS = {"DIRECT": "PLAINTEXT", "PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT"}


class Node:
    """A broker with its proxy. Blocking calls run in a thread that lives as long as the node."""

    def __init__(self, broker: Broker, proxy: Proxy, direct: int) -> None:
        self.broker = broker
        self.proxy = proxy
        self.direct = direct
        self._thread = ThreadPoolExecutor(1)

    async def call(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    async def start(self) -> None:
        await self.call(self.broker.start)

    async def kill(self) -> None:
        await self.call(self.broker.kill)

    async def stop(self) -> None:
        await self.call(self.broker.stop)

    async def close(self) -> None:
        self.thaw()
        await self.call(self.broker.stop)
        self._thread.shutdown()

    def freeze(self) -> None:
        assert self.broker.pid is not None
        os.kill(self.broker.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        if self.broker.pid is not None:
            os.kill(self.broker.pid, signal.SIGCONT)


class Cluster:
    """The brokers. `bootstrap` has the addresses of the proxies, `direct` those of the brokers."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.busy = asyncio.Lock()
        """Lock for everyone who changes the state of a broker, or needs all brokers up."""

    @property
    def bootstrap(self) -> str:
        return ",".join(f"{HOST}:{node.proxy.port}" for node in self.nodes)

    @property
    def direct(self) -> str:
        return ",".join(f"{HOST}:{node.direct}" for node in self.nodes)


@asynccontextmanager
async def running_cluster(directory: Path, *, nodes: int) -> AsyncIterator[Cluster]:
    """Starts 1 or 3 nodes. With 3, topics have three copies, and two copies must have a record."""
    async with AsyncExitStack() as stack:
        ports = [(free_port(HOST), free_port(HOST), free_port(HOST)) for _ in range(nodes)]
        made = []
        cluster_id = random_uuid()
        for number, (client, direct, _) in enumerate(ports, 1):
            proxy = await stack.enter_async_context(Proxy(client).serve())
            properties = _properties(number, ports, proxy.port)
            broker = Broker(data_dir=directory / f"node-{number}", port=client, properties=properties)
            node = Node(broker, proxy, direct)
            await node.call(partial(_format, broker.data_dir, number, cluster_id))
            made.append(node)
        for node in made:
            stack.push_async_callback(node.close)
        await asyncio.gather(*(node.start() for node in made))
        yield Cluster(made)


def _properties(number: int, ports: list[tuple[int, int, int]], proxy: int) -> dict[str, str | int]:
    client, direct, controller = ports[number - 1]
    copies = len(ports)
    enough = max(1, copies - 1)
    return {
        "node.id": number,
        "controller.quorum.voters": ",".join(f"{n}@{HOST}:{port}" for n, (_, _, port) in enumerate(ports, 1)),
        "listeners": f"PLAINTEXT://{HOST}:{client},DIRECT://{HOST}:{direct},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{proxy},DIRECT://{HOST}:{direct}",
        "listener.security.protocol.map": ",".join(f"{name}:{kind}" for name, kind in LISTENERS.items()),
        "inter.broker.listener.name": "DIRECT",
        "default.replication.factor": copies,
        "min.insync.replicas": enough,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": enough,
    }


def _format(data_dir: Path, number: int, cluster_id: str) -> None:
    """As a broker does it, but with the ids of a cluster: one id for all, a number for each."""
    log_dir, template = data_dir / "kafka", cache_dir() / CHECKPOINT
    if not template.exists():
        with Broker(data_dir=data_dir.with_name("template")):  # which leaves one behind
            pass
    format_storage(log_dir, template=template, run_tool=lambda *_: None)
    meta = log_dir / META
    lines = dict(line.split("=", 1) for line in meta.read_text().splitlines())
    lines |= {"node.id": str(number), "cluster.id": cluster_id}
    meta.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
