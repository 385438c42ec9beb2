"""Git as a program that obeys nobody else: no settings of the machine, no hooks, and no secret in sight."""

from __future__ import annotations

import math
import os
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from .foreign import shown

# What a child may see of our environment: where programs are, and how to reach and to know the other end.
_PASSED = (
    *("PATH", "TMPDIR", "GIT_SSL_CAINFO", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"),
)
_ENVIRONMENT = {
    "LC_ALL": "C",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_DEFAULT_HASH": "sha1",  # Git 3 has other defaults
    "GIT_DEFAULT_REF_FORMAT": "files",
}
_SETTINGS = (
    *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.commitGraph=false", "core.multiPackIndex=false"),
    *("gc.auto=0", "maintenance.auto=false", "repack.writeBitmaps=false", "fetch.writeCommitGraph=false"),
    # A build has 3 GB of memory or more, and compares ten objects at a time on each processor.
    *("pack.windowMemory=100m", "core.bigFileThreshold=100m"),
    *("fetch.unpackLimit=1", "fetch.recurseSubmodules=false", "transfer.bundleURI=false"),
    *("protocol.allow=never", "credential.helper=", "http.followRedirects=false"),
    # In bytes a second, and seconds. Servers send a few bytes now and then while they count and compress.
    *("http.lowSpeedLimit=1", "http.lowSpeedTime=300"),
)
_SHOWN_OF_MESSAGES = 1000


class GitError(Exception):
    """Git failed, took no step for too long, or wrote more than it may."""


class TooLargeError(GitError):
    """What Git writes has more bytes than it may."""


class TooLateError(GitError):
    """Git did not end in time."""


@dataclass(frozen=True)
class Remote:
    """An end as Git reaches it: the one protocol it may use, and what it needs for that."""

    name: str
    url: str
    protocol: str = "file"
    settings: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    refresh: Callable[[], None] = lambda: None

    def arguments(self) -> list[str]:
        return settings_as_arguments((f"protocol.{self.protocol}.allow=always", *self.settings))


def over_ssh(url: str, key_file: Path, known_hosts_file: Path) -> Remote:
    """The source: only this key, only host keys that were pinned, and never a question."""
    options = {
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "PreferredAuthentications": "publickey",
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(known_hosts_file),
        "GlobalKnownHostsFile": "/dev/null",
        "UpdateHostKeys": "no",
        "ClearAllForwardings": "yes",
        "ConnectTimeout": "30",
        "ServerAliveInterval": "30",
        "ServerAliveCountMax": "3",
    }
    command = ["ssh", "-F", "/dev/null", "-i", str(key_file)]
    command += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    environment = {"GIT_SSH_COMMAND": shlex.join(command), "GIT_SSH_VARIANT": "ssh"}
    return Remote("source", url, "ssh", environment=environment)


def over_https(url: str, credentials: Callable[[], tuple[str, str]], file: Path) -> Remote:
    """The target: `credentials` gives user and password, which only `file` has, new before each command of Git."""

    def refresh() -> None:
        user, password = credentials()
        write_secret(file, f"username={user}\npassword={password}\n")

    parts = urlsplit(url)
    # Git adds what it wants of the helper, which becomes a comment.
    helper = f"credential.{parts.scheme}://{parts.netloc}.helper=!cat {shlex.quote(str(file))} #"
    return Remote("target", url, "https", settings=(helper,), refresh=refresh)


def write_secret(file: Path, text: str) -> None:
    """Write a file that nobody else can read, at any moment."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)


def settings_as_arguments(settings: Iterable[str]) -> list[str]:
    return [word for setting in settings for word in ("-c", setting)]


class Git:
    """Runs Git in one bare repository, which this program made.

    `silent_for` is how many seconds Git and its children may take no step: no processor time, nothing read or written.
    """

    folder: Path

    def __init__(self, folder: Path, silent_for: float = 600) -> None:
        self.folder = folder
        self._silent_for = silent_for
        self._environment = {
            **{name: os.environ[name] for name in _PASSED if name in os.environ},
            **_ENVIRONMENT,
            "GIT_DIR": str(folder),
        }

    def create(self, objects: Path | None = None) -> None:
        """Make the repository, new and empty, that has the objects of another folder beside its own."""
        with self.run("init", "--quiet", "--bare", "--template=", str(self.folder)):
            pass
        if objects is not None:
            info = self.folder / "objects" / "info"
            info.mkdir(exist_ok=True)
            info.joinpath("alternates").write_bytes(os.fsencode(objects) + b"\n")

    def packed(self) -> int:
        """How many bytes its own packs have."""
        return sum(file.stat().st_size for file in self.folder.joinpath("objects", "pack").glob("*.pack"))

    def unlock(self) -> None:
        """Remove what a Git that was killed left in the way of the next."""
        for file in self.folder.rglob("*.lock"):
            file.unlink()

    def write_refs(self, refs: Mapping[bytes, bytes]) -> None:
        """Give a repository without refs these, whose names and ids were checked."""
        lines = (b"%b %b\n" % (oid, name) for name, oid in sorted(refs.items()))
        self.folder.joinpath("packed-refs").write_bytes(b"".join(lines))

    def check(self, *arguments: str) -> bool:
        """Whether Git answers yes: True for status 0, False for 1."""
        try:
            self.run(*arguments, no_is=1).close()
        except _NoError:
            return False
        return True

    def lines(self, *arguments: str, given: Iterable[bytes] = ()) -> Iterator[bytes]:
        """The lines of its output, without their ends; `given` are the lines of its input."""
        with self.run(*arguments, given=given) as output:
            for line in output:
                yield line.rstrip(b"\n")

    def run(
        self,
        *arguments: str,
        given: Iterable[bytes] = (),
        remote: Remote | None = None,
        most_bytes: int | None = None,
        no_is: int | None = None,
        until: float | None = None,
    ) -> BinaryIO:
        """What Git wrote, as an open file without a name; Git has ended.

        `given` are lines for its input. Raises TooLargeError where it writes more than `most_bytes`,
        and TooLateError where it runs after `until` of the monotonic clock.
        """
        if remote is not None:
            remote.refresh()
        command = ["git", *settings_as_arguments(_SETTINGS), *(remote.arguments() if remote else ()), *arguments]
        environment = {**self._environment, **(remote.environment if remote else {})}
        output = tempfile.TemporaryFile(dir=self.folder.parent)  # noqa: SIM115  (it is the result)
        try:
            with (
                _file_of(given, self.folder.parent) as lines,
                tempfile.TemporaryFile(dir=self.folder.parent) as messages,
            ):
                process = subprocess.Popen(  # noqa: S603  (the program is Git)
                    command, stdin=lines, stdout=output, stderr=messages, env=environment, start_new_session=True
                )
                status = self._watch(process, output, most_bytes, until)
                if status == no_is:
                    raise _NoError(arguments[0])
                _measure(output, most_bytes)
                if status != 0:
                    raise GitError(f"git {arguments[0]} ended with {status}{_shown(messages)}")
        except BaseException:
            output.close()
            raise
        output.seek(0)
        return output

    def _watch(
        self, process: subprocess.Popen[bytes], output: BinaryIO, most_bytes: int | None, until: float | None
    ) -> int:
        """Wait for its end, and kill it and its children where they do too little or too much."""
        seen, since = -1, time.monotonic()
        try:
            while True:
                left = math.inf if until is None else until - time.monotonic()
                try:
                    return process.wait(timeout=max(0, min(1, left)))
                except subprocess.TimeoutExpired:
                    pass
                if left <= 0:
                    raise TooLateError("git did not end in time")
                _measure(output, most_bytes)
                now = _work_of(process.pid)
                if now != seen:
                    seen, since = now, time.monotonic()
                elif time.monotonic() - since > self._silent_for:
                    raise GitError(f"git did nothing for {self._silent_for:g} seconds and was ended")
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


class _NoError(GitError):
    """Git answers no."""


def _measure(output: BinaryIO, most_bytes: int | None) -> None:
    if most_bytes is not None and os.fstat(output.fileno()).st_size > most_bytes:
        raise TooLargeError(f"git wrote more than {most_bytes} bytes")


@contextmanager
def _file_of(lines: Iterable[bytes], folder: Path) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile(dir=folder) as file:
        for line in lines:
            file.write(line + b"\n")
        file.seek(0)
        yield file


def _shown(messages: BinaryIO) -> str:
    """The end of what Git said, for people alone."""
    size = messages.seek(0, os.SEEK_END)
    messages.seek(max(0, size - _SHOWN_OF_MESSAGES))
    text = shown(messages.read(), _SHOWN_OF_MESSAGES)
    return f": {text}" if text else ""


def _work_of(session: int) -> int:
    """A number that grows with what the processes of a session do.

    ssh does not count, which sends and receives signs of life where nothing moves.
    """
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = folder.joinpath("stat").read_text(errors="replace").rpartition(")")
            fields = rest.split()
            if int(fields[3]) != session or name.endswith("(ssh"):
                continue
            total += int(fields[11]) + int(fields[12])
            counters = dict(line.split(": ") for line in folder.joinpath("io").read_text().splitlines())
            total += int(counters["rchar"]) + int(counters["wchar"])
        except (OSError, ValueError, KeyError, IndexError):
            continue  # it has just ended
    return total
