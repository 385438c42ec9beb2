"""Backlog's API on loopback, behind TLS, with the answers that its documentation shows.

Commands reach it at the space's real address, through a proxy that people could have: HTTPS_PROXY names it. So a test
sees the name that the certificate is checked for, and that nothing goes elsewhere. Each answer cites its page below
https://developer.nulab.com/docs/backlog/.
"""

import datetime
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

API_KEY = "aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789aBcDeFgHiJkLmNoPqRsTuVwXyZ01"
HOST = "example.backlog.jp"

Hook = dict[str, Any]


@dataclass
class BacklogFault:
    """An answer that replaces Backlog's next one; with status 0, the connection is closed without an answer."""

    status: int
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    pause_seconds: float = 0


@dataclass
class BacklogStandIn:
    """The projects of a space: the names of their Git repositories, and their webhooks."""

    repositories: dict[str, list[str]] = field(default_factory=dict)
    hooks: dict[str, list[Hook]] = field(default_factory=dict)
    git_hooks: dict[str, str] = field(default_factory=dict)
    faults: list[BacklogFault] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    connected_to: set[str] = field(default_factory=set)
    next_id: int = 3
    port: int = 0
    ca_file: Path = Path()

    def answer(self, method: str, path: str, key: str | None, form: dict[str, list[str]]) -> tuple[int, Any]:
        """Backlog's status and body for one request."""
        if key != API_KEY:
            return 401, _error("Authentication failure.", 11)  # getting-started: "On failure"
        root, _, rest = path.removeprefix("/api/v2/projects/").partition("/")
        if root not in self.repositories:
            return 404, _error("No project.", 6)  # error-response: the response example
        if (method, rest) == ("GET", "git/repositories"):
            # api/2/get-list-of-git-repositories
            names = enumerate(self.repositories[root], 1)
            return 200, [_repository(number, root, name, self.git_hooks.get(name)) for number, name in names]
        hooks = self.hooks.setdefault(root, [])
        match method, rest.split("/"):
            case "GET", ["webhooks"]:
                return 200, hooks  # api/2/get-list-of-webhooks
            case "POST", ["webhooks"]:
                hooks.append(_hook(self.next_id, form))  # api/2/add-webhook
                self.next_id += 1
                return 200, hooks[-1]
            case "PATCH", ["webhooks", number]:
                # api/2/update-webhook
                found = next((hook for hook in hooks if str(hook["id"]) == number), None)
                if found is None:
                    return 404, _error("No webhook.", 6)
                found.update(_hook(found["id"], form))
                return 200, found
        raise AssertionError(f"{method} {path}")


def _error(message: str, code: int) -> dict[str, Any]:
    return {"errors": [{"message": message, "code": code, "moreInfo": ""}]}  # error-response


def _repository(number: int, project: str, name: str, hook_url: str | None) -> dict[str, Any]:
    return {
        "id": number,
        "projectId": 151,
        "name": name,
        "description": "",
        "hookUrl": hook_url,
        "httpUrl": f"https://{HOST}/git/{project}/{name}.git",
        "sshUrl": f"example@example.git.backlog.jp:/{project}/{name}.git",
        "displayOrder": 0,
        "pushedAt": None,
        "created": "2013-05-30T09:11:36Z",
    }


def _hook(number: int, form: dict[str, list[str]]) -> Hook:
    # Form parameters of api/2/add-webhook and api/2/update-webhook
    assert set(form) == {"name", "description", "hookUrl", "allEvent", "activityTypeIds[]"}, form
    assert form["allEvent"][0] in ("true", "false")
    return {
        "id": number,
        "name": form["name"][0],
        "description": form["description"][0],
        "hookUrl": form["hookUrl"][0],
        "allEvent": form["allEvent"][0] == "true",
        "activityTypeIds": [int(kind) for kind in form["activityTypeIds[]"]],
        "created": "2014-11-30T01:22:21Z",
        "updated": "2014-11-30T01:22:21Z",
    }


@contextmanager
def serving(backlog: BacklogStandIn, folder: Path, *, host: str = HOST) -> Iterator[BacklogStandIn]:
    """Serve the stand-in behind a proxy on a free port, with a certificate for `host` of a CA of its own."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(_certificate(folder, host))
    backlog.ca_file = folder / "ca.pem"

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or an answer's body waits 40 ms for the acknowledgement of its headers

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            backlog.calls.append(f"{self.command} {self.path}")
            status, answer = 200, b""
            headers: dict[str, str] = {}
            if backlog.faults:
                fault = backlog.faults.pop(0)
                threading.Event().wait(fault.pause_seconds)
                if fault.status == 0:
                    self.close_connection = True
                    return
                status, answer, headers = fault.status, fault.body, fault.headers
            else:
                form = parse_qs(body, keep_blank_values=True)
                status, found = backlog.answer(self.command, self.path, self.headers.get("Backlog-API-Key"), form)
                answer = json.dumps(found).encode()
            with suppress(OSError):
                self.send_response(status)
                for name, value in ({"Content-Type": "application/json;charset=utf-8"} | headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    class Proxy(StreamRequestHandler):
        def handle(self) -> None:
            method, target, _ = self.rfile.readline().decode().split()
            while self.rfile.readline().strip():
                pass
            assert method == "CONNECT"
            backlog.connected_to.add(target)
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with suppress(OSError), context.wrap_socket(self.connection, server_side=True) as opened:
                Api(opened, self.client_address, self.server)

    with ThreadingTCPServer(("127.0.0.1", 0), Proxy) as server:
        server.daemon_threads = True
        backlog.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield backlog
        finally:
            server.shutdown()
            thread.join()


def reached(backlog: BacklogStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have httpx connect to the stand-in, whatever the host, and trust its CA."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{backlog.port}")
    monkeypatch.setenv("SSL_CERT_FILE", str(backlog.ca_file))


def _certificate(folder: Path, host: str) -> Path:
    """A file with a new key and a certificate for `host`; the CA that signed it is in ca.pem beside it."""
    now = datetime.datetime.now(datetime.UTC)

    def signed(name: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, *, ca: bool) -> Any:
        own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA of the tests")])
        builder = x509.CertificateBuilder(issuer, own, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=1))
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key())
        return builder.add_extension(identifier, critical=False).sign(by, hashes.SHA256())

    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(signed("CA of the tests", ca_key, ca_key, ca=True).public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "server.pem"
    file.write_bytes(private + signed(host, key, ca_key, ca=False).public_bytes(pem))
    return file
