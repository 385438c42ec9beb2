"""Lists of the names AWS knows; `python -m settings.data` writes them anew from botocore and the tz database.

They are files because the program must neither import botocore (slow, and only there for development) nor depend on
the tz database of the machine it runs on.
"""

import functools
from pathlib import Path

FOLDER = Path(__file__).parent


@functools.cache
def names(kind: str) -> tuple[str, ...]:
    """The names in `<kind>.txt`, sorted: `instance_types`, `regions` or `time_zones`."""
    return tuple((FOLDER / f"{kind}.txt").read_text().split())
