"""Asks the broker by protocol if it is ready: an open port is not yet a broker that answers."""

import asyncio
from collections.abc import Callable

from aiokafka.errors import KafkaError

from messaging.client_internals import BareClient, look_up_coordinators

_POLL_S = 0.05


async def wait_until_ready(bootstrap_servers: str, *, alive: Callable[[], bool], timeout_s: float) -> bool:
    """Wait for metadata and both coordinators, so that Kafka creates its internal topics.

    False if the process died, which `alive` tells, or if the time is over.
    """
    try:
        async with asyncio.timeout(timeout_s):
            while alive():
                if await _port_open(bootstrap_servers) and await _answers(bootstrap_servers):
                    return True
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        pass
    return False


async def _port_open(bootstrap_servers: str) -> bool:
    host, _, port = bootstrap_servers.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except OSError:
        return False
    writer.close()
    return True


async def _answers(bootstrap_servers: str) -> bool:
    client = BareClient(bootstrap_servers=bootstrap_servers, client_id="readiness")
    try:
        await client.bootstrap()
        await look_up_coordinators(client, "readiness")
    except (KafkaError, OSError):
        return False
    finally:
        await client.close()
    return True
