"""Whether the ends answer at all."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest

from buildspec.mirror.connection import Connect
from buildspec.mirror.presence import away


@contextmanager
def _server(greeting: bytes | None) -> Iterator[int]:
    """The port of a server that sends this to whoever connects; None: it stays silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            if greeting is None:
                connection.recv(1)
            else:
                connection.sendall(greeting)
            connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def _refusing() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _to(port: int) -> Connect:
    return lambda timeout: HTTPConnection("127.0.0.1", port, timeout=timeout)


def test_both_ends_answer() -> None:
    with _server(b"SSH-2.0-x\r\n") as source, _server(b"") as target:
        assert away("127.0.0.1", _to(target), port=source, seconds=5) == ""


@pytest.mark.parametrize("greeting", [b"", None])
def test_a_source_that_says_nothing_is_away(greeting: bytes | None) -> None:
    with _server(greeting) as source:
        assert away("127.0.0.1", _to(_refusing()), port=source, seconds=0.1) == "the source"


def test_a_source_that_cannot_be_connected_to_is_away() -> None:
    assert away("127.0.0.1", _to(_refusing()), port=_refusing(), seconds=5) == "the source"


def test_a_target_that_cannot_be_connected_to_is_away() -> None:
    with _server(b"SSH-2.0-x\r\n") as source:
        assert away("127.0.0.1", _to(_refusing()), port=source, seconds=5) == "the target"
