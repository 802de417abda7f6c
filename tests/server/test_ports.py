import socket

import pytest

from server.ports import free_port, is_taken


def test_a_port_is_taken_while_somebody_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert is_taken("127.0.0.1", port)
    assert not is_taken("127.0.0.1", port)


def test_a_free_port_is_free():
    assert not is_taken("127.0.0.1", free_port("127.0.0.1"))


def test_an_address_of_another_machine_is_an_error():
    with pytest.raises(OSError, match="assign"):
        is_taken("192.0.2.1", 9092)  # RFC 5737: nobody's
