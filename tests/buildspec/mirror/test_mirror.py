"""The passes of one mirror, between ends in memory."""

import io
import random
from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from buildspec.mirror.aws import AwsRefusedError
from buildspec.mirror.failures import (
    LookNeededError,
    NotLookedAtError,
    RelayRefusedError,
    SourceUnreachableError,
    UnreachableError,
    cause_of,
)
from buildspec.mirror.guards import Build
from buildspec.mirror.mirror import Mirror, Outcome, Rules
from buildspec.mirror.model import Change, Limits
from buildspec.mirror.report import Log
from buildspec.mirror.retries import FinalError
from tests.buildspec.mirror.memory_ends import MemoryEnds, Repository
from tests.cases import EVERY

LIMITS = Limits(max_lost_percent=50, max_rewritten_percent=50)
BUILD = Build("example", "website")
MAIN = b"refs/heads/main"


def _run(
    ends: MemoryEnds, *, transfer: str = "relay", lfs: str = "refuse", limits: Limits = LIMITS
) -> tuple[Outcome, list[str]]:
    stream = io.StringIO()
    rules = Rules(limits, BUILD, transfer=transfer, lfs=lfs, pause=0)
    outcome = Mirror(ends, rules, Log(stream)).run()
    lines = stream.getvalue().splitlines()
    assert all(line.startswith("mirror: ") for line in lines)
    return outcome, [line.removeprefix("mirror: ") for line in lines]


def _equal(ends: MemoryEnds) -> bool:
    return ends.target.refs == ends.source.refs and ends.target.default == ends.source.default


def _fail_at(ends: MemoryEnds, step: str, errors: list[Exception]) -> None:
    def before(name: str) -> None:
        if name == step and errors:
            raise errors.pop(0)

    ends.before = before


def _mirrored() -> MemoryEnds:
    """Ends that are equal: three branches and two tags."""
    ends = MemoryEnds()
    first = ends.source.commit(MAIN)
    ends.source.commit(MAIN, first)
    ends.source.commit(b"refs/heads/old", first)
    ends.source.commit(b"refs/heads/feature/a", first)
    ends.source.refs[b"refs/tags/v1"] = first
    ends.source.refs[b"refs/tags/v2"] = ends.source.refs[MAIN]
    outcome, _ = _run(ends)
    assert outcome.equal
    ends.steps.clear()
    return ends


def test_an_empty_target_becomes_equal() -> None:
    ends = _mirrored()
    assert _equal(ends)


def test_equal_ends_cost_one_listing_of_each_and_the_default_branch() -> None:
    ends = _mirrored()
    outcome, lines = _run(ends)
    assert ends.steps == ["list target", "read default", "list source"]
    assert outcome == Outcome(equal=True, compared=True, refs=5, bytes_in=100, bytes_out=100)
    assert lines[-1] == "done: the target has the source's 5 refs"


def test_two_empty_ends_are_equal() -> None:
    outcome, _ = _run(MemoryEnds())
    assert outcome.equal


def test_the_default_branch_follows_when_nothing_else_differs() -> None:
    ends = _mirrored()
    ends.source.default = b"refs/heads/old"
    outcome, lines = _run(ends)
    assert outcome.equal
    assert _equal(ends)
    assert "relay" not in ends.steps
    assert lines[3].startswith("changed the default branch from main to old: ")


def test_says_what_differs_and_what_moved() -> None:
    ends = _mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    del ends.source.refs[b"refs/heads/old"]
    outcome, lines = _run(ends)
    assert outcome.equal
    assert lines[2] == "the target lacks 1 ref, and has 1 that is gone"
    assert lines[3].startswith("relayed 1 new or moved ref: 100 bytes in, 100 bytes out, ")
    assert lines[4].startswith("relayed 1 deletion: 100 bytes in, 100 bytes out, ")


REF = st.sampled_from([b"refs/heads/%b" % name for name in (b"main", b"a", b"a/b", b"a/b/c", b"b", b"b/a")]) | st.just(
    b"refs/tags/v"
)


def _some_repository(random: random.Random, source: Repository) -> None:
    """Another state of the source: refs created, moved, rewritten and deleted."""
    for ref in (
        b"refs/heads/main",
        b"refs/heads/a",
        b"refs/heads/a/b",
        b"refs/heads/b",
        b"refs/heads/b/a",
        b"refs/tags/v",
    ):
        if any(ref.startswith(other + b"/") or other.startswith(ref + b"/") for other in source.refs):
            continue
        kind = random.randrange(4)
        if kind == 0:
            source.refs.pop(ref, None)
        elif kind == 1:
            source.commit(ref, source.refs.get(ref))
        elif kind == 2:
            source.commit(ref, random.choice(sorted(source.refs.values())) if source.refs else None)
    heads = [ref for ref in source.refs if ref.startswith(b"refs/heads/")]
    if not heads:
        source.commit(MAIN)
        heads = [MAIN]
    source.default = random.choice(heads)


@settings(max_examples=3000 // EVERY, deadline=None)
@given(
    st.randoms(use_true_random=False),
    st.sampled_from(["relay", "copy"]),
    st.dictionaries(REF, st.just("hook declined"), max_size=3),
)
def test_whatever_is_refused_everything_else_arrives(
    random: random.Random, transfer: str, refuses: dict[bytes, str]
) -> None:
    ends = MemoryEnds()
    _some_repository(random, ends.source)
    _run(ends)
    ends.refuses = refuses
    for _ in range(3):
        _some_repository(random, ends.source)
    outcome, lines = _run(ends, transfer=transfer)
    differ = {
        ref
        for ref in ends.source.refs.keys() | ends.target.refs.keys()
        if ends.source.refs.get(ref) != ends.target.refs.get(ref)
    }
    assert outcome.equal == _equal(ends)
    if not outcome.equal and "nothing was pushed" not in outcome.reason:
        assert outcome.final
        assert outcome.reason.startswith("the target refuses ")
        assert outcome.reason.endswith("; everything else is equal")
        assert lines[-1] == outcome.reason
        for ref in differ:
            assert ref.decode() in outcome.reason
            assert ends.change(Change(ref, ends.target.refs.get(ref), ends.source.refs.get(ref))) is not None


def test_a_refused_ref_is_pushed_once_and_named_with_its_reason() -> None:
    ends = _mirrored()
    ends.source.commit(b"refs/heads/" + b"a" * 40)
    ends.source.commit(b"refs/tags/new", ends.source.refs[MAIN])
    del ends.source.refs[b"refs/tags/v1"]
    ends.source.default = b"refs/heads/old"
    ends.refuses = {b"refs/heads/" + b"a" * 40: "a branch is no id"}
    outcome, _ = _run(ends)
    assert outcome.reason == f"the target refuses refs/heads/{'a' * 40}: a branch is no id; everything else is equal"
    assert outcome.final
    assert ends.target.default == b"refs/heads/old"
    assert ends.target.refs.keys() == ends.source.refs.keys() - ends.refuses.keys()
    assert ends.steps.count("relay") == 2  # the new refs, then the deletion
    assert ends.steps.count("deliver") == 1  # its commit, which the target has not


def test_a_refused_ref_is_tried_again_with_another_commit() -> None:
    ends = _mirrored()
    old = ends.source.commit(b"refs/heads/x")
    ends.refuses = {b"refs/heads/x": "too deep"}
    listed = 0

    def before(step: str) -> None:
        nonlocal listed
        listed += step == "list source"
        if step == "list source" and listed == 2:
            ends.source.commit(b"refs/heads/x", old)
            ends.refuses.clear()

    ends.before = before
    outcome, _ = _run(ends)
    assert outcome.equal
    assert _equal(ends)


def test_a_ref_that_another_build_locked_and_made_equal_is_not_refused() -> None:
    ends = _mirrored()
    new = ends.source.commit(b"refs/heads/x")
    ends.refuses = {b"refs/heads/x": "failed to lock"}
    listed = 0

    def before(step: str) -> None:
        nonlocal listed
        listed += step == "list target"
        if step == "list target" and listed == 3:
            ends.target.refs[b"refs/heads/x"] = new

    ends.before = before
    outcome, _ = _run(ends)
    assert outcome.equal


def _refuse_only_relayed(ends: MemoryEnds, ref: bytes) -> None:
    def before(step: str) -> None:
        ends.refuses = {ref: "missing necessary objects"} if step == "relay" else {}

    ends.before = before


def test_what_a_relay_left_incomplete_arrives_by_a_copy() -> None:
    ends = _mirrored()
    ends.source.commit(b"refs/heads/x", ends.source.refs[MAIN])
    _refuse_only_relayed(ends, b"refs/heads/x")
    outcome, lines = _run(ends)
    assert outcome.equal
    assert _equal(ends)
    assert "the copy strategy tries what the target refused" in lines
    assert (ends.steps.count("relay"), ends.steps.count("deliver")) == (1, 1)


def test_what_a_copy_could_not_try_is_still_what_the_target_refused() -> None:
    ends = _mirrored()
    ends.source.commit(b"refs/heads/x")
    ends.refuses = {b"refs/heads/x": "no"}
    _fail_at(ends, "bring", [UnreachableError("Git fetches no such branch")] * 9)
    outcome, lines = _run(ends)
    assert outcome.final
    assert outcome.reason == "the target refuses refs/heads/x: no; everything else is equal"
    assert lines.count("failed: Git fetches no such branch") == 1


def test_a_refused_ref_whose_commit_the_target_has_needs_no_copy() -> None:
    ends = _mirrored()
    ends.source.refs[b"refs/heads/x"] = ends.source.refs[MAIN]
    ends.refuses = {b"refs/heads/x": "no"}
    assert _run(ends)[0].final
    assert "bring" not in ends.steps


def test_refs_that_are_refused_for_one_reason_are_counted_and_the_first_are_named() -> None:
    ends = _mirrored()
    for number in range(30):
        ends.source.commit(b"refs/heads/x%02d" % number)
        ends.refuses[b"refs/heads/x%02d" % number] = "too deep" if number == 7 else "no"
    outcome, lines = _run(ends)
    first = ", ".join(f"refs/heads/x0{number}" for number in range(5))
    assert outcome.reason == (
        f"the target refuses 29 refs ({first} and 24 others): no, refs/heads/x07: too deep; everything else is equal"
    )
    assert f"the target refuses 29 refs ({first} and 24 others): no" in lines
    assert "the target refuses refs/heads/x07: too deep" in lines


def test_refs_that_are_refused_for_many_reasons_are_counted() -> None:
    ends = _mirrored()
    for number in range(11):
        ends.source.commit(b"refs/heads/x%02d" % number)
        ends.refuses[b"refs/heads/x%02d" % number] = f"reason {number}"
    outcome, lines = _run(ends)
    assert outcome.reason.endswith(", refs/heads/x09: reason 9, 1 other; everything else is equal")
    assert "the target refuses 1 other" in lines


@pytest.mark.parametrize("error", [RelayRefusedError("unpack failed"), LookNeededError("the pack may use Git LFS")])
def test_the_copy_strategy_takes_over_for_one_pass(error: Exception) -> None:
    ends = _mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    ends.source.default = b"refs/heads/old"
    del ends.source.refs[b"refs/tags/v1"]
    _fail_at(ends, "relay", [error])
    outcome, lines = _run(ends)
    assert outcome.equal
    assert _equal(ends)
    assert f"{error}; the copy strategy takes over" in lines
    assert ends.steps == [
        *("list target", "read default", "list source", "relay", "bring", "uses_lfs"),
        *("deliver", "set default", "deliver", "list target", "read default", "list source"),
    ]


def test_after_two_relays_that_the_target_broke_off_the_copy_strategy_takes_over() -> None:
    ends = _mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    _fail_at(ends, "relay", [UnreachableError("the target broke off")] * 9)
    outcome, lines = _run(ends)
    assert outcome.equal
    assert _equal(ends)
    assert "the target broke off 2 relays in a row; the copy strategy takes over" in lines
    assert ends.steps.count("relay") == 2


def test_relays_that_break_off_in_turn_with_the_source_are_not_in_a_row() -> None:
    ends = _mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    _fail_at(ends, "relay", [UnreachableError("x"), SourceUnreachableError("y"), UnreachableError("z")])
    assert not _run(ends)[0].equal
    assert "bring" not in ends.steps


def test_transfer_by_copy_does_not_relay() -> None:
    ends = _mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    outcome, _ = _run(ends, transfer="copy")
    assert outcome.equal
    assert "relay" not in ends.steps
    assert "deliver" in ends.steps


@pytest.mark.parametrize("step", ["list target", "read default", "list source", "relay", "set default"])
def test_two_failed_passes_are_no_failure(step: str) -> None:
    ends = _mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    ends.source.default = b"refs/heads/old"
    _fail_at(ends, step, [UnreachableError("gone"), UnreachableError("gone")])
    outcome, lines = _run(ends)
    assert outcome.equal
    assert _equal(ends)
    assert lines.count("failed: gone") == 2


@pytest.mark.parametrize("step", ["list target", "read default", "list source", "relay", "set default"])
def test_three_failed_passes_are_one_that_the_next_build_may_mend(step: str) -> None:
    ends = _mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    ends.source.default = b"refs/heads/old"
    _fail_at(ends, step, [SourceUnreachableError("gone")] * 9)
    outcome, lines = _run(ends)
    assert not outcome.equal
    assert not outcome.final
    assert outcome.compared == (step in ("relay", "set default"))
    assert "bring" not in ends.steps
    assert lines[-1] == "stopped: 3 passes failed, the last because gone"


def test_an_outcome_says_since_when_both_ends_were_read() -> None:
    ends = _mirrored()
    before = datetime.now(UTC)
    outcome, _ = _run(ends)
    assert outcome.read is not None
    assert before <= outcome.read <= datetime.now(UTC)


@pytest.mark.parametrize(
    "error", [FinalError("no such repository"), AwsRefusedError("GetRepository", "AccessDenied", "no")]
)
def test_what_an_end_would_answer_again_ends_at_once(error: Exception) -> None:
    ends = _mirrored()
    _fail_at(ends, "read default", [error])
    outcome, lines = _run(ends)
    assert outcome == Outcome(
        equal=False,
        compared=False,
        reason=str(error),
        final=True,
        cause=cause_of(error),
        bytes_in=100,
        bytes_out=100,
    )
    assert lines[-1] == f"stopped: {error}"


def test_a_copy_that_the_target_does_not_take_fails_the_pass() -> None:
    ends = _mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    _fail_at(ends, "deliver", [RelayRefusedError("over 2 GB")] * 3)
    outcome, _ = _run(ends, transfer="copy")
    assert outcome.reason == "3 passes failed, the last because over 2 GB"


def test_a_source_that_changes_for_ever_is_left_for_the_next_build() -> None:
    ends = _mirrored()

    def before(step: str) -> None:
        if step == "list source":
            ends.source.commit(MAIN, ends.source.refs[MAIN])

    ends.before = before
    outcome, lines = _run(ends)
    assert not outcome.equal
    assert not outcome.final
    assert lines[-1] == "stopped: the source still changes after 10 passes; the next build goes on"
    assert ends.steps.count("relay") == 10


def test_a_push_that_arrives_meanwhile_is_not_lost() -> None:
    ends = _mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    pushes = 3

    def before(step: str) -> None:
        nonlocal pushes
        if step == "relay" and pushes:
            pushes -= 1
            ends.source.commit(b"refs/heads/late%d" % pushes, ends.source.refs[MAIN])
            ends.source.refs.pop(b"refs/heads/late%d" % (pushes + 1), None)

    ends.before = before
    outcome, _ = _run(ends)
    assert outcome.equal
    assert _equal(ends)


def test_git_lfs_is_refused_after_a_precise_look() -> None:
    ends = _mirrored()
    before = dict(ends.target.refs)
    ends.lfs.add(ends.source.commit(MAIN, ends.source.refs[MAIN]))
    _fail_at(ends, "relay", [LookNeededError("the pack may use Git LFS")])
    outcome, _ = _run(ends)
    assert outcome.final
    assert outcome.reason.startswith("the source uses Git LFS (a/.gitattributes), whose content")
    assert ends.target.refs == before


def test_git_lfs_is_only_warned_of_where_that_is_wanted() -> None:
    ends = _mirrored()
    ends.lfs.add(ends.source.commit(MAIN, ends.source.refs[MAIN]))
    outcome, lines = _run(ends, transfer="copy", lfs="warn")
    assert outcome.equal
    assert any(line.startswith("WARNING: the source uses Git LFS (a/.gitattributes)") for line in lines)


@pytest.mark.parametrize("lfs", ["refuse", "warn"])
def test_history_that_was_not_looked_at_is_not_known_to_be_without_git_lfs(lfs: str) -> None:
    ends = _mirrored()
    before = dict(ends.target.refs)
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    _fail_at(ends, "uses_lfs", [NotLookedAtError("it takes too long")])
    outcome, lines = _run(ends, transfer="copy", lfs=lfs)
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
    assert _run(ends)[0].equal
    before = dict(ends.target.refs)
    for ref in ends.source.refs:
        ends.source.commit(ref)
    limits = Limits(max_lost_percent=50, max_rewritten_percent=50, allow_rewrites=allowed)
    outcome, _ = _run(ends, transfer=transfer, limits=limits)
    assert outcome.equal == bool(allowed)
    if not allowed:
        assert outcome.final
        assert "name=ALLOW_REWRITES,value=16" in outcome.reason
        assert ends.target.refs == before


def test_rewritten_branches_are_counted_over_all_pushes_of_a_pass() -> None:
    ends = MemoryEnds()
    for number in range(40):
        ends.source.commit(b"refs/heads/b%02d" % number)
    assert _run(ends)[0].equal
    for ref in ends.source.refs:
        ends.source.commit(ref)
    before = dict(ends.target.refs)
    limits = Limits(max_lost_percent=50, max_rewritten_percent=50, changes_per_push=10)
    outcome, _ = _run(ends, limits=limits)
    assert "the source rewrote 40 of the target's 40 branches" in outcome.reason
    assert "; nothing was pushed. " in outcome.reason
    assert ends.target.refs == before


def test_a_guard_that_stops_a_later_push_says_that_something_was_pushed() -> None:
    ends = MemoryEnds()
    for number in range(40):
        ends.source.commit(b"refs/heads/b%02d" % number)
    assert _run(ends)[0].equal
    for number, (ref, commit) in enumerate(sorted(ends.source.refs.items())):
        ends.source.commit(ref, commit if number < 10 else None)
    limits = Limits(max_lost_percent=50, max_rewritten_percent=50, changes_per_push=10)
    outcome, _ = _run(ends, limits=limits)
    assert "the source rewrote 30 of the target's 40 branches" in outcome.reason
    assert "; what this build pushed before stays at the target. If that is right, " in outcome.reason
    assert "nothing" not in outcome.reason
    assert sum(ends.target.refs[ref] == ends.source.refs[ref] for ref in ends.source.refs) == 10


@pytest.mark.parametrize("errors", [[], [UnreachableError("the target broke off")]])
def test_a_guard_that_stops_a_later_pass_says_that_something_may_have_been_pushed(errors: list[Exception]) -> None:
    ends = _mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])

    def before(step: str) -> None:
        if step == "relay":
            ends.source.refs.clear()
            if errors:
                raise errors.pop()

    ends.before = before
    outcome, _ = _run(ends)
    assert outcome.reason.startswith("the source has no branch; what this build pushed before stays at the target. ")


def test_moving_every_branch_forward_needs_no_permission() -> None:
    ends = MemoryEnds()
    for number in range(16):
        ends.source.commit(b"refs/heads/b%02d" % number)
    assert _run(ends)[0].equal
    for ref, commit in list(ends.source.refs.items()):
        ends.source.commit(ref, commit)
    outcome, _ = _run(ends, transfer="copy")
    assert outcome.equal
    assert ends.steps.count("contains") == 16


def test_an_emptied_source_empties_nothing() -> None:
    ends = _mirrored()
    before = dict(ends.target.refs)
    ends.source.refs.clear()
    outcome, _ = _run(ends)
    assert outcome.final
    assert outcome.reason.startswith("the source has no branch; nothing was pushed")
    assert ends.target.refs == before


def test_every_session_is_closed() -> None:
    ends = _mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    _fail_at(ends, "relay", [UnreachableError("gone"), LookNeededError("x")])
    _run(ends)
    assert len(ends.sessions) == 4 + 1
    assert not any(session.open for session in ends.sessions)
