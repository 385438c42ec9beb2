"""Time of a reconcile of mirrors that are equal: `python -m benchmarks.reconcile [--mirrors N] [--ms N] [--write]`.

The build is real, as in tests/real/mirror: the rendered buildspec between a real sshd and a real git http-backend, in a
network namespace (only root makes one). The servers are 50 ms away in each direction, by `benchmarks.distance`. All of
them run on this machine's CPUs too, so the table says how much CPU the build had of its own.
"""

import argparse
import contextlib
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.distance import away
from tests.real.mirror import world as worlds
from tests.real.mirror.projects import unit_of
from tests.real.mirror.world import MirrorBuildRun, MirrorWorld

TABLE = Path(__file__).with_suffix(".md")
BRANCHES, TAGS = 10, 100

# The program writes the CPU seconds of itself and of its ssh processes, and its most memory, as its last line.
_USAGE = {
    "sys.exit(main())": "status = main()\nfrom resource import *\n"
    "own, ssh = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)\n"
    "print('usage', own.ru_utime + own.ru_stime, ssh.ru_utime + ssh.ru_stime, own.ru_maxrss)\nsys.exit(status)"
}


def main() -> int:
    """Measure, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure a reconcile of mirrors that are equal.")
    parser.add_argument("--mirrors", type=int, default=1000)
    parser.add_argument("--ms", type=int, default=50, help="how long a segment takes each way (default: 50)")
    parser.add_argument("--write", action="store_true", help=f"also write the table to benchmarks/{TABLE.name}")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="mirror") as folder, worlds.running(Path(folder)) as world:
        unit = equal_pairs(world, arguments.mirrors)
        with away(world, arguments.ms):
            before = cpu_seconds_of_servers(world)
            build = unit.project.start().wait(3600)
            servers = cpu_seconds_of_servers(world) - before
        if not build.succeeded:
            raise SystemExit(build.log[-5000:])
        waits = unit.case.connections()
    usage = re.search(r"^usage (\S+) (\S+) (\d+)$", build.log, re.MULTILINE)
    if not usage:
        raise SystemExit(build.log[-5000:])
    own, ssh, peak = map(float, usage.groups())
    table = "\n".join(
        [
            "| equal mirrors | each way | seconds | CPU of the program | of its ssh | of servers and proxy | memory |",
            "|--:|--:|--:|--:|--:|--:|--:|",
            f"| {arguments.mirrors:,} | {arguments.ms} ms | {build.seconds:.0f} | "
            f"{own:.0f} s | {ssh:.0f} s | {servers:.0f} s | {peak / 1024:.0f} MiB |",
            "",
            f"`python -m benchmarks.reconcile`: one build on {os.cpu_count()} CPUs that its servers share, with a load "
            f"of {os.getloadavg()[0]:.0f} at its end. Each end has {BRANCHES + 1} branches and {TAGS} tags. The source "
            f"was asked {waits:,} times.",
            "",
        ]
    )
    print(table, end="")
    if arguments.write:
        TABLE.write_text(table, encoding="utf-8")
    return 0


def cpu_seconds_of_servers(world: MirrorWorld) -> float:
    """What the processes of the namespace, and those that ended there, have used."""
    ours, ticks = os.readlink(f"/proc/{world.init}/ns/net"), 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(process / "ns" / "net") == ours:
                ticks += sum(map(int, (process / "stat").read_text().rpartition(") ")[2].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def equal_pairs(world: MirrorWorld, mirrors: int) -> MirrorBuildRun:
    """A unit of so many mirrors. Each has the same content."""
    projects = {f"mirror-{number}": f"PROJECT_{number // 10}" for number in range(mirrors)}
    unit = unit_of(world, "ASIARECONCILE", projects=projects, edits=_USAGE)
    first = unit.case.pair
    commit = first.source.commit("refs/heads/main")
    names = [f"heads/{number}" for number in range(BRANCHES)] + [f"tags/{number}" for number in range(TAGS)]
    first.source.update(dict.fromkeys((f"refs/{name}" for name in names), commit))
    first.source.git("pack-refs", "--all")
    for pair in unit.case.pairs.values():
        for end in (pair.source, pair.target):
            if end != first.source:
                shutil.copytree(first.source.path, end.path, dirs_exist_ok=True)
    return unit


if __name__ == "__main__":
    sys.exit(main())
