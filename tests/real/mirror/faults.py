"""What goes wrong in a case, by files in its folder `faults`, and what happens at a moment of a build.

A file `NAME` counts for every repository of the case, `NAME.REPOSITORY` for one: the target's name, or the source's.
"""

import subprocess
import threading
import time
from pathlib import Path

# A number N: CodeCommit answers the next N requests of Git with 503.
UNAVAILABLE = "unavailable"
# A number N: CodeCommit breaks off the N-th push and answers nothing from then on. 0: nothing from the start.
OUTAGE = "outage"
# A number N, once: the connection is cut after N bytes of a push.
CUT_PUSH = "cut_push"
# Once: CodeCommit does what a push asks, and the connection is cut before the answer.
CUT_ANSWER = "cut_answer"
# CodeCommit takes the connection, and is silent: before its list of refs, before it reads a push, before it answers it.
SILENT_LIST = "silent_list"
SILENT_PUSH = "silent_push"
SILENT_ANSWER = "silent_answer"
# A number N: CodeCommit reads N bytes of a push a second.
SLOW_PUSH = "slow_push"
# A number N: CodeCommit refuses packs of more than N bytes.
MOST_BYTES = "most_bytes"
# CodeCommit refuses thin packs.
NO_THIN_PACKS = "no_thin_packs"

# A number N: the source ends the next N connections at once.
SOURCE_UNAVAILABLE = "source_unavailable"
# A number N: the source cuts every connection after N bytes; is silent from then on; sends N bytes a second.
SOURCE_CUT = "source_cut"
SOURCE_SILENT = "source_silent"
SOURCE_SLOW = "source_slow"

# Moments of a pass. A file `at.MOMENT.REPOSITORY` is a script that runs once, and is then `done.MOMENT.REPOSITORY`.
TARGET_LISTING, TARGET_LISTED = "target_listing", "target_listed"
SOURCE_LISTING, SOURCE_PACKING = "source_listing", "source_packing"
PUSH_RECEIVED, PUSH_APPLIED = "push_received", "push_applied"
DEFAULT_READ = "default_read"

FOLDER = "faults"
_SECONDS_OF_SILENCE = 600
_counting = threading.Lock()


def value(case: Path, name: str, repository: str) -> int | None:
    """The number in a fault's file; 0 if it is empty, None if there is no such file."""
    for file in (case / FOLDER / f"{name}.{repository}", case / FOLDER / name):
        try:
            return int(file.read_text() or "0")
        except FileNotFoundError:
            continue
    return None


def count_down(case: Path, name: str, repository: str) -> int | None:
    """The number that is left, one less each time; the file is deleted once 0 was returned."""
    with _counting:
        left = value(case, name, repository)
        if left is None:
            return None
        file = case / FOLDER / f"{name}.{repository}"
        file = file if file.exists() else case / FOLDER / name
        if left <= 0:
            file.unlink()
        else:
            file.write_text(str(left - 1))
        return left


def is_the_last(case: Path, name: str, repository: str) -> bool:
    """Whether only this one is left; the number becomes one less."""
    return value(case, name, repository) is not None and count_down(case, name, repository) == 1


def once(case: Path, name: str, repository: str) -> int | None:
    """The number in a fault's file, which is deleted."""
    with _counting:
        found = value(case, name, repository)
        for file in (case / FOLDER / f"{name}.{repository}", case / FOLDER / name):
            file.unlink(missing_ok=True)
        return found


def be_silent(case: Path, name: str, repository: str) -> None:
    """Wait while the fault's file is there; then break off."""
    if value(case, name, repository) is None:
        return
    until = time.monotonic() + _SECONDS_OF_SILENCE
    while value(case, name, repository) is not None and time.monotonic() < until:
        time.sleep(0.05)
    raise ConnectionError(name)


def at(case: Path, moment: str, repository: str) -> None:
    """Run the script of a moment, if the case has one."""
    script = case / FOLDER / f"at.{moment}.{repository}"
    with _counting:
        if not script.exists():
            return
        script = script.rename(script.with_name(f"done.{moment}.{repository}"))
    subprocess.run(["sh", "-eu", script], check=True, stdin=subprocess.DEVNULL)
