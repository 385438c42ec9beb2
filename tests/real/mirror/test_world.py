"""The namespace that builds run in keeps itself clean."""

import subprocess
import time
from pathlib import Path

from tests.real.mirror.world import MirrorWorld


def _zombies(init: int) -> list[str]:
    """The dead children of the namespace's first process that nobody has waited for."""
    states = []
    for child in Path(f"/proc/{init}/task/{init}/children").read_text().split():
        try:
            states.append(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0])
        except FileNotFoundError:
            continue
    return [state for state in states if state == "Z"]


def test_what_a_build_leaves_running_does_not_stay_behind_when_it_ends(world: MirrorWorld) -> None:
    left = "sleep 0.2 & echo $!"
    said = subprocess.run([*world.enter(), "sh", "-c", left], stdout=subprocess.PIPE, text=True, check=True)
    assert said.stdout.strip().isdigit()
    deadline = time.monotonic() + 5
    time.sleep(0.4)
    while _zombies(world.init) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _zombies(world.init) == []
