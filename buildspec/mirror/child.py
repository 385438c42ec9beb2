"""A program whose pipes are read and written with deadlines."""

from __future__ import annotations

import contextlib
import io
import os
import select
import subprocess
import time
from collections.abc import Iterable, Sequence

from .failures import UnreachableError

_MOST_SAID = 8192
_PART = 65536


class Child(io.RawIOBase):
    """A running program: `read` reads its standard output, `send` writes to its input.

    What it does not send or take within `silence` seconds ends in UnreachableError. Its messages are read along, so
    they never block it; the last 8 KiB are kept.
    """

    _process: subprocess.Popen[bytes] | None = None

    def __init__(self, command: Sequence[str], environment: dict[str, str], silence: float, end: str) -> None:
        super().__init__()
        self._silence = silence
        self._end = end
        try:
            process = subprocess.Popen(  # noqa: S603  (the program is ours, and there is no shell)
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=environment,
            )
        except OSError as error:
            raise UnreachableError(f"{command[0]} cannot be started: {error.strerror}") from error
        assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018
        self._process = process
        self._input = process.stdin.fileno()
        self._output = process.stdout.fileno()
        self._messages: int | None = process.stderr.fileno()
        for pipe in (self._input, self._output, self._messages):
            os.set_blocking(pipe, False)
        self._early = bytearray()
        self._said = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read what is there, at least a byte but at the end."""
        if not self._early:
            self._wait()
            return os.readv(self._output, [buffer])
        found = self._early[: len(buffer)]
        buffer[: len(found)] = found
        del self._early[: len(found)]
        return len(found)

    def send(self, parts: Iterable[bytes], most_answered: int) -> None:
        """Write everything, while keeping up to `most_answered` bytes of what it answers meanwhile.

        Where the program no longer reads, the rest is not sent: what it wrote last says why.
        """
        for part in parts:
            rest = memoryview(part)
            while rest:
                answers = len(self._early) < most_answered
                if self._wait(for_input=True, for_output=answers):
                    answer = os.read(self._output, _PART)
                    self._early += answer
                    if not answer:
                        return
                try:
                    rest = rest[os.write(self._input, rest[:_PART]) :]
                except BlockingIOError:
                    pass
                except BrokenPipeError:
                    return

    def said(self) -> bytes:
        """Its messages, when it has ended or is silent."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=1)
        while self._messages is not None and self._keep_messages():
            pass
        return self._said

    def end_quietly(self) -> None:
        """Wait for its end, and kill it if that takes long."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                self._process.stdin.close()
                self._process.wait(timeout=2)
        self.close()

    def close(self) -> None:
        """Kill it, if it still runs."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        super().close()

    def _wait(self, *, for_input: bool = False, for_output: bool = True) -> bool:
        """Wait until it takes input, if that is waited for, or has output: True where there is output."""
        deadline = time.monotonic() + self._silence
        while (left := deadline - time.monotonic()) > 0:
            poll = select.poll()
            if for_output:
                poll.register(self._output, select.POLLIN)
            if for_input:
                poll.register(self._input, select.POLLOUT)
            if self._messages is not None:
                poll.register(self._messages, select.POLLIN)
            ready = {descriptor for descriptor, _ in poll.poll(left * 1000)}
            if self._messages in ready:
                self._keep_messages()
            if self._output in ready or self._input in ready:
                return self._output in ready
        if self._process is not None:
            self._process.kill()
        raise UnreachableError(f"the {self._end} was silent for {self._silence:g} seconds")

    def _keep_messages(self) -> bool:
        """Keep what it wrote to standard error; False where there is nothing more."""
        assert self._messages is not None  # noqa: S101
        try:
            found = os.read(self._messages, _PART)
        except BlockingIOError:
            return False
        if not found:
            self._messages = None
        self._said = (self._said + found)[-_MOST_SAID:]
        return bool(found)
