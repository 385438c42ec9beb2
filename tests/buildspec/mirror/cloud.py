"""The few calls of AWS that a unit makes, answered in memory: `test_aws.py` shows that they are AWS's.

Use it as `with Cloud() as cloud`, with `cloud.aws()`. `failing` has calls that are denied.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from buildspec.mirror.aws import Aws
from buildspec.mirror.calls import Connections, Patience
from buildspec.mirror.signing import Credentials

PATIENCE = Patience(attempts=2, connect=2, answer=5, first_pause=0.01)


class Cloud:
    """`parameters` are by name, `events` are kind and detail. `before` is called with each call's name."""

    def __init__(self) -> None:
        self.parameters: dict[str, str] = {}
        self.events: list[tuple[str, dict[str, str]]] = []
        self.failing: set[str] = set()
        self.calls: list[str] = []
        self.before: Callable[[str], None] = lambda _: None
        self.connections = Connections(PATIENCE)

    def aws(self) -> Aws:
        credentials = Credentials("AKIAEXAMPLE", "the secret key", "the token")
        return Aws("ap-northeast-1", lambda: credentials, self.connections, endpoint=self.url)

    def __enter__(self) -> Self:
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or an answer's body waits 40 ms for the acknowledgement of its headers

            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                call = self.headers["X-Amz-Target"].rpartition(".")[2]
                cloud.calls.append(call)
                cloud.before(call)
                status, answer = cloud.answer(call, content)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, call: str, content: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if call in self.failing:
            return 400, {"__type": "AccessDeniedException", "message": "no"}
        if call == "GetParameter":
            if content["Name"] not in self.parameters:
                return 400, {"__type": "ParameterNotFound"}
            return 200, {"Parameter": {"Value": self.parameters[content["Name"]]}}
        if call == "PutParameter":
            assert content["Overwrite"]
            assert len(content["Value"].encode()) <= 4096
            self.parameters[content["Name"]] = content["Value"]
            return 200, {}
        assert call == "PutEvents"
        for entry in content["Entries"]:
            assert entry["Source"] == "kakehashi.backlog"
            self.events.append((entry["DetailType"], json.loads(entry["Detail"])))
        return 200, {"FailedEntryCount": 0}
