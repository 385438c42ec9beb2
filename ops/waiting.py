"""Says on a terminal what takes long, in whole lines, which disturb no other output."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic


@contextmanager
def waiting(what: str, *, first_seconds: float = 2, then_seconds: float = 10) -> Iterator[None]:
    """Print `what`, and how long it has taken, when it takes long. Nothing is printed where nobody watches."""
    if not sys.stderr.isatty():
        yield
        return
    began, done = monotonic(), Event()

    def tell() -> None:
        pause = first_seconds
        while not done.wait(pause):
            print(f"{what}: {monotonic() - began:.0f} s", file=sys.stderr)
            pause = then_seconds

    thread = Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
