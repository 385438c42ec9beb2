"""Data that a mirror build moves, and its time, by cache mode: `python -m benchmarks.mirror [--mb N ...] [--write]`.

The builds are real, as in tests/real/mirror: the synthesised buildspec between a real sshd and a real git http-backend,
in a network namespace (only root can make one). Every build starts from a copy of the same mirrored repository. Its
history has N MB of text that does not compress well, a tenth of it in the newest commit. Bytes are those that the
servers send and receive, and those of the cache's object. Seconds are without a network, so compare bytes first.
"""

import argparse
import itertools
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.real.mirror import world as worlds
from tests.real.mirror.codebuild import Build
from tests.real.mirror.projects import MODES, mirror_of, synthesised
from tests.real.mirror.world import MirrorBuildRun, MirrorWorld, Repository

TABLE = Path(__file__).with_suffix(".md")
COMMITS = 2000
FILES = 200
TAGS = 5000


@dataclass(frozen=True, kw_only=True)
class Row:
    """The bytes and seconds of one build."""

    history_mb: int
    change: str
    mode: str
    from_source: int
    from_target: int
    to_target: int
    from_cache: int
    to_cache: int
    seconds: float


def nothing(source: Repository) -> None:
    """No change, which a scheduled build finds most of the time."""


def a_commit(source: Repository) -> None:
    source.commit("refs/heads/main", {"0": text(random.Random("commit"), 10_000)})  # noqa: S311


def an_amended_commit(source: Repository) -> None:
    source.commit("refs/heads/main", {"0": "amended"}, parent=source.git("rev-parse", "main~1"))


def a_force_push_far_back(source: Repository) -> None:
    source.commit("refs/heads/main", {"0": "rewritten"}, parent=source.git("rev-parse", f"main~{COMMITS // 2}"))


def a_branch_off_a_recent_commit(source: Repository) -> None:
    source.commit("refs/heads/new", {"0": "new"}, parent=source.git("rev-parse", "main~20"))


def a_branch_off_an_old_commit(source: Repository) -> None:
    source.commit("refs/heads/new", {"0": "new"}, parent=source.git("rev-parse", f"main~{COMMITS * 3 // 4}"))


def five_thousand_tags(source: Repository) -> None:
    commits = itertools.cycle(source.git("rev-list", "main").splitlines())
    source.update({f"refs/tags/{number}": next(commits) for number in range(TAGS)})


CHANGES: dict[str, Callable[[Repository], None]] = {
    "nothing": nothing,
    "1 commit": a_commit,
    "force push, amended": an_amended_commit,
    f"force push, {COMMITS // 2} commits back": a_force_push_far_back,
    "branch off 20 commits back": a_branch_off_a_recent_commit,
    f"branch off {COMMITS * 3 // 4} commits back": a_branch_off_an_old_commit,
    f"{TAGS} tags": five_thousand_tags,
}


def main() -> int:
    """Measure, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure what a mirror build moves, by cache mode.")
    parser.add_argument("--mb", type=int, nargs="+", default=[10, 100, 500], help="MB of history (default: 10 100 500)")
    parser.add_argument("--write", action="store_true", help=f"also write the table to benchmarks/{TABLE.name}")
    arguments = parser.parse_args()

    worlds.tools()
    with tempfile.TemporaryDirectory(prefix="mirror") as folder, worlds.running(Path(folder)) as world:
        rows = [row for mb in arguments.mb for row in measure(world, mb)]
    table = render(rows)
    print(table, end="")
    if arguments.write:
        TABLE.write_text(table, encoding="utf-8")
    return 0


def measure(world: MirrorWorld, mb: int) -> Iterator[Row]:
    """Measure every change in every mode, on a history of that size."""
    projects = synthesised(world, world.folder / f"synthesised-{mb}")
    numbers = itertools.count()

    def named() -> str:
        return f"AKIA{mb}X{next(numbers)}"

    history = Repository.create(world.folder / f"history-{mb}.git")
    history.git("fast-import", "--quiet", stdin="".join(commits(mb)))
    history.git("repack", "-adq")
    for mode in MODES:
        before = mirror_of(world, named(), projects[mode])
        before.source.git("fetch", "--quiet", str(history.path), "main:main")
        yield row(mb, "the first build", mode, before, before.mirrors())
        for change, happens in CHANGES.items():
            mirror = mirror_of(world, named(), projects[mode])
            # Links are safe here, because Git never changes a file in place.
            mirror.case.become(before.case, copy=replace_by_link)
            happens(mirror.source)
            yield row(mb, change, mode, mirror, mirror.mirrors(ALLOW_DELETIONS="0"))


def replace_by_link(old: str, new: str) -> None:
    Path(new).unlink(missing_ok=True)
    Path(new).hardlink_to(old)


def row(mb: int, change: str, mode: str, mirror: MirrorBuildRun, build: Build) -> Row:
    from_source, from_target, to_target = mirror.case.traffic()
    print(f"{mb} MB, {change}, {mode}: {build.seconds:.1f} s", file=sys.stderr)
    return Row(
        history_mb=mb,
        change=change,
        mode=mode,
        from_source=from_source,
        from_target=from_target,
        to_target=to_target,
        from_cache=build.cache_bytes[0],
        to_cache=build.cache_bytes[1],
        seconds=build.seconds,
    )


def commits(mb: int) -> Iterator[str]:
    """A history for git fast-import: FILES files, then COMMITS commits that each write one of them anew."""
    chance = random.Random(mb)  # noqa: S311
    # Hexadecimal digits compress to about half their size.
    size = mb * 2_000_000 // (COMMITS + FILES)
    for number in range(COMMITS):
        names = range(FILES) if number == 0 else [number % FILES]
        yield "reset refs/heads/main\n" if number == 0 else ""
        yield f"commit refs/heads/main\ncommitter nobody <nobody@example.com> {1700000000 + number} +0000\ndata 1\nx\n"
        for name in names:
            yield f"M 100644 inline {name}\ndata {size}\n{text(chance, size)}\n"


def text(chance: random.Random, size: int) -> str:
    return chance.randbytes(size // 2 + 1).hex()[:size]


def render(rows: list[Row]) -> str:
    def mega(number: int) -> str:
        return f"{number / 1e6:.2f}"

    lines = [
        "| history | change | cache | from source | from target | to target | from cache | to cache | seconds |",
        "|--:|---|---|--:|--:|--:|--:|--:|--:|",
        *(
            f"| {row.history_mb} MB | {row.change} | {row.mode} | {mega(row.from_source)} | {mega(row.from_target)} | "
            f"{mega(row.to_target)} | {mega(row.from_cache)} | {mega(row.to_cache)} | {row.seconds:.1f} |"
            for row in sorted(rows, key=lambda row: (row.history_mb, [*CHANGES, "the first build"].index(row.change)))
        ),
        "",
        f"Bytes in MB (10^6). One build each, on {os.cpu_count()} CPUs, without a network between the ends: seconds "
        "say what Git and the build itself take. What an EFS copy reads and writes over NFS is not counted.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
