"""A TCP proxy in front of a broker. It knows the framing of Kafka's protocol, so it can cut within a commit.

Requests are length-prefixed and begin with their API key (https://kafka.apache.org/protocol). A rule picks requests by
this key. Then the connection is reset before the broker sees the request or before the client sees the response, or the
request is held, or the proxy answers it.
"""

import asyncio
import contextlib
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Api(IntEnum):
    PRODUCE = 0
    FETCH = 1
    METADATA = 3
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    SYNC_GROUP = 14
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS_TO_TXN = 24
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    TXN_OFFSET_COMMIT = 28


class Cut(StrEnum):
    BEFORE = "before"
    AFTER = "after"
    ANSWER = "answer"
    HOLD = "hold"


@dataclass(slots=True)
class Rule:
    """Applies to the next `times` requests of `api` for whose bytes `about` returns True.

    The first request sets `fired`; setting `released` lets held requests go. With Cut.ANSWER, `answer` makes the body
    of the response.
    """

    api: Api
    cut: Cut
    times: int = 1
    about: Callable[[bytes], bool] = lambda _: True
    answer: Callable[[], bytes] = bytes
    fired: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)


class Proxy:
    """Listens on 127.0.0.1:`port` and passes requests on to the broker at port `target`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._rules: list[Rule] = []
        self._connections: set[Connection] = set()
        self.port = 0
        self.seen: Counter[int] = Counter()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["Proxy"]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.reset_all()

    def add(self, rule: Rule) -> Rule:
        self._rules.append(rule)
        return rule

    def remove(self, rule: Rule) -> None:
        """Removes the rule and lets go the requests that it holds."""
        rule.released.set()
        if rule in self._rules:
            self._rules.remove(rule)

    def reset_all(self) -> int:
        """Resets all connections and returns their number."""
        connections = list(self._connections)
        for connection in connections:
            connection.reset()
        return len(connections)

    def rule_for(self, frame: bytes) -> Rule | None:
        """Counts the request, and returns the rule that applies to it, or None."""
        (api,) = struct.unpack(">h", frame[:2])
        self.seen[api] += 1
        for rule in self._rules:
            if rule.api == api and rule.times > 0 and rule.about(frame):
                rule.times -= 1
                rule.fired.set()
                return rule
        return None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_broker = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(writer)
            return
        connection = Connection(self, (reader, writer), to_broker)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Connection:
    """One client's connection. Requests pass frame by frame, responses as they come."""

    def __init__(self, proxy: Proxy, client: Stream, broker: Stream) -> None:
        self._proxy = proxy
        self._client = client
        self._broker = broker
        self._doomed = False

    async def run(self) -> None:
        pumps = {asyncio.create_task(self._requests()), asyncio.create_task(self._responses())}
        _, left = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in left:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        self.reset()

    def reset(self) -> None:
        for _, writer in (self._client, self._broker):
            _reset(writer)

    async def _requests(self) -> None:
        reader, writer = self._client[0], self._broker[1]
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(4)
                frame = await reader.readexactly(*struct.unpack(">i", head))
                if await self._meets_rule(frame):
                    writer.write(head + frame)
                    await writer.drain()

    async def _meets_rule(self, frame: bytes) -> bool:
        """Returns True if the frame goes on to the broker. Raises ConnectionResetError to end the connection."""
        rule = self._proxy.rule_for(frame)
        if rule is None:
            return True
        match rule.cut:
            case Cut.BEFORE:
                raise ConnectionResetError
            case Cut.AFTER:
                self._doomed = True
            case Cut.HOLD:
                await rule.released.wait()
            case Cut.ANSWER:
                body = frame[4:8] + rule.answer()  # the correlation id, then what the caller made
                self._client[1].write(struct.pack(">i", len(body)) + body)
                await self._client[1].drain()
                return False
        return True

    async def _responses(self) -> None:
        reader, writer = self._broker[0], self._client[1]
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if self._doomed:
                    return
                writer.write(data)
                await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Closes with RST instead of FIN, as if the host were gone."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
