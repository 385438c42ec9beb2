"""A target as narrow as CodeCommit: git http-backend on loopback, which offers only what CodeCommit was seen to offer.

CodeCommit's receive-pack was not seen to offer ofs-delta (https://github.com/src-d/go-git/issues/945) or atomic
(https://github.com/ef-labs/stash-hook-mirror/issues/57), and it aborts a push that names a capability it does not offer
(https://github.com/isomorphic-git/isomorphic-git/issues/310).
"""

import base64
import contextlib
import itertools
import os
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

OFFERED = frozenset({b"report-status", b"delete-refs", b"side-band-64k"})
PASSWORD = "20260101T000000Zsignature"


@dataclass
class NarrowTarget:
    """What the server does; `folder` has its repositories. A test changes what shall fail."""

    folder: Path
    port: int = 0
    offered: frozenset[bytes] = OFFERED
    busy: int = 0  # so many of the next requests are answered 503
    status: int = 0  # every request is answered so
    cut_pushes: int = 0  # so many of the next pushes are cut when they begin
    cut_answers: int | None = None  # pushes are applied, and only so many bytes of their answers sent
    busy_answers: bool = False  # pushes are applied, and answered 503
    answers: bytes | None = None  # pushes are answered so, and not applied
    silent: bool = False  # reads a push, and does not answer
    stops_reading: bool = False  # reads the beginning of a push, and no more
    full: bool = False  # does not take the push, and ends the connection with 413 while it comes
    requests: list[str] = field(default_factory=list)
    users: set[str] = field(default_factory=set)
    ended: int = 0
    chunked: bool = False
    over: threading.Event = field(default_factory=threading.Event)

    def connect(self, timeout: float) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def settle(self, requests: int) -> None:
        """Wait until so many requests have ended, well or not."""
        for _ in range(1000):
            if self.ended >= requests:
                return
            time.sleep(0.01)
        raise AssertionError(self.requests)


@contextlib.contextmanager
def narrow_target(folder: Path, certificate: Path | None = None) -> Iterator[NarrowTarget]:
    """Serve the repositories in `folder`; over TLS, with a certificate and key of that file."""
    target = NarrowTarget(folder)

    class Connection(_Connection):
        world = target

    with ThreadingHTTPServer(("127.0.0.1", 0), Connection) as server:
        server.daemon_threads = True
        server.block_on_close = False
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        target.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield target
        finally:
            target.over.set()
            server.shutdown()


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or an answer's body waits 40 ms for the acknowledgement of its headers
    world: NarrowTarget

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        world = self.world
        self.close_connection = True
        world.requests.append(self.command)
        try:
            self._authorised()
        finally:
            world.ended += 1

    def _authorised(self) -> None:
        world = self.world
        user, _, password = base64.b64decode(self.headers["Authorization"].partition(" ")[2]).decode().partition(":")
        world.users.add(user)
        if password != PASSWORD:
            self._answer(403)
        elif world.status:
            self._answer(world.status)
        elif world.busy:
            world.busy -= 1
            self._answer(503)
        elif self.command == "GET":
            self._list()
        else:
            with contextlib.suppress(ConnectionError):
                self._push()

    def _answer(self, status: int, body: bytes = b"", length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def _list(self) -> None:
        backend = self._backend()
        listing = backend.communicate()[0].partition(b"\r\n\r\n")[2]
        service, first, rest = listing[:0x1F], listing[0x1F + 4 :], b""
        length = int(first[:4], 16)
        first, rest = first[4:length], first[length:]
        ref = first.partition(b"\0")[0]
        line = ref + b"\0" + b" ".join(sorted(self.world.offered)) + b"\n"
        self._answer(200, service + b"0000" + b"%04x%b" % (len(line) + 4, line) + rest)

    def _push(self) -> None:
        world = self.world
        world.chunked = self.headers.get("Transfer-Encoding") == "chunked"
        body = self._body()
        beginning = next(body)
        named = beginning[4 : int(beginning[:4], 16)].partition(b"\0")[2].split()
        if world.cut_pushes or not world.offered.issuperset(named):
            world.cut_pushes = max(0, world.cut_pushes - 1)
            return
        if world.answers is not None:
            for _ in body:
                pass
            self._answer(200, world.answers)
            return
        if world.full:
            self._answer(413)
            return
        if world.stops_reading:
            world.over.wait()
            return
        answer = self._receive(itertools.chain([beginning], body))
        if world.cut_answers is not None:
            if world.cut_answers:
                self._answer(200, answer[: world.cut_answers], length=len(answer))
            return
        self._answer(503 if world.busy_answers else 200, answer)

    def _receive(self, body: Iterator[bytes]) -> bytes:
        """What git receive-pack answers; it is killed where the body is cut."""
        backend = self._backend()
        assert backend.stdin is not None
        assert backend.stdout is not None
        try:
            for part in body:
                with contextlib.suppress(BrokenPipeError):
                    backend.stdin.write(part)
            with contextlib.suppress(BrokenPipeError):
                backend.stdin.close()
            if self.world.silent:
                self.world.over.wait()
            return backend.stdout.read().partition(b"\r\n\r\n")[2]
        except ConnectionError:
            backend.kill()
            raise
        finally:
            backend.wait()
            backend.stdout.close()

    def _backend(self) -> "subprocess.Popen[bytes]":
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.fsync",
            "GIT_CONFIG_VALUE_0": "none",
            "GIT_PROJECT_ROOT": str(self.world.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path.removeprefix("/v1/repos"),
            "REMOTE_USER": "build",
            "REQUEST_METHOD": self.command,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
        }
        return subprocess.Popen(
            ["git", "http-backend"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") != "chunked":
            yield self.rfile.read(int(self.headers["Content-Length"]))
            return
        while size := int(self._line(), 16):
            part = self.rfile.read(size)
            if len(part) < size:
                raise ConnectionAbortedError
            yield part
            self._line()
        self._line()

    def _line(self) -> bytes:
        line = self.rfile.readline()
        if not line:
            raise ConnectionAbortedError
        return line
