"""What a build says: lines that people read, and records that CloudWatch makes metrics of."""

from __future__ import annotations

import json
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from .foreign import LONGEST_LINE, shown

NAMESPACE = "Kakehashi/Backlog"


class Log:
    """Writes lines, each as a whole, from any thread. Every mirror has its own `prefix`, so that none is a record."""

    def __init__(self, stream: TextIO, prefix: str = "mirror: ", lock: threading.Lock | None = None) -> None:
        self._stream = stream
        self._prefix = prefix
        self._lock = lock or threading.Lock()

    def of(self, key: str) -> Log:
        """The lines of one mirror among several."""
        return Log(self._stream, f"mirror {key}: ", self._lock)

    def __call__(self, text: str) -> None:
        self._write(shown(self._prefix + text, LONGEST_LINE))

    def record(self, record: dict[str, Any]) -> None:
        """Write a log event for machines."""
        self._write(json.dumps(record, separators=(",", ":")))

    @contextmanager
    def step(self, what: str, moved: Callable[[], tuple[int, int]] | None = None) -> Iterator[None]:
        """Say what was done, how long it took, and how many bytes it moved; `moved` counts those in and out."""
        began, (received, sent) = time.monotonic(), moved() if moved else (0, 0)
        try:
            yield
        except BaseException:
            what = f"failed: {what}"
            raise
        finally:
            milliseconds = round((time.monotonic() - began) * 1000)
            size = ""
            if moved:
                now = moved()
                size = f"{now[0] - received} bytes in, {now[1] - sent} bytes out, "
            self(f"{what}: {size}{milliseconds} ms")

    def _write(self, line: str) -> None:
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()


def counted(number: int, what: str) -> str:
    """`1 ref`, `2 refs`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def first_of(names: Sequence[str], most: int) -> str:
    """So many of the names, and the number of the others."""
    others = f" and {counted(len(names) - most, 'other')}" if len(names) > most else ""
    return ", ".join(names[:most]) + others


def unforeseen(error: Exception) -> str:
    """Where an error came up, and not what it says: that may hold anything."""
    what = type(error).__name__
    if isinstance(error, OSError) and error.strerror:  # a full disk, for example
        what = f"{what}: {error.strerror}"
    frames = traceback.extract_tb(error.__traceback__)
    where = " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
    return f"an error of this program: {what} ({where})"


def metrics(values: dict[str, tuple[str, float]], **dimensions: str) -> dict[str, Any]:
    """A log event of which CloudWatch makes metrics: each name's unit and value.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    described = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": unit} for name, (unit, _) in values.items()],
    }
    return {
        "_aws": {"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [described]},
        **dimensions,
        **{name: value for name, (_, value) in values.items()},
    }
