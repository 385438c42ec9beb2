"""A server on loopback that answers each request as a test says."""

import contextlib
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CUT = b"cut"
SILENT = b"silent"


@dataclass
class Scripted:
    """`answers` are raw HTTP answers, used one after another and the last for ever. CUT closes, SILENT says nothing."""

    url: str
    answers: list[bytes]
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


def answer(status: int, content: Any = None, *, more: str = "") -> bytes:
    """An HTTP answer with JSON, or with a text as it is."""
    body = content.encode() if isinstance(content, str) else json.dumps(content or {}).encode()
    return f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


@contextmanager
def scripted(answers: Sequence[bytes], *, certificate: Path | None = None) -> Iterator[Scripted]:
    """Serve until the block ends, with a certificate over TLS."""
    tls = None
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        scheme = "https" if tls else "http"
        server = Scripted(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", list(answers))
        threading.Thread(target=_accept, args=(server, listener, tls), daemon=True).start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _accept(server: Scripted, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError):  # the listener is closed
        while True:
            connection, _ = listener.accept()
            server.connections += 1
            threading.Thread(target=_serve, args=(server, connection, tls), daemon=True).start()


def _serve(server: Scripted, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError):  # the client does not trust the certificate, or gave up
        if tls:
            connection = tls.wrap_socket(connection, server_side=True)
        with connection, connection.makefile("rb") as stream:
            while (head := _head(stream)) is not None:
                length = re.search(rb"(?i)content-length: *([0-9]+)", head)
                server.requests.append(head + stream.read(int(length[1]) if length else 0))
                said = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
                if said == CUT:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                if said != SILENT:
                    connection.sendall(said)


def _head(stream: Any) -> bytes | None:
    lines = []
    while (line := stream.readline()) not in (b"", b"\r\n"):
        lines.append(line)
    return b"".join(lines) + b"\r\n" if lines else None
