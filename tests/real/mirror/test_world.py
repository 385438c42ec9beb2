"""No processes remain in the namespace that builds run in."""

import subprocess
import time
from pathlib import Path

from tests.real.mirror.world import MirrorWorld


def _zombies(init: int) -> list[str]:
    """States of the namespace's dead processes that its first process has not waited for."""
    states = []
    for child in Path(f"/proc/{init}/task/{init}/children").read_text().split():
        try:
            states.append(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0])
        except FileNotFoundError:
            continue
    return [state for state in states if state == "Z"]


def test_no_zombie_remains_of_a_process_that_a_build_left_running(world: MirrorWorld) -> None:
    left = "sleep 0.2 & echo $!"
    run = subprocess.run([*world.enter(), "sh", "-c", left], stdout=subprocess.PIPE, text=True, check=True)
    assert run.stdout.strip().isdigit()
    deadline = time.monotonic() + 5
    time.sleep(0.4)
    while _zombies(world.init) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _zombies(world.init) == []
