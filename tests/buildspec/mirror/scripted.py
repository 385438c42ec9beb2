"""A server on loopback that answers each request as a test says."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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
def scripted(answers: Sequence[bytes]) -> Iterator[Scripted]:
    """Serve until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Scripted(f"http://127.0.0.1:{listener.getsockname()[1]}", list(answers))
        open_connections: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                open_connections.append(connection)
                server.connections += 1
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        def serve(connection: socket.socket) -> None:
            with connection, connection.makefile("rb") as stream:
                while (head := _head(stream)) is not None:
                    lengths = [
                        line.split(b":")[1]
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length:")
                    ]
                    server.requests.append(head + stream.read(int(lengths[0]) if lengths else 0))
                    said = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
                    if said == CUT:
                        connection.shutdown(socket.SHUT_RDWR)
                        return
                    if said != SILENT:
                        with contextlib.suppress(OSError):  # the client gave up
                            connection.sendall(said)

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for connection in open_connections:
                connection.close()


def _head(stream: Any) -> bytes | None:
    lines = []
    with contextlib.suppress(ConnectionResetError):
        while (line := stream.readline()) not in (b"", b"\r\n"):
            lines.append(line)
    return b"".join(lines) + b"\r\n" if lines else None
