"""Lists of names that decide what a deployment file may say, one name on a line.

Each file starts with its source and date. `python -m settings.data` renews those that botocore and the tz database
know. They are files because loading settings must not import botocore, which is slow and there for development only,
nor depend on the machine's tz database.
"""

import functools
from pathlib import Path

FOLDER = Path(__file__).parent


@functools.cache
def names(kind: str) -> tuple[str, ...]:
    """The names in `<kind>.txt`, for example `regions`."""
    return tuple(
        line for line in (FOLDER / f"{kind}.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    )
