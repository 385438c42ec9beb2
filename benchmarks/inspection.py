"""Speed of the inspection of a pack beside `git index-pack`: `python -m benchmarks.inspection [--mb N] [--write]`.

Both read the same packs in full: one of large texts, one of small files and deltas. They take turns on one CPU, and the
middle one of their CPU times counts.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.mirror import commits
from buildspec.mirror.inspection import Inspector
from buildspec.mirror.model import Change, Push
from tests.real.mirror.world import Repository

TABLE = Path(__file__).with_suffix(".md")
TURNS = 3
SMALL = 20_000
_CHUNK = 65515  # what a packet of side-band-64k carries


def main() -> int:
    """Measure, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure how fast a pack is inspected, beside git index-pack.")
    parser.add_argument("--mb", type=int, default=50, help="size of the pack of large texts (default: 50)")
    parser.add_argument("--write", action="store_true", help=f"also write the table to benchmarks/{TABLE.name}")
    arguments = parser.parse_args()

    lines = ["| pack | size | objects | inspection | `git index-pack` | ratio |", "|---|--:|--:|--:|--:|--:|"]
    with tempfile.TemporaryDirectory(prefix="packs") as folder:
        large, small = (Repository.create(Path(folder) / name) for name in ("large", "small"))
        large.git("fast-import", "--quiet", stdin="".join(commits(arguments.mb)))
        small.history("refs/heads/main", SMALL)
        for name, repository in (("large texts", large), (f"{SMALL:,} small commits", small)):
            repository.git("repack", "-adq", "--no-write-bitmap-index")
            (pack,) = (repository.path / "objects" / "pack").glob("*.pack")
            tip = repository.refs()["refs/heads/main"].encode()
            turns = [(inspect(pack, tip), index(pack)) for _ in range(TURNS)]
            ours, git = (statistics.median(times) for times in zip(*turns, strict=True))
            number = int.from_bytes(pack.read_bytes()[8:12], "big")
            lines.append(
                f"| {name} | {pack.stat().st_size / 1e6:.1f} MB | {number:,} | {ours:.2f} s | {git:.2f} s | "
                f"{ours / git:.1f} |"
            )
    lines += [
        "",
        f"`python -m benchmarks.inspection`: CPU seconds, the middle of {TURNS}, on {os.cpu_count()} CPUs with a "
        f"load of {os.getloadavg()[0]:.0f}. It keeps commits' parents, as for moved branches.",
        "",
    ]
    table = "\n".join(lines)
    print(table, end="")
    if arguments.write:
        TABLE.write_text(table, encoding="utf-8")
    return 0


def inspect(pack: Path, tip: bytes) -> float:
    """CPU seconds of an inspection that looks for everything."""
    move = Change(b"refs/heads/main", b"1" * 40, tip)
    inspector = Inspector(Push((move,), frozenset({move})), lfs="refuse", permitted=1)
    began = time.process_time()
    with pack.open("rb") as file:
        while chunk := file.read(_CHUNK):
            inspector.feed(chunk)
    inspector.finish()
    return time.process_time() - began


def index(pack: Path) -> float:
    """CPU seconds of git index-pack, with one thread."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        command = ["git", "index-pack", "--threads=1", "-o", f"{folder}/index", str(pack)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
