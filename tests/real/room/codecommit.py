"""CodeCommit as a room sees it: behind the room's proxy, for one user who may only pull. Git and TLS are real.

CodeCommit answers 429 to too many requests, and 403 where a policy refuses:
https://docs.aws.amazon.com/codecommit/latest/userguide/troubleshooting-ae.html
"""

import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.real.mirror.certificates import certificates
from tests.real.mirror.codecommit import Handler
from tests.real.mirror.keys import RefusedError


class CodeCommit:
    """The server, and what a test changes about it. The repositories are in `folder`/target."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.passwords = {"kakehashi-prd-pull-at-222222222222": "first/+=%"}
        self.refuses_everything_with: int | None = None
        self.proxy = ""
        self.authority = folder / "ca.pem"

    @property
    def repositories(self) -> Path:
        return self.folder / "target"


@contextmanager
def running(folder: Path) -> Iterator[CodeCommit]:
    """A running server with no repositories."""
    certificates(folder)
    codecommit = CodeCommit(folder)
    codecommit.repositories.mkdir()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.pem")

    class RoomHandler(_RoomHandler):
        server_side = tls
        world = codecommit

    server = ThreadingHTTPServer(("127.0.0.1", 0), RoomHandler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    codecommit.proxy = f"http://127.0.0.1:{server.server_port}"
    try:
        yield codecommit
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _RoomHandler(Handler):
    server_side: ssl.SSLContext
    world: CodeCommit

    def do_CONNECT(self) -> None:  # noqa: N802 - http.server's name
        """Be the room's proxy, and the server behind it."""
        self.send_response(200)
        self.end_headers()
        try:
            self.connection = self.server_side.wrap_socket(self.connection, server_side=True)
        except (ssl.SSLError, ConnectionError):  # Git does not trust the certificate
            self.close_connection = True
            return
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def _case_of(self, *_: str) -> Path:
        return self.world.folder

    def _git(self) -> None:
        if self.world.refuses_everything_with is not None:
            raise RefusedError(self.world.refuses_everything_with, "no")
        given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        user, _, password = given.partition(":")
        if not user or self.world.passwords.get(user) != password:
            raise RefusedError(401, "who are you?")
        if "git-receive-pack" in urlsplit(self.path).path + urlsplit(self.path).query:
            raise RefusedError(403, "not authorized to perform: codecommit:GitPush")
        super()._git()
