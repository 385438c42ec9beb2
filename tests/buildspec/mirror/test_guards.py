"""What one build may lose and rewrite, however the source changes between its passes."""

import io
from collections.abc import Callable

import pytest

from buildspec.mirror.failures import StoppedError
from buildspec.mirror.guards import Build, Guards
from buildspec.mirror.mirror import Mirror, Outcome, Rules
from buildspec.mirror.model import Limits, Listing
from buildspec.mirror.report import Log
from tests.buildspec.mirror.memory_ends import MemoryEnds

BUILD = Build("example", "website")
LIMITS = Limits(max_lost_percent=50, max_rewritten_percent=50)


def _branch(number: int) -> bytes:
    return b"refs/heads/b%03d" % number


def _run(ends: MemoryEnds, transfer: str = "relay", limits: Limits = LIMITS) -> Outcome:
    return Mirror(ends, Rules(limits, BUILD, transfer=transfer, pause=0), Log(io.StringIO())).run()


def _equal(branches: int, tags: int = 0) -> MemoryEnds:
    ends = MemoryEnds()
    for number in range(branches):
        ends.source.commit(_branch(number))
    for number in range(tags):
        ends.source.refs[b"refs/tags/v%03d" % number] = ends.source.refs[_branch(0)]
    assert _run(ends).equal
    return ends


def _at_each_listing(ends: MemoryEnds, change: Callable[[int], None]) -> None:
    """Change the source before each of its listings: `change` is called with the number of the pass."""
    passes = 0

    def before(step: str) -> None:
        nonlocal passes
        if step == "list source":
            change(passes)
            passes += 1

    ends.before = before


def _delete_half(ends: MemoryEnds) -> None:
    left = sorted(ends.source.refs)
    for ref in left[(len(left) + 1) // 2 :]:
        del ends.source.refs[ref]


@pytest.mark.parametrize("transfer", ["relay", "copy"])
def test_a_source_that_halves_before_each_pass_loses_half_in_a_build(transfer: str) -> None:
    ends = _equal(100)
    _at_each_listing(ends, lambda _: _delete_half(ends))
    outcome = _run(ends, transfer)
    assert outcome.final
    assert outcome.reason.startswith(
        "the source lacks 75 of the target's 100 branches, more than 50 %; what this build "
    )
    assert outcome.reason.endswith("name=ALLOW_DELETIONS,value=75")
    assert len(ends.target.refs) == 50


def test_what_one_pass_deleted_and_another_made_again_stays_lost() -> None:
    ends = _equal(40)

    def change(number: int) -> None:
        if number < 2:
            for branch in range(40):
                if branch // 20 == number:
                    del ends.source.refs[_branch(branch)]
                else:
                    ends.source.commit(_branch(branch))

    _at_each_listing(ends, change)
    assert "the source lacks 40 of the target's 40 branches" in _run(ends).reason


@pytest.mark.parametrize("transfer", ["relay", "copy"])
def test_a_source_that_rewrites_some_branches_before_each_pass_rewrites_half_in_a_build(transfer: str) -> None:
    ends = _equal(100)
    first = dict(ends.target.refs)

    def change(number: int) -> None:
        for branch in range(number * 11, min(number * 11 + 11, 99)):
            ends.source.commit(_branch(branch))

    _at_each_listing(ends, change)
    outcome = _run(ends, transfer)
    assert outcome.final
    assert outcome.reason.startswith(
        "the source rewrote 55 of the target's 100 branches (44 of them may have been in earlier passes of this build)"
    )
    assert outcome.reason.endswith("name=ALLOW_REWRITES,value=55")
    assert sum(ends.target.refs[ref] != commit for ref, commit in first.items()) == 44


def test_branches_that_only_grow_may_all_move_in_a_build() -> None:
    ends = _equal(60)

    def change(number: int) -> None:
        for branch in range(number * 20, min(number * 20 + 20, 60)):
            ends.source.commit(_branch(branch), ends.source.refs[_branch(branch)])

    _at_each_listing(ends, change)
    assert _run(ends).equal


def test_what_a_copy_has_proved_does_not_count_in_later_passes() -> None:
    ends = _equal(60)

    def change(number: int) -> None:
        for branch in range(60 if number == 0 else 25 * (number == 1)):
            parent = ends.source.refs[_branch(branch)] if number == 0 else None
            ends.source.commit(_branch(branch), parent)

    _at_each_listing(ends, change)
    assert _run(ends, "copy").equal


def test_many_tags_make_no_loss_of_branches_look_small() -> None:
    ends = _equal(20, tags=200)
    for number in range(1, 20):
        del ends.source.refs[_branch(number)]
    assert _run(ends).reason.startswith("the source lacks 19 of the target's 20 branches, more than 50 %")
    assert len(ends.target.refs) == 220


def test_names_both_kinds_that_are_lost() -> None:
    ends = _equal(20, tags=30)
    for ref in sorted(ends.source.refs):
        if ref != _branch(0):
            del ends.source.refs[ref]
    outcome = _run(ends)
    assert "the source lacks 19 of the target's 20 branches and 30 of the target's 30 tags" in outcome.reason
    assert outcome.reason.endswith("name=ALLOW_DELETIONS,value=30")
    assert _run(ends, limits=Limits(50, 50, allow_deletions=30)).equal


def test_moved_tags_count_as_rewritten() -> None:
    ends = _equal(40, tags=16)
    before = dict(ends.target.refs)
    tip = ends.source.commit(_branch(0), ends.source.refs[_branch(0)])
    for ref in before:
        if ref.startswith(b"refs/tags/"):
            ends.source.refs[ref] = tip
    outcome = _run(ends)
    assert outcome.reason.startswith("the source moved 16 of the target's 16 tags, more than 50 %; nothing was pushed.")
    assert outcome.reason.endswith("name=ALLOW_REWRITES,value=16")
    assert ends.target.refs == before
    assert _run(ends, limits=Limits(50, 50, allow_rewrites=16)).equal


def test_tags_that_move_in_several_passes_are_counted_together() -> None:
    ends = _equal(1, tags=40)

    def change(number: int) -> None:
        for tag in range(number * 8, min(number * 8 + 8, 40)):
            ends.source.commit(b"refs/tags/v%03d" % tag)

    _at_each_listing(ends, change)
    assert "the source moved 24 of the target's 40 tags (16 of them may have been" in _run(ends).reason


def test_what_another_build_filled_meanwhile_is_guarded_too() -> None:
    guards = Guards(LIMITS, BUILD)
    one = Listing({_branch(0): b"1" * 40})
    guards.check(one, Listing({}))
    with pytest.raises(StoppedError, match="lacks 19 of the target's 20 branches"):
        guards.check(one, Listing({_branch(number): b"1" * 40 for number in range(20)}))
