"""Which troubles pass by themselves, and which end the sink."""

import asyncio
import errno
import sqlite3

import pytest
from aiokafka.errors import KafkaError

from consumer.sink import restarting
from consumer.sink.errors import ContinuityError, StartOverError
from consumer.sink.restarting import persistently
from messaging.connection import BrokerUnreachableError
from messaging.reading import TopicMissingError
from messaging.stopping import StoppedError
from output.errors import IndexDamagedError, OutputError
from output.layout import Layout


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("planted")
    error.sqlite_errorcode = code
    return error


@pytest.fixture
def layout(tmp_path, monkeypatch):
    monkeypatch.setattr(restarting, "RETRY_S", 0.001)
    layout = Layout(tmp_path)
    layout.make()
    return layout


def failing(*errors: Exception):
    left = list(errors)

    async def work() -> None:
        if left:
            raise left.pop(0)

    return work


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "full"), OSError(errno.EDQUOT, "quota"), OSError(errno.EFBIG, "large"), OSError(errno.EIO, "io"),
     sqlite_error(sqlite3.SQLITE_FULL), sqlite_error(sqlite3.SQLITE_IOERR_WRITE), KafkaError(), StartOverError("x"),
     TimeoutError(), ConnectionResetError(), BrokerUnreachableError("planted")],
    ids=repr,
)  # fmt: skip
async def test_what_can_pass_is_waited_for(layout, error, caplog):
    await asyncio.wait_for(persistently(failing(error, error), layout, asyncio.Event()), 10)
    assert caplog.text


async def test_a_full_disk_is_told_of_once_in_a_while(layout, caplog):
    errors = [OSError(errno.ENOSPC, "No space left on device")] * 5
    await asyncio.wait_for(persistently(failing(*errors), layout, asyncio.Event()), 10)
    assert caplog.text.count("make room") == 1


async def test_a_damaged_index_is_removed(layout):
    layout.index.write_bytes(b"x")
    await asyncio.wait_for(persistently(failing(IndexDamagedError("planted")), layout, asyncio.Event()), 10)
    assert not layout.index.exists()


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "denied"), sqlite_error(sqlite3.SQLITE_READONLY)], ids=repr)
async def test_what_can_not_pass_is_said(layout, error):
    with pytest.raises(OutputError, match="can't be written"):
        await persistently(failing(error), layout, asyncio.Event())


@pytest.mark.parametrize("error", [ContinuityError("x"), TopicMissingError("x"), ValueError()], ids=repr)
async def test_anything_else_ends_it(layout, error):
    with pytest.raises(type(error)):
        await persistently(failing(error), layout, asyncio.Event())


async def test_a_stop_ends_the_waiting_for_trouble_to_pass(layout):
    stop = asyncio.Event()
    asyncio.get_running_loop().call_soon(stop.set)
    with pytest.raises(StoppedError):
        await persistently(failing(*[OSError(errno.ENOSPC, "full")] * 99), layout, stop)
