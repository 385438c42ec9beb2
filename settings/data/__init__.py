"""Lists of names that decide what a deployment file may say, one name on a line.

Each file starts with its source and date. `python -m settings.data` renews those that botocore, the Public
Suffix List and the tz database know. They are files because loading settings must not import packages that are slow and
there for development only, nor depend on the machine's tz database.
"""

import functools
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent


@functools.cache
def names(kind: str) -> tuple[str, ...]:
    """The names in `<kind>.txt`, for example `regions`."""
    return tuple(
        line for line in (FOLDER / f"{kind}.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    )


def parents(name: str) -> Iterator[str]:
    """The domains that a domain lies in, for example example.com and com for www.example.com."""
    while name := name.partition(".")[2]:
        yield name
