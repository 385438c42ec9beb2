"""Passes of one mirror between ends in memory, for the tests of a mirror."""

import io

from buildspec.mirror.guards import Build
from buildspec.mirror.mirror import Mirror, Outcome, Rules
from buildspec.mirror.model import Limits
from buildspec.mirror.report import Log
from tests.buildspec.mirror.memory_ends import MemoryEnds

LIMITS = Limits(max_lost_percent=50, max_rewritten_percent=50)
BUILD = Build("example", "website")
MAIN = b"refs/heads/main"


def run(
    ends: MemoryEnds, *, transfer: str = "relay", lfs: str = "refuse", limits: Limits = LIMITS
) -> tuple[Outcome, list[str]]:
    stream = io.StringIO()
    rules = Rules(limits, BUILD, transfer=transfer, lfs=lfs, pause=0)
    outcome = Mirror(ends, rules, Log(stream)).run()
    lines = stream.getvalue().splitlines()
    assert all(line.startswith("mirror: ") for line in lines)
    return outcome, [line.removeprefix("mirror: ") for line in lines]


def is_equal(ends: MemoryEnds) -> bool:
    return ends.target.refs == ends.source.refs and ends.target.default == ends.source.default


def fail_at(ends: MemoryEnds, step: str, errors: list[Exception]) -> None:
    def before(name: str) -> None:
        if name == step and errors:
            raise errors.pop(0)

    ends.before = before


def mirrored() -> MemoryEnds:
    """Ends that are equal: three branches and two tags."""
    ends = MemoryEnds()
    first = ends.source.commit(MAIN)
    ends.source.commit(MAIN, first)
    ends.source.commit(b"refs/heads/old", first)
    ends.source.commit(b"refs/heads/feature/a", first)
    ends.source.refs[b"refs/tags/v1"] = first
    ends.source.refs[b"refs/tags/v2"] = ends.source.refs[MAIN]
    outcome, _ = run(ends)
    assert outcome.equal
    ends.steps.clear()
    return ends
