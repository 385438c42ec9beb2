"""HTTP connections that stay open between calls, with timeouts in both directions."""

from __future__ import annotations

import http.client
import os
import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from .failures import UnreachableError

LONGEST_ANSWER = 1 << 20


@dataclass(frozen=True)
class Patience:
    """How long a call may take, and how often it is tried. Times are in seconds."""

    attempts: int = 5
    connect: float = 10
    answer: float = 30
    first_pause: float = 0.5
    longest_pause: float = 8

    def pause(self, attempt: int) -> None:
        """Wait before another attempt, longer each time, and not as long as others that failed at the same time."""
        time.sleep(random.uniform(0.5, 1) * min(self.longest_pause, self.first_pause * 2**attempt))  # noqa: S311


class Connections:
    """Connections of each thread that stay open between calls."""

    def __init__(self, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self._tls = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._open = threading.local()

    def patiently(
        self,
        what: str,
        ask: Callable[[], tuple[int, bytes]],
        is_busy: Callable[[int, bytes], bool] = lambda status, _: status >= 500 or status == 429,
    ) -> tuple[int, bytes]:
        """The status and body of the first answer that is not busy. Raises UnreachableError where there is none."""
        problem = ""
        for attempt in range(self.patience.attempts):
            if attempt:
                self.patience.pause(attempt - 1)
            try:
                status, answer = ask()
            except (OSError, http.client.HTTPException) as error:
                problem = f"no answer ({type(error).__name__})"
                continue
            if not is_busy(status, answer):
                return status, answer
            problem = f"HTTP {status}"
        raise UnreachableError(f"{what} failed {self.patience.attempts} times, at last with {problem}")

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        path: str = "/",
        *,
        once: bool = False,
    ) -> tuple[int, bytes]:
        """The status and body of one answer. Raises OSError or HTTPException where there is none in time.

        `once`: what may have arrived is not sent again. Then UnreachableError says so, which `patiently` lets through.
        """
        if once:
            fresh = self._connect(url)
            try:
                return self._answer(fresh, {}, method, url, headers, body, path)
            except (OSError, http.client.HTTPException) as error:
                raise UnreachableError(f"no answer ({type(error).__name__}), so it may have arrived") from error
            finally:
                fresh.close()
        kept: dict[str, http.client.HTTPConnection] = self._open.__dict__
        connection = kept.pop(url, None)
        if connection is not None:
            try:
                return self._answer(connection, kept, method, url, headers, body, path)
            except (OSError, http.client.HTTPException):
                pass  # the server may have closed what was kept; a new connection shows whether it answers
        return self._answer(self._connect(url), kept, method, url, headers, body, path)

    def _connect(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        connection = (
            http.client.HTTPSConnection(parts.netloc, timeout=self.patience.connect, context=self._tls)
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.netloc, timeout=self.patience.connect)
        )
        connection.connect()
        connection.sock.settimeout(self.patience.answer)
        return connection

    def _answer(
        self,
        connection: http.client.HTTPConnection,
        kept: dict[str, http.client.HTTPConnection],
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        path: str,
    ) -> tuple[int, bytes]:
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            content = self._read(response)
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:  # the server did not ask to close it
            kept[url] = connection
        return response.status, content

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        """The body. A server that sends little at a time does not hold the build."""
        until, content = time.monotonic() + self.patience.answer, b""
        while True:
            part = response.read1(1 << 16)
            content += part
            if not part:
                if response.length:
                    raise http.client.IncompleteRead(content, response.length)
                response.read()  # else the connection takes the answer for unfinished
                return content
            if time.monotonic() > until or len(content) > LONGEST_ANSWER:
                raise TimeoutError("the answer does not end")
