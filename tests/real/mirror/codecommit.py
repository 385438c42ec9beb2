"""CodeCommit's Git server over HTTP: git http-backend, made as narrow as CodeCommit is.

What it advertises was seen by authors of Git clients, who had to narrow what they ask:
https://github.com/isomorphic-git/isomorphic-git/issues/199, https://github.com/go-git/go-git/issues/945 and
https://github.com/isomorphic-git/isomorphic-git/issues/310: it does not answer a push that names something else.
"""

import base64
import contextlib
import os
import re
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import IO

from tests.real.mirror import faults, protocol
from tests.real.mirror.keys import RefusedError

UPLOAD = b"multi_ack_detailed shallow side-band-64k thin-pack allow-tip-sha1-in-want allow-reachable-sha1-in-want"
RECEIVE = b"report-status delete-refs side-band-64k"
# https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
MOST_CHANGES = 4000

# A file in a case's folder: the bytes that CodeCommit received and sent, one line for each request.
TRAFFIC = "traffic.target"
# A file in a case's folder: both ends append every process's environment and arguments to `spied`.
SPY, SPIED = "spy", "spied"

# https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html: a branch name is no full commit ID
_UPDATE_HOOK = """#!/bin/sh
case ${1#refs/heads/} in *[!0-9a-f]*) exit 0 ;; esac
[ ${#1} -ne 51 ]
"""
_A_COMMIT_ID = re.compile(rb" refs/heads/[0-9a-f]{40}(\0|$)")


class Handler(BaseHTTPRequestHandler):
    """One connection to CodeCommit, for a user whose name is a case's folder. Whoever inherits checks passwords."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or an answer's body waits 40 ms for the acknowledgement of its headers
    cases: Path
    received = 0
    broken = taken = False

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.taken = False
        try:
            self._serve()
        except RefusedError as refused:
            with contextlib.suppress(ConnectionError, ssl.SSLError, ValueError):
                for _ in self._body() if self.command == "POST" and not self.taken else ():
                    pass
            self._refuse(refused)
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    def _refuse(self, refused: RefusedError) -> None:
        self._send(refused.status, {"WWW-Authenticate": 'Basic realm="git"'}, str(refused).encode())

    def _serve(self) -> None:
        """Answer one request; for a subclass with more to serve."""
        self._git()

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _case_of(self, user: str, password: str, path: str) -> Path:  # noqa: ARG002 - for those who inherit
        """The folder of a user's case; raises RefusedError."""
        case = self.cases / user
        if not re.fullmatch("[A-Za-z0-9-]+", user) or not case.is_dir():
            raise RefusedError(403, "unknown user")
        return case

    def _git(self) -> None:
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            raise RefusedError(401, "who are you?")
        user, _, password = base64.b64decode(given).decode().partition(":")
        path, _, query = self.path.partition("?")
        form = re.fullmatch(r"(/v1/repos/([A-Za-z0-9._-]+))/(info/refs|git-upload-pack|git-receive-pack)", path)
        if form is None:
            raise RefusedError(404, "no such address")
        case, repository = self._case_of(user, password, form[1]), form[2]
        if faults.value(case, faults.OUTAGE, repository) == 0:
            raise ConnectionError
        if faults.count_down(case, faults.UNAVAILABLE, repository):
            raise RefusedError(503, "try again")
        environment = self._environment(case, repository, form[3], query) | {"REMOTE_USER": user.partition("%")[0]}
        if form[3] == "info/refs":
            self._advertise(case, repository, environment)
        elif form[3] == "git-receive-pack":
            self._push(case, repository, environment)
        else:
            self._note(case, self._run(environment, self._body(), self._send_answer))

    def _environment(self, case: Path, repository: str, service: str, query: str) -> dict[str, str]:
        options = {"uploadpack.allowTipSHA1InWant": "true", "uploadpack.allowReachableSHA1InWant": "true"}
        if (most := faults.value(case, faults.MOST_BYTES, repository)) is not None:
            options["receive.maxInputSize"] = str(most)
        return {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(case / "target"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{repository}/{service}",
            "REQUEST_METHOD": self.command,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_CONFIG_COUNT": str(len(options)),
            **{f"GIT_CONFIG_KEY_{number}": key for number, key in enumerate(options)},
            **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(options.values())},
        }

    def _run(self, environment: dict[str, str], body: Iterator[bytes], answer: Callable[[IO[bytes]], int]) -> int:
        """Give a request to git http-backend, and its answer to `answer`, which returns the bytes of it."""
        backend = subprocess.Popen(
            ["git", "http-backend"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert backend.stdout is not None
        self.broken = False
        feeding = threading.Thread(target=self._feed, args=(backend, body))
        feeding.start()
        try:
            return answer(backend.stdout)
        finally:
            feeding.join()
            backend.kill()
            backend.wait()
            backend.stdout.close()

    def _feed(self, backend: "subprocess.Popen[bytes]", body: Iterator[bytes]) -> None:
        assert backend.stdin is not None
        try:
            for part in body:
                backend.stdin.write(part)
                backend.stdin.flush()
        except BrokenPipeError:
            for _ in body:  # Git has seen enough; the rest belongs to the connection
                pass
        except (ConnectionError, ssl.SSLError, ValueError):
            self.broken = True
            backend.kill()
        finally:
            with contextlib.suppress(ConnectionError):
                backend.stdin.close()

    def _send_answer(self, answer: IO[bytes]) -> int:
        status, headers = _head(answer)
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

    def _advertise(self, case: Path, repository: str, environment: dict[str, str]) -> None:
        """Answer with the list of refs, and no more capabilities than CodeCommit has."""
        faults.be_silent(case, faults.SILENT_LIST, repository)
        pushing = environment["QUERY_STRING"] == "service=git-receive-pack"
        if pushing:
            faults.at(case, faults.TARGET_LISTING, repository)
        found: list[tuple[int, dict[str, str], bytes]] = []

        def narrowed(answer: IO[bytes]) -> int:
            found.append((*_head(answer), protocol.narrow(answer.read(), RECEIVE if pushing else UPLOAD)))
            return len(found[0][2])

        sent = self._run(environment, iter(()), narrowed)
        if pushing:
            faults.at(case, faults.TARGET_LISTED, repository)
        self._send(*found[0])
        self._note(case, sent)

    def _push(self, case: Path, repository: str, environment: dict[str, str]) -> None:
        faults.be_silent(case, faults.SILENT_PUSH, repository)
        body = self._slowed(case, repository)
        commands, begin = protocol.commands(body)
        capabilities = set(commands[0].partition(b"\0")[2].split()) if commands else set()
        if commands and faults.is_the_last(case, faults.OUTAGE, repository):
            raise ConnectionError
        # Git asks with no command at all whether it may push.
        if not commands or not capabilities <= set(RECEIVE.split()):
            for _ in body:
                pass
            self._report(b"")
            return
        parts, problem = self._in_order(case, repository, begin, body), ""
        if len(commands) > MOST_CHANGES:
            problem = "more than 4000 references"
        elif faults.value(case, faults.NO_THIN_PACKS, repository) is not None:
            parts, problem = protocol.complete(parts)
        if problem:
            for _ in parts:
                pass
            self._report(protocol.refusal(commands, problem, sideband=b"side-band-64k" in capabilities))
        else:
            _refuse_ids_as_names(case / "target" / repository, commands)
            self._apply(case, repository, environment, parts)

    def _report(self, text: bytes) -> None:
        self._send(200, {"Content-Type": "application/x-git-receive-pack-result"}, text)

    def _apply(self, case: Path, repository: str, environment: dict[str, str], parts: Iterator[bytes]) -> None:
        def report(answer: IO[bytes]) -> int:
            status, headers = _head(answer)
            text = answer.read()
            if self.broken:
                raise ConnectionError
            set_first_default_branch(case / "target" / repository)
            faults.at(case, faults.PUSH_APPLIED, repository)
            if faults.once(case, faults.CUT_ANSWER, repository) is not None:
                raise ConnectionError
            faults.be_silent(case, faults.SILENT_ANSWER, repository)
            self._send(status, headers, text)
            return len(text)

        self._note(case, self._run(environment, parts, report))

    @staticmethod
    def _in_order(case: Path, repository: str, begin: bytes, body: Iterator[bytes]) -> Iterator[bytes]:
        """The whole push. What is at the moment PUSH_RECEIVED happens before Git has its end."""
        held = begin
        for part in body:
            yield held
            held = part
        faults.at(case, faults.PUSH_RECEIVED, repository)
        yield held

    def _slowed(self, case: Path, repository: str) -> Iterator[bytes]:
        """The request's body, cut or slowed as the case says."""
        cut = faults.once(case, faults.CUT_PUSH, repository)
        slow = faults.value(case, faults.SLOW_PUSH, repository)
        for part in self._body():
            if cut is not None and self.received > cut:
                raise ConnectionError
            if slow:
                time.sleep(len(part) / slow)
            yield part

    def _note(self, case: Path, sent: int) -> None:
        with (case / TRAFFIC).open("a") as traffic:
            traffic.write(f"{self.received} {sent}\n")

    def _body(self) -> Iterator[bytes]:
        self.received, self.taken = 0, True
        if self.headers.get("Transfer-Encoding") != "chunked":
            left = int(self.headers.get("Content-Length") or 0)
            while left:
                yield (part := self._read(min(left, 1 << 16)))
                left -= len(part)
            return
        while size := int(self.rfile.readline() or b"x", 16):
            yield self._read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _read(self, size: int) -> bytes:
        part = self.rfile.read(size)
        if len(part) < size:
            raise ConnectionError
        self.received += size
        return part


def _head(answer: IO[bytes]) -> tuple[int, dict[str, str]]:
    status, headers = 200, {}
    while line := answer.readline().strip().decode():
        name, _, value = line.partition(": ")
        if name == "Status":
            status = int(value.split()[0])
        else:
            headers[name] = value
    return status, headers


def _refuse_ids_as_names(repository: Path, commands: list[bytes]) -> None:
    """Make Git refuse those changes alone. A hook runs for each change, so there is one only where it is needed."""
    hook = repository / "hooks" / "update"
    if any(_A_COMMIT_ID.search(command) for command in commands) and not hook.exists():
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_UPDATE_HOOK)
        hook.chmod(0o755)


def default_branch(repository: Path) -> str | None:
    """The branch that HEAD names, if it exists."""
    head = (repository / "HEAD").read_text().strip().removeprefix("ref: ")
    shown = ["git", "-C", str(repository), "show-ref", "--verify", "--quiet", head]
    return head.removeprefix("refs/heads/") if subprocess.run(shown, check=False).returncode == 0 else None


def set_first_default_branch(repository: Path) -> None:
    """Make the first branch that is pushed the default branch."""
    if default_branch(repository) is not None:
        return
    command = ["git", "-C", str(repository), "for-each-ref", "--count=1", "--format=%(refname)", "refs/heads"]
    if first := subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip():
        subprocess.run(["git", "-C", str(repository), "symbolic-ref", "HEAD", first], check=True)
