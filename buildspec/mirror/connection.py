"""HTTPS requests to CodeCommit's Git servers."""

from __future__ import annotations

import base64
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection

from .failures import RelayRefusedError, UnreachableError
from .foreign import shown
from .retries import FinalError, Timeouts, patiently

Connect = Callable[[float], HTTPConnection]
"""Makes a connection with a timeout in seconds."""


class BusyError(UnreachableError):
    """The target answered that it cannot answer now: most likely, nothing was applied."""


def secure(host: str) -> Connect:
    """Connect over TLS, verified with the certificates of AWS_CA_BUNDLE, of SSL_CERT_FILE, or of the system."""
    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return lambda timeout: HTTPSConnection(host, timeout=timeout, context=context)


class Server:
    """The server of all targets. Each thread keeps the connection of its last listing for its next one."""

    def __init__(self, connect: Connect) -> None:
        self.connect = connect
        self._of_thread = threading.local()

    def take(self) -> HTTPConnection | None:
        """What this thread kept; the server may have closed it meanwhile."""
        kept: HTTPConnection | None = self._of_thread.__dict__.pop("connection", None)
        return kept

    def keep(self, connection: HTTPConnection) -> None:
        """Keep a connection whose answer was read to its end."""
        self._of_thread.connection = connection


@contextmanager
def answer(
    server: Server,
    timeouts: Timeouts,
    credentials: Callable[[], tuple[str, str]],
    path: str,
    body: bytes | Iterable[bytes] | None = None,
) -> Iterator[HTTPResponse]:
    """Send a request, and read its answer within the context. Every request with a body has a connection of its own.

    A body that is no bytes object goes out in chunks as it comes; what its iterator raises breaks the request off.
    Raises BusyError, or UnreachableError where the connection was cut, or RelayRefusedError.
    """
    user, connection, response = (None if body is not None else _ask_kept(server, credentials, path)) or _ask_new(
        server, timeouts, credentials, path, body
    )
    keeps = False
    try:
        _checked(response, user, path)
        try:
            yield response
        except (OSError, HTTPException) as error:
            raise UnreachableError(f"the target broke off: {error or type(error).__name__}") from error
        keeps = body is None and _is_over(connection, response)
    finally:
        if keeps:
            server.keep(connection)
        else:
            connection.close()


def _ask_new(
    server: Server,
    timeouts: Timeouts,
    credentials: Callable[[], tuple[str, str]],
    path: str,
    body: bytes | Iterable[bytes] | None,
) -> tuple[str, HTTPConnection, HTTPResponse]:
    """The user who asked, over a new connection, and the answer."""
    try:
        connection = patiently(lambda: _connected(server.connect, timeouts), OSError)
    except OSError as error:
        raise UnreachableError(f"the target cannot be connected to: {error}") from error
    try:
        user, password = credentials()
        headers = _headers(user, password)
        if body is not None:
            headers["Content-Type"] = "application/x-git-receive-pack-request"
            headers["Accept"] = "application/x-git-receive-pack-result"
            if not isinstance(body, bytes):
                headers["Transfer-Encoding"] = "chunked"
        cut = _sent(connection, "GET" if body is None else "POST", path, body, headers)
        try:
            if connection.sock is not None and body is not None:
                connection.sock.settimeout(timeouts.answer if cut is None else timeouts.connect)
            return user, connection, connection.getresponse()
        except (OSError, HTTPException) as error:
            raise UnreachableError(f"the target broke off: {cut or error or type(error).__name__}") from error
    except BaseException:
        connection.close()
        raise


def _ask_kept(
    server: Server, credentials: Callable[[], tuple[str, str]], path: str
) -> tuple[str, HTTPConnection, HTTPResponse] | None:
    """The same over the kept connection; None where there is none, or the server has closed it meanwhile."""
    connection = server.take()
    if connection is None:
        return None
    try:
        user, password = credentials()
        connection.request("GET", path, headers=_headers(user, password))
        return user, connection, connection.getresponse()
    except (OSError, HTTPException) as error:
        connection.close()
        if isinstance(error, socket.timeout):
            raise UnreachableError("the target broke off: timed out") from error
        return None
    except BaseException:
        connection.close()
        raise


def _headers(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def _is_over(connection: HTTPConnection, response: HTTPResponse) -> bool:
    """Whether the whole answer was read, and the server lets the connection open."""
    try:
        return connection.sock is not None and response.read(1) == b"" and response.isclosed()
    except (OSError, HTTPException):
        return False


def _connected(connect: Connect, timeouts: Timeouts) -> HTTPConnection:
    connection = connect(timeouts.connect)
    try:
        connection.connect()
    except OSError:
        connection.close()
        raise
    connection.sock.settimeout(timeouts.silence)
    return connection


def _sent(
    connection: HTTPConnection, method: str, path: str, body: bytes | Iterable[bytes] | None, headers: dict[str, str]
) -> OSError | None:
    """Send a request; returns the error where the target stopped reading, perhaps because it has answered already."""
    try:
        connection.request(method, path, body, headers, encode_chunked=True)
    except OSError as error:
        if isinstance(error, socket.timeout):
            raise UnreachableError("the target stopped reading") from error
        return error
    return None


def _checked(response: HTTPResponse, user: str, path: str) -> None:
    """Raise what a status says, if it is no success."""
    status = response.status
    if status == 200:
        return
    said = shown(response.read(2048))
    what = f"HTTP {status}{': ' if said else ''}{said}"
    if status in (401, 403):
        # After the percent sign of the user comes the session's token, a secret.
        key = user.partition("%")[0]
        raise FinalError(f"the target refuses access key {key}, with which this build signs in ({what})", str(status))
    if status == 404:
        raise FinalError(f"the target does not exist: {path.partition('/info/')[0]} ({what})", str(status))
    if status == 429 or status >= 500:
        raise BusyError(f"the target cannot answer now ({what})")
    if response.getheader("Location") is not None or status < 400:
        raise FinalError(f"the target answers something that is not Git's protocol ({what})", str(status))
    raise RelayRefusedError(f"the target refuses the request ({what})")
