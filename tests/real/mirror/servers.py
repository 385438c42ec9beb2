"""The servers that a build connects to, in a network namespace: Backlog's SSH, CodeCommit's Git over TLS and its API.

Run by `world.py` as `python -m tests.real.mirror.servers FOLDER`, as the first process of the namespace. FOLDER/cases
has one folder for each test: `source` with Backlog's repositories, `target` with CodeCommit's. A build's SSH key and
its AWS access key, which is the name of the folder, decide which folder it uses. sshd, git upload-pack, git
http-backend and TLS are real; the API for the default branch is a stand-in with three answers.
"""

import base64
import contextlib
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

GIT_HOST = "git-codecommit.ap-northeast-1.amazonaws.com"
API_HOST = "codecommit.ap-northeast-1.amazonaws.com"
SOURCE_HOST = "example.git.backlog.jp"
SOURCE_USER = "example"

# A file in a case's folder with a number N: CodeCommit breaks off the N-th push and answers nothing from then on. With
# 0, it answers nothing from the start.
OUTAGE = "outage"
# A file in a case's folder: CodeCommit refuses a push from a shallow repository.
NO_SHALLOW_PUSHES = "no_shallow_pushes"
# A file in a case's folder: the bytes that CodeCommit received and sent, one line for each request.
TARGET_TRAFFIC = "traffic.target"
SOURCE_TRAFFIC = "traffic.source"
# A file in a case's folder: source and target use the first version of Git's protocol, as old servers do.
OLD_PROTOCOL = "old_protocol"

_SERVE = """#!/bin/bash
# The command that Backlog runs for a key; $1 is the folder of the key's case.
[[ $SSH_ORIGINAL_COMMAND =~ ^git-upload-pack\\ \\'(/[A-Za-z0-9_./-]+)\\'$ ]] || exit 1
[ ! -e "$1/old_protocol" ] || unset GIT_PROTOCOL
git upload-pack "$1/source${BASH_REMATCH[1]}" | tee >(wc -c >>"$1/traffic.source")
exit "${PIPESTATUS[0]}"
"""

_SSHD = """
Port 22
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
AcceptEnv GIT_PROTOCOL
MaxStartups 100
UseDNS no
"""


class _RefusedError(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Handler(BaseHTTPRequestHandler):
    """One connection to CodeCommit. Git and the API have different host names."""

    protocol_version = "HTTP/1.1"
    cases: Path
    received = 0
    broken = False

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        try:
            if self.headers["Host"] == API_HOST:
                self._api()
            else:
                self._git()
        except _RefusedError as refused:
            self._send(refused.status, {"WWW-Authenticate": 'Basic realm="git"'}, str(refused).encode())
        except (ConnectionError, ssl.SSLError, BrokenPipeError):
            self.close_connection = True

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _case(self, access_key: str) -> Path:
        case = self.cases / access_key
        if not re.fullmatch("[A-Z0-9]+", access_key) or not case.is_dir():
            raise _RefusedError(403, "unknown access key")
        return case

    def _git(self) -> None:
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            raise _RefusedError(401, "who are you?")
        user, _, _ = base64.b64decode(given).decode().partition(":")
        case = self._case(user)
        if (case / OUTAGE).exists() and (case / OUTAGE).read_text() == "0":
            raise ConnectionError
        path, _, query = self.path.partition("?")
        repository, _, service = path.removeprefix("/v1/repos/").partition("/")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(case / "target"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{repository}/{service}",
            "REMOTE_USER": user,
            "REQUEST_METHOD": self.command,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        if "Git-Protocol" in self.headers and not (case / OLD_PROTOCOL).exists():
            environment["GIT_PROTOCOL"] = self.headers["Git-Protocol"]
        backend = subprocess.Popen(
            ["git", "http-backend"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert backend.stdout is not None
        feeding = threading.Thread(target=self._forward_body, args=(backend, case, service == "git-receive-pack"))
        feeding.start()
        try:
            sent = self._send_answer(backend.stdout)
        finally:
            feeding.join()
            backend.kill()
            backend.wait()
            backend.stdout.close()
        with (case / TARGET_TRAFFIC).open("a") as traffic:
            traffic.write(f"{self.received} {sent}\n")
        if service == "git-receive-pack":
            _set_first_default_branch(case / "target" / repository)

    def _send_answer(self, answer: IO[bytes]) -> int:
        """Send the backend's answer; returns the number of bytes of its body."""
        status, headers = 200, {}
        while line := answer.readline().strip().decode():
            name, _, value = line.partition(": ")
            if name == "Status":
                status = int(value.split()[0])
            else:
                headers[name] = value
        if self.broken:
            raise ConnectionError
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        sent = 0
        while part := answer.read1(1 << 16):  # type: ignore[attr-defined]
            sent += len(part)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")
        return sent

    def _forward_body(self, backend: "subprocess.Popen[bytes]", case: Path, is_push: bool) -> None:
        """Send the request's body to the backend, unless the case makes this push break off."""
        assert backend.stdin is not None
        self.received, self.broken = 0, False
        try:
            for part in self._body():
                if self.received == 0 and is_push and self._breaks_off(case, part):
                    self.broken = True
                    backend.kill()
                    return
                self.received += len(part)
                backend.stdin.write(part)
        except (ConnectionError, ssl.SSLError):
            backend.kill()
        finally:
            with contextlib.suppress(ConnectionError):
                backend.stdin.close()

    @staticmethod
    def _breaks_off(case: Path, begin: bytes) -> bool:
        # https://git-scm.com/docs/pack-protocol#_reference_update_request_and_packfile_transfer
        if begin[4:].startswith(b"shallow ") and (case / NO_SHALLOW_PUSHES).exists():
            return True
        if begin == b"0000" or not (case / OUTAGE).exists():  # Git sends this before a large push
            return False
        left = int((case / OUTAGE).read_text()) - 1
        (case / OUTAGE).write_text(str(left))
        return left == 0

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") != "chunked":
            yield self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _api(self) -> None:
        """GetRepository and UpdateDefaultBranch.

        https://docs.aws.amazon.com/codecommit/latest/APIReference/API_Operations.html
        """
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        signed = re.search("Credential=([^/]+)/", self.headers.get("Authorization", ""))
        repository = self._case(signed[1] if signed else "") / "target" / asked["repositoryName"]
        action = self.headers["X-Amz-Target"].removeprefix("CodeCommit_20150413.")
        with (repository.parents[1] / "api").open("a") as calls:
            calls.write(f"{action}\n")
        answer: dict[str, object] = {}
        if action == "GetRepository":
            metadata = {"repositoryName": asked["repositoryName"]}
            if default := _default_branch(repository):
                metadata["defaultBranch"] = default
            answer = {"repositoryMetadata": metadata}
        elif action == "UpdateDefaultBranch":
            branch = f"refs/heads/{asked['defaultBranchName']}"
            if subprocess.run(["git", "-C", str(repository), "show-ref", "--verify", "--quiet", branch]).returncode:
                return self._send(400, {}, b'{"__type": "BranchDoesNotExistException"}')
            subprocess.run(["git", "-C", str(repository), "symbolic-ref", "HEAD", branch], check=True)
        else:
            raise _RefusedError(501, action)
        return self._send(200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode())


def _default_branch(repository: Path) -> str | None:
    """The branch that HEAD names, if it exists."""
    head = subprocess.run(
        ["git", "-C", str(repository), "for-each-ref", "--format=%(HEAD)%(refname:lstrip=2)", "refs/heads"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return next((line[1:] for line in head.splitlines() if line[0] == "*"), None)


def _set_first_default_branch(repository: Path) -> None:
    """Make the first branch that is pushed the default branch."""
    command = ["git", "-C", str(repository), "for-each-ref", "--count=1", "--format=%(refname)", "refs/heads"]
    first = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if first and _default_branch(repository) is None:
        subprocess.run(["git", "-C", str(repository), "symbolic-ref", "HEAD", first], check=True)


def _enter_the_namespace(folder: Path) -> None:
    """Give this machine the services' host names, and Backlog's user. Nothing changes outside the namespace."""
    (folder / "hosts").write_text(f"127.0.0.1 localhost {SOURCE_HOST} {GIT_HOST} {API_HOST}\n")
    (folder / "passwd").write_text(f"{Path('/etc/passwd').read_text()}{SOURCE_USER}:*:0:0::{folder}:/bin/sh\n")
    for command in (
        ["ip", "link", "set", "lo", "up"],
        ["mount", "--bind", str(folder / "hosts"), "/etc/hosts"],
        ["mount", "--bind", str(folder / "passwd"), "/etc/passwd"],
        ["mount", "-t", "tmpfs", "tmpfs", "/run"],
    ):
        subprocess.run(command, check=True)
    Path("/run/sshd").mkdir(mode=0o755)


def _wait_for_orphans() -> None:
    """Continue in a child process; the namespace's first process waits for every process that loses its parent."""
    servers = os.fork()
    while servers:
        ended, _ = os.wait()
        if ended == servers:
            sys.exit(1)


def main(folder: Path) -> None:
    """Serve until killed; prints a line once both servers listen."""
    _wait_for_orphans()
    _enter_the_namespace(folder)
    (folder / "serve").write_text(_SERVE)
    (folder / "serve").chmod(0o755)
    (folder / "sshd_config").write_text(_SSHD.format(folder=folder))
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    assert sshd
    subprocess.Popen([sshd, "-D", "-e", "-f", folder / "sshd_config"], stderr=(folder / "sshd.log").open("w"))

    class CaseHandler(Handler):
        cases = folder / "cases"

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 443), CaseHandler, bind_and_activate=False)
    server.request_queue_size = 100
    server.server_bind()
    server.server_activate()
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print("listening", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
