"""What a pass does not push: content of Git LFS, and what would delete or rewrite much without permission."""

import pytest

from buildspec.mirror.failures import (
    LookNeededError,
    NotLookedAtError,
    UnreachableError,
)
from buildspec.mirror.model import Limits
from tests.buildspec.mirror.memory_ends import MemoryEnds
from tests.buildspec.mirror.passes import MAIN, fail_at, mirrored, run


def test_git_lfs_is_refused_after_a_precise_look() -> None:
    ends = mirrored()
    before = dict(ends.target.refs)
    ends.lfs.add(ends.source.commit(MAIN, ends.source.refs[MAIN]))
    fail_at(ends, "relay", [LookNeededError("the pack may use Git LFS")])
    outcome, _ = run(ends)
    assert outcome.final
    assert outcome.reason.startswith("the source uses Git LFS (a/.gitattributes), whose content")
    assert ends.target.refs == before


def test_git_lfs_is_only_warned_of_where_that_is_wanted() -> None:
    ends = mirrored()
    ends.lfs.add(ends.source.commit(MAIN, ends.source.refs[MAIN]))
    outcome, lines = run(ends, transfer="copy", lfs="warn")
    assert outcome.equal
    assert any(line.startswith("WARNING: the source uses Git LFS (a/.gitattributes)") for line in lines)


@pytest.mark.parametrize("lfs", ["refuse", "warn"])
def test_history_that_was_not_looked_at_is_not_known_to_be_without_git_lfs(lfs: str) -> None:
    ends = mirrored()
    before = dict(ends.target.refs)
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    fail_at(ends, "uses_lfs", [NotLookedAtError("it takes too long")])
    outcome, lines = run(ends, transfer="copy", lfs=lfs)
    said = "the history could not be looked at for Git LFS, whose content the target cannot hold: it takes too long"
    if lfs == "refuse":
        assert outcome.final
        assert outcome.reason.startswith(f"{said}; nothing was pushed. ")
        assert ends.target.refs == before
    else:
        assert outcome.equal
        assert f"WARNING: {said}" in lines


@pytest.mark.parametrize("transfer", ["relay", "copy"])
@pytest.mark.parametrize("allowed", [0, 16])
def test_rewriting_most_branches_needs_permission(allowed: int, transfer: str) -> None:
    ends = MemoryEnds()
    for number in range(16):
        ends.source.commit(b"refs/heads/b%02d" % number)
    assert run(ends)[0].equal
    before = dict(ends.target.refs)
    for ref in ends.source.refs:
        ends.source.commit(ref)
    limits = Limits(max_lost_percent=50, max_rewritten_percent=50, allow_rewrites=allowed)
    outcome, _ = run(ends, transfer=transfer, limits=limits)
    assert outcome.equal == bool(allowed)
    if not allowed:
        assert outcome.final
        assert "name=ALLOW_REWRITES,value=16" in outcome.reason
        assert ends.target.refs == before


def test_rewritten_branches_are_counted_over_all_pushes_of_a_pass() -> None:
    ends = MemoryEnds()
    for number in range(40):
        ends.source.commit(b"refs/heads/b%02d" % number)
    assert run(ends)[0].equal
    for ref in ends.source.refs:
        ends.source.commit(ref)
    before = dict(ends.target.refs)
    limits = Limits(max_lost_percent=50, max_rewritten_percent=50, changes_per_push=10)
    outcome, _ = run(ends, limits=limits)
    assert "the source rewrote 40 of the target's 40 branches" in outcome.reason
    assert "; nothing was pushed. " in outcome.reason
    assert ends.target.refs == before


def test_a_guard_that_stops_a_later_push_says_that_something_was_pushed() -> None:
    ends = MemoryEnds()
    for number in range(40):
        ends.source.commit(b"refs/heads/b%02d" % number)
    assert run(ends)[0].equal
    for number, (ref, commit) in enumerate(sorted(ends.source.refs.items())):
        ends.source.commit(ref, commit if number < 10 else None)
    limits = Limits(max_lost_percent=50, max_rewritten_percent=50, changes_per_push=10)
    outcome, _ = run(ends, limits=limits)
    assert "the source rewrote 30 of the target's 40 branches" in outcome.reason
    assert "; what this build pushed before stays at the target. If that is right, " in outcome.reason
    assert "nothing" not in outcome.reason
    assert sum(ends.target.refs[ref] == ends.source.refs[ref] for ref in ends.source.refs) == 10


@pytest.mark.parametrize("errors", [[], [UnreachableError("the target broke off")]])
def test_a_guard_that_stops_a_later_pass_says_that_something_may_have_been_pushed(errors: list[Exception]) -> None:
    ends = mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])

    def before(step: str) -> None:
        if step == "relay":
            ends.source.refs.clear()
            if errors:
                raise errors.pop()

    ends.before = before
    outcome, _ = run(ends)
    assert outcome.reason.startswith("the source has no branch; what this build pushed before stays at the target. ")


def test_moving_every_branch_forward_needs_no_permission() -> None:
    ends = MemoryEnds()
    for number in range(16):
        ends.source.commit(b"refs/heads/b%02d" % number)
    assert run(ends)[0].equal
    for ref, commit in list(ends.source.refs.items()):
        ends.source.commit(ref, commit)
    outcome, _ = run(ends, transfer="copy")
    assert outcome.equal
    assert ends.steps.count("contains") == 16


def test_an_emptied_source_empties_nothing() -> None:
    ends = mirrored()
    before = dict(ends.target.refs)
    ends.source.refs.clear()
    outcome, _ = run(ends)
    assert outcome.final
    assert outcome.reason.startswith("the source has no branch; nothing was pushed")
    assert ends.target.refs == before
