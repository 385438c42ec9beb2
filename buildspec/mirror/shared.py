"""One SSH connection for all mirrors that a thread works on, so that each costs two round trips instead of nine.

https://man.openbsd.org/ssh_config#ControlMaster
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .source import Source, environment

# The name of a socket has at most 107 characters, of which ssh adds 17 itself. So it is not in the build's folder.
_FOLDER = "/tmp"  # noqa: S108  (the folder made in it is the build's alone)
_POLL_SECONDS = 0.01


class SharedConnections:
    """Connections of one build. Where one cannot be made, ssh connects for each mirror, as without it."""

    def __init__(self, seconds: float = 30) -> None:
        self._seconds = seconds
        self._folder = tempfile.mkdtemp(dir=_FOLDER)
        self._of_thread = threading.local()
        self._all: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()

    def __enter__(self) -> SharedConnections:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._all:
            _end(connection)
        shutil.rmtree(self._folder, ignore_errors=True)

    def command(self, command: Sequence[str]) -> Sequence[str]:
        """The command of ssh, through this thread's connection. `command` has the options, `--`, a host and more."""
        kept = self._of_thread.__dict__
        if "path" not in kept:
            kept["path"] = f"{self._folder}/{threading.get_ident():x}"
            kept["connection"] = self._connect(command, kept["path"])
        if kept["connection"] is None or kept["connection"].poll() is not None:
            return command
        end = command.index("--")
        return [*command[:end], "-o", "ControlMaster=no", "-o", f"ControlPath={kept['path']}", *command[end:]]

    def drop(self) -> None:
        """Use this thread's connection no more, because what went through it failed."""
        connection = self._of_thread.__dict__.get("connection")
        if connection is not None:
            _end(connection)

    def _connect(self, command: Sequence[str], path: str) -> subprocess.Popen[bytes] | None:
        end = command.index("--")
        connection = subprocess.Popen(  # noqa: S603
            [*command[:end], "-N", "-o", "ControlMaster=yes", "-o", f"ControlPath={path}", *command[end : end + 2]],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with self._lock:
            self._all.append(connection)
        until = time.monotonic() + self._seconds
        while connection.poll() is None and time.monotonic() < until:
            if Path(path).exists():
                return connection
            time.sleep(_POLL_SECONDS)
        _end(connection)
        return None


@dataclass(frozen=True)
class SharedSource(Source):
    """A source that is reached through a shared connection."""

    shared: SharedConnections | None = None

    def command(self) -> Sequence[str]:
        """As without sharing, with the socket of the connection."""
        command = super().command()
        return self.shared.command(command) if self.shared else command


def _end(connection: subprocess.Popen[bytes]) -> None:
    if connection.poll() is None:
        connection.kill()
    connection.wait()
