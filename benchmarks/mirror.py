"""Data that a mirror build moves, its time and memory: `python -m benchmarks.mirror [--quick] [--write]`.

The builds are real, as in tests/real/mirror: the rendered buildspec between a real sshd and a real git http-backend, in
a network namespace (only root makes one). Every build starts from a copy of the same mirrored repository. Its history
has N MB of text that does not compress well, a tenth of it in the newest commit. Bytes are those that the servers send
and receive, and those of the cache's object. Seconds are without a network, so compare bytes first.

Beside the modes stand `warm`, which is `git fetch` and `git push` on a copy that lies there already, the least that Git
moves; and `original`, the same with the copy in an S3 cache, as the build did that this project replaced. `relay` and
`warm` take turns, and the middle one of their times counts.
"""

import argparse
import itertools
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import git_remote_codecommit  # type: ignore[import-untyped]
from botocore.credentials import Credentials  # type: ignore[import-untyped]

from tests.real.mirror import world as worlds
from tests.real.mirror.codebuild import Build
from tests.real.mirror.keys import REGION, SECRET_ACCESS_KEY
from tests.real.mirror.projects import MODES, unit_of
from tests.real.mirror.servers import SOURCE_HOST, SOURCE_USER
from tests.real.mirror.world import MirrorBuildRun, MirrorWorld, Repository

TABLE = Path(__file__).with_suffix(".md")
COMMITS = 2000
FILES = 200
TAGS = 5000
MANY_TAGS = 100_000
TAGS_OF_A_LETTER = 2500
TURNS = 3
WAYS = (*MODES, "warm", "original")
FIRST = "the first build"

# The program writes the most memory that it had as its last line.
_PEAK = {
    "sys.exit(main())": "status = main()\nimport resource\n"
    "print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\nsys.exit(status)"
}

_WARM = """
set -e
# The cache holds files alone, and a repository is none without this folder.
[ ! -e {copy} ] || mkdir -p {copy}/refs
export GIT_SSH_COMMAND="ssh -i {folder}/key -o UserKnownHostsFile={folder}/known_hosts -o BatchMode=yes"
began=$(date +%s%3N)
if [ ! -e {copy} ]; then git clone --quiet --mirror {source} {copy}
else git -C {copy} fetch --quiet --prune origin '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*'; fi
if [ "$(git -C {copy} tag | wc -l)" -le 4000 ]; then
  git -C {copy} push --quiet --prune {target} '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*'
else
  git -C {copy} push --quiet --prune {target} '+refs/heads/*:refs/heads/*'
  for letter in {letters}; do git -C {copy} push --quiet {target} "+refs/tags/$letter*:refs/tags/$letter*"; done
fi
echo "mirror: fetched and pushed: $(($(date +%s%3N) - began)) ms"
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """The bytes, seconds and memory of one build. `listing` is what the source's refs take, once.

    `transfer` are the seconds between both ends: without the start of the program, or of Git, and its AWS calls.
    """

    history_mb: int
    change: str
    way: str
    from_source: int
    from_target: int
    to_target: int
    from_cache: int
    to_cache: int
    seconds: float
    transfer: float
    connections: int
    listing: int
    peak_mb: float | None


def nothing(source: Repository) -> None:
    """No change, which a scheduled build finds most of the time."""


def a_commit(source: Repository) -> None:
    source.commit("refs/heads/main", {"0": text(random.Random("commit"), 10_000)})  # noqa: S311


def an_amended_commit(source: Repository) -> None:
    source.commit("refs/heads/main", {"0": "amended"}, parent=source.git("rev-parse", "main~1"))


def a_force_push_far_back(source: Repository) -> None:
    source.commit("refs/heads/main", {"0": "rewritten"}, parent=source.git("rev-parse", f"main~{COMMITS // 2}"))


def a_branch_off_an_old_commit(source: Repository) -> None:
    source.commit("refs/heads/new", {"0": "new"}, parent=source.git("rev-parse", f"main~{COMMITS * 3 // 4}"))


def tags(number: int) -> Callable[[Repository], None]:
    """So many tags, packed as a repository that has so many has them."""

    def happens(source: Repository) -> None:
        commits = itertools.cycle(source.git("rev-list", "main").splitlines())
        named = {f"refs/tags/{tag}": next(commits) for tag in tag_names(number)} | source.refs()
        lines = ["# pack-refs with: peeled fully-peeled sorted", *(f"{to} {ref}" for ref, to in sorted(named.items()))]
        (source.path / "packed-refs").write_text("\n".join([*lines, ""]))

    return happens


def tag_names(number: int) -> Iterator[str]:
    """Names of which no more begin with the same letters than a push may have."""
    return (f"{chr(97 + tag // TAGS_OF_A_LETTER % 26)}{tag // TAGS_OF_A_LETTER // 26}-{tag}" for tag in range(number))


CHANGES: dict[str, Callable[[Repository], None]] = {
    "nothing": nothing,
    "1 commit": a_commit,
    "force push, amended": an_amended_commit,
    f"force push, {COMMITS // 2} commits back": a_force_push_far_back,
    f"branch off {COMMITS * 3 // 4} commits back": a_branch_off_an_old_commit,
    f"{TAGS} tags": tags(TAGS),
}
# Only relayed, and only on the smallest history: git push looks each of them up in all of them.
MANY = f"{MANY_TAGS} tags"


def main() -> int:
    """Measure, print the tables, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure what a mirror build moves, beside Git itself.")
    parser.add_argument("--changes", type=int, nargs="+", help="numbers of the changes, from 0; leave others out")
    parser.add_argument("--mb", type=int, nargs="+", help="MB of history (default: 10 100 1000)")
    parser.add_argument("--ways", choices=WAYS, nargs="+", default=WAYS, help="leave others out")
    parser.add_argument("--quick", action="store_true", help="10 MB of history, two changes, no 100,000 tags")
    parser.add_argument("--write", action="store_true", help=f"also write the tables to benchmarks/{TABLE.name}")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="mirror") as folder, worlds.running(Path(folder)) as world:
        rows: list[Row] = []
        ways = Ways(world)
        for mb in arguments.mb or ([10] if arguments.quick else [10, 100, 1000]):
            numbers = arguments.changes or ([1, 2] if arguments.quick else range(len(CHANGES)))
            changes = {name: CHANGES[name] for number, name in enumerate(CHANGES) if number in numbers}
            for one in measure(world, ways, mb, changes, arguments.ways, many=not arguments.quick and not rows):
                rows.append(one)
                if arguments.write:  # at once, because a run takes hours, and may be cut short
                    TABLE.write_text(render(rows), encoding="utf-8")
    print(render(rows), end="")
    return 0


class Ways:
    """Makes units, and builds that go one of the ways between their ends."""

    def __init__(self, world: MirrorWorld) -> None:
        self._world = world
        self._numbers = itertools.count()

    def unit(self, way: str) -> MirrorBuildRun:
        mode = way if way in MODES else "s3" if way == "original" else "efs"
        unit = unit_of(self._world, f"ASIAWAY{next(self._numbers)}", mode, edits=_PEAK)
        return unit if way in MODES else self._git(unit, way)

    def _git(self, unit: MirrorBuildRun, way: str) -> MirrorBuildRun:
        folder = unit.case.folder
        (folder / "known_hosts").write_text(f"{self._world.host_key}\n")
        signed = Credentials(unit.case.name, SECRET_ACCESS_KEY, f"token/of+{unit.case.name}==")
        letters = dict.fromkeys(f"{name[0]}{name[1]}" for name in tag_names(TAGS))
        script = _WARM.format(
            folder=folder,
            copy="mirror.git" if way == "original" else unit.project.file_system / "website.git",
            source=f"{SOURCE_USER}@{SOURCE_HOST}:/WEB/website.git",
            target=f"'{git_remote_codecommit.git_url('website', 'v1', REGION, signed)}'",
            letters=" ".join(letters),
        )
        spec = unit.project.spec
        spec["phases"] = {"build": {"commands": [f"({script})"]}}
        spec["cache"] = {"paths": ["mirror.git/**/*"]}
        terraform = {**unit.project.terraform, "source": {"buildspec": json.dumps(spec).replace("${", "$${")}}
        return replace(unit, project=replace(unit.project, terraform=terraform))


def measure(
    world: MirrorWorld,
    ways: Ways,
    mb: int,
    changes: dict[str, Callable[[Repository], None]],
    chosen: Collection[str],
    *,
    many: bool,
) -> Iterator[Row]:
    """Measure every change by every chosen way, on a history of that size."""
    history = Repository.create(world.folder / f"history-{mb}.git")
    git = ["git", "-C", str(history.path)]
    with tempfile.TemporaryFile("w+") as stream:
        stream.writelines(commits(mb))
        stream.seek(0)
        subprocess.run([*git, "fast-import", "--quiet"], stdin=stream, check=True)  # noqa: S603
    subprocess.run([*git, "repack", "-adq"], check=True)  # noqa: S603
    before = {}
    for way in chosen:
        before[way] = ways.unit(way)
        before[way].source.git("fetch", "--quiet", str(history.path), "main:main")
        yield row(mb, FIRST, way, before[way], run(before[way]))
    for change, happens in changes.items():
        turns: dict[str, list[Row]] = {way: [] for way in chosen}
        for way in filter(turns.__contains__, (*MODES[1:], "original", *("relay", "warm") * TURNS)):
            turns[way].append(changed(ways, mb, change, way, before[way], happens))
        for found in turns.values():
            middle = {part: statistics.median(getattr(one, part) for one in found) for part in ("seconds", "transfer")}
            yield replace(found[-1], **middle)
    if many and "relay" in chosen:
        yield changed(ways, mb, MANY, "relay", before["relay"], tags(MANY_TAGS))


def changed(
    ways: Ways, mb: int, change: str, way: str, before: MirrorBuildRun, happens: Callable[[Repository], None]
) -> Row:
    unit = ways.unit(way)
    # Links are safe here, because Git never changes a file in place.
    unit.case.become(before.case, copy=replace_by_link)
    happens(unit.source)
    return row(mb, change, way, unit, run(unit))


def run(unit: MirrorBuildRun) -> Build:
    build = unit.project.start().wait(3600)
    if not build.succeeded or unit.target.refs() != unit.case.pair.wanted():
        raise SystemExit(build.log)
    return build


def replace_by_link(old: str, new: str) -> None:
    Path(new).unlink(missing_ok=True)
    Path(new).hardlink_to(old)


def row(mb: int, change: str, way: str, unit: MirrorBuildRun, build: Build) -> Row:
    connections = unit.case.connections()
    from_source, from_target, to_target = unit.case.traffic()
    peak = re.search(r"^peak (\d+)$", build.log, re.MULTILINE)
    print(f"{mb} MB, {change}, {way}: {build.seconds:.1f} s", file=sys.stderr)
    return Row(
        history_mb=mb,
        change=change,
        way=way,
        from_source=from_source,
        from_target=from_target,
        to_target=to_target,
        from_cache=build.cache_bytes[0],
        to_cache=build.cache_bytes[1],
        seconds=build.seconds,
        transfer=sum(map(int, re.findall(r"^mirror: .* (\d+) ms$", build.log, re.MULTILINE))) / 1000,
        connections=connections,
        listing=len(unit.source.git("upload-pack", "--advertise-refs", ".")),
        peak_mb=int(peak[1]) / 1024 if peak else None,
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
    def mega(number: float) -> str:
        return f"{number / 1e6:.2f}"

    order = [FIRST, *CHANGES, MANY]
    rows = sorted(rows, key=lambda row: (row.history_mb, order.index(row.change), WAYS.index(row.way)))
    lines = [
        "Relayed beside `git fetch` and `git push` on a warm copy, in one run. Bytes in are without lists of refs. "
        "Time is that of both ends; a whole build also fetches and starts the program, and reads the SSH key.",
        "",
        "| history | change | bytes in, relay | warm | bytes out, relay | warm | time, relay | warm | build, relay "
        "| warm | memory |",
        "|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    by_key = {(row.history_mb, row.change, row.way): row for row in rows}
    for (mb, change, way), relay in by_key.items():
        warm = by_key.get((mb, change, "warm"))
        if way == "relay" and warm:
            lines.append(
                f"| {mb} MB | {change} | {pack(relay):,} | {pack(warm):,} | {relay.to_target:,} | {warm.to_target:,} | "
                f"{relay.transfer:.2f} s | {warm.transfer:.2f} s | {relay.seconds:.1f} s | {warm.seconds:.1f} s | "
                f"{relay.peak_mb or 0:.0f} MiB |"
            )
    lines += [
        "",
        "| history | change | way | from source | from target | to target | from cache | to cache | seconds | memory |",
        "|--:|---|---|--:|--:|--:|--:|--:|--:|--:|",
        *(
            f"| {row.history_mb} MB | {row.change} | {row.way} | {mega(row.from_source)} | {mega(row.from_target)} | "
            f"{mega(row.to_target)} | {mega(row.from_cache)} | {mega(row.to_cache)} | {row.seconds:.1f} | "
            f"{'' if row.peak_mb is None else f'{row.peak_mb:.0f} MiB'} |"
            for row in rows
        ),
        "",
        f"Bytes in MB (10^6). One build each ({TURNS} of `relay` and of `warm`), on {os.cpu_count()} CPUs, without a "
        "network between the ends: seconds say what Git and the build itself take. What an EFS copy reads and writes "
        "over NFS is not counted. Memory is the most that the program itself had.",
        "",
        f"`python -m benchmarks.mirror {' '.join(sys.argv[1:])}`, with a load of {os.getloadavg()[0]:.0f} at its end.",
        "",
    ]
    return "\n".join(lines)


def pack(row: Row) -> int:
    """The bytes that came from the source, without its lists of refs."""
    return row.from_source - row.connections * row.listing


if __name__ == "__main__":
    sys.exit(main())
