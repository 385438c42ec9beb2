"""Time to synthesise and to plan a bridge of many mirrors: `python -m benchmarks.many_mirrors [--write]`.

Each synthesis is a process of its own, in a new folder. Terraform plans against the emulated AWS: once with nothing
there, and once more after it was applied, when it reads every resource first. `--file FILE` only writes the deployment.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from ops.rehearse.prerequisites import Prerequisites
from ops.rehearse.stacks import read
from tests.ops.rehearse.one_stack import emulated

TABLE = Path(__file__).with_suffix(".md")
TURNS = 3
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPDx8vP09fb3+Pn6+/z9/v8AAQIDBAUGBwgJCgsMDQ4P"


def deployment(mirrors: int, spaces: int) -> dict[str, Any]:
    """A deployment file's content: as many mirrors in as many spaces, ten in each Backlog project."""
    names = [f"space-{number}" for number in range(spaces)]
    repositories = {
        f"repository-{number:04}": {
            "space": names[number % spaces],
            "project": f"PROJECT_{number // (10 * spaces)}",
            "repository": f"repository-{number:04}",
            "target": {"create": f"repository-{number:04}"},
        }
        for number in range(mirrors)
    }
    return {
        "name": "many",
        "owner": "platform-team",
        "region": "ap-northeast-1",
        "prd": {
            "account": {"id": "222222222222"},
            "backlog": {
                "spaces": {
                    name: {
                        "domain": "backlog.jp",
                        "known_hosts": [f"{name}.git.backlog.jp {_KEY}"],
                        "ssh_key_parameter": f"/kakehashi/backlog/{name}/ssh-key",
                    }
                    for name in names
                },
                "repositories": repositories,
                "webhook": {"sender_cidrs": ["192.0.2.16/28", "192.0.2.64/28"]},
            },
        },
    }


def main() -> int:
    """Measure, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure the synthesis and the plan of a bridge of many mirrors.")
    parser.add_argument("--mirrors", type=int, default=1_000)
    parser.add_argument("--spaces", type=int, default=5)
    parser.add_argument("--file", type=Path, help="write the deployment to this file, and measure nothing")
    parser.add_argument("--write", action="store_true", help=f"also write the table to benchmarks/{TABLE.name}")
    arguments = parser.parse_args()
    content = json.dumps(deployment(arguments.mirrors, arguments.spaces))
    if arguments.file:
        arguments.file.write_text(content, encoding="utf-8")
        return 0

    rows: list[str] = []
    with tempfile.TemporaryDirectory(prefix="many-") as folder:
        synthesised = [_synthesised(Path(folder) / str(turn), content) for turn in range(TURNS)]
        wall, cpu = (statistics.median(column) for column in zip(*synthesised, strict=True))
        rows.append(f"synthesis, the middle one of {TURNS} | {wall:.1f} s | {cpu:.1f} s |")
        out = Path(folder) / "0" / "cdktf.out"
        for what, seconds in _planned(out, Path(folder)):
            rows.append(f"{what} | {seconds:.1f} s | |")
        (stack,) = read(out)
        types = Counter({type_: len(named) for type_, named in stack.document["resource"].items()})
    repositories = types["aws_codecommit_repository"]
    table = "\n".join(
        [
            f"| {arguments.mirrors:,} mirrors of {arguments.spaces} spaces | wall clock | CPU |",
            "|---|--:|--:|",
            *(f"| {row}" for row in rows),
            "",
            f"`python -m benchmarks.many_mirrors`, on {os.cpu_count()} CPUs with a load of {os.getloadavg()[0]:.0f} "
            f"at its end. The stack has {repositories:,} repositories and {types.total() - repositories:,} other "
            "resources.",
            "",
        ]
    )
    print(table, end="")
    if arguments.write:
        TABLE.write_text(table, encoding="utf-8")
    return 0


def _synthesised(folder: Path, content: str) -> tuple[float, float]:
    """The seconds and the CPU seconds of one synthesis into `folder`."""
    folder.mkdir()
    file = folder / "many.yaml"
    file.write_text(content, encoding="utf-8")
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([sys.executable, "main.py", "synth", str(file)], check=True, capture_output=True)  # noqa: S603
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _planned(out: Path, folder: Path) -> list[tuple[str, float]]:
    """The seconds of each run of Terraform against the emulated AWS."""
    with emulated(out, folder, Prerequisites(region="ap-northeast-1")) as bridge:
        times = []
        for what, run in (
            ("plan, with nothing there", bridge.plan),
            ("apply", bridge.apply),
            ("plan, with everything there", bridge.plan),
        ):
            began = time.monotonic()
            run()
            times.append((what, time.monotonic() - began))
    return times


if __name__ == "__main__":
    sys.exit(main())
