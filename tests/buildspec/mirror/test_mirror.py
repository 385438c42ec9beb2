"""The passes of one mirror, between ends in memory."""

from datetime import UTC, datetime
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from buildspec.mirror.aws import AwsRefusedError
from buildspec.mirror.failures import (
    LookNeededError,
    RelayRefusedError,
    SourceUnreachableError,
    UnreachableError,
    cause_of,
)
from buildspec.mirror.mirror import Outcome
from buildspec.mirror.model import Limits
from buildspec.mirror.retries import FinalError
from tests.buildspec.mirror.memory_ends import MemoryEnds, some_repository
from tests.buildspec.mirror.passes import MAIN, fail_at, is_equal, mirrored, run
from tests.cases import EVERY


def test_an_empty_target_becomes_equal() -> None:
    ends = mirrored()
    assert is_equal(ends)


def test_equal_ends_cost_one_listing_of_each_and_the_default_branch() -> None:
    ends = mirrored()
    outcome, lines = run(ends)
    assert ends.steps == ["list target", "read default", "list source"]
    assert outcome == Outcome(equal=True, compared=True, refs=5, bytes_in=100, bytes_out=100)
    assert lines[-1] == "done: the target has the source's 5 refs"


def test_two_empty_ends_are_equal() -> None:
    outcome, _ = run(MemoryEnds())
    assert outcome.equal


def test_the_default_branch_follows_when_nothing_else_differs() -> None:
    ends = mirrored()
    ends.source.default = b"refs/heads/old"
    outcome, lines = run(ends)
    assert outcome.equal
    assert is_equal(ends)
    assert "relay" not in ends.steps
    assert lines[3].startswith("changed the default branch from main to old: ")


def test_says_what_differs_and_what_moved() -> None:
    ends = mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    del ends.source.refs[b"refs/heads/old"]
    outcome, lines = run(ends)
    assert outcome.equal
    assert lines[2] == "the target lacks 1 ref, and has 1 that is gone"
    assert lines[3].startswith("relayed 1 new or moved ref: 100 bytes in, 100 bytes out, ")
    assert lines[4].startswith("relayed 1 deletion: 100 bytes in, 100 bytes out, ")


@pytest.mark.parametrize("error", [RelayRefusedError("unpack failed"), LookNeededError("the pack may use Git LFS")])
def test_the_copy_strategy_takes_over_for_one_pass(error: Exception) -> None:
    ends = mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    ends.source.default = b"refs/heads/old"
    del ends.source.refs[b"refs/tags/v1"]
    fail_at(ends, "relay", [error])
    outcome, lines = run(ends)
    assert outcome.equal
    assert is_equal(ends)
    assert f"{error}; the copy strategy takes over" in lines
    assert ends.steps == [
        *("list target", "read default", "list source", "relay", "bring", "uses_lfs"),
        *("deliver", "set default", "deliver", "list target", "read default", "list source"),
    ]


def test_after_two_relays_that_the_target_broke_off_the_copy_strategy_takes_over() -> None:
    ends = mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    fail_at(ends, "relay", [UnreachableError("the target broke off")] * 9)
    outcome, lines = run(ends)
    assert outcome.equal
    assert is_equal(ends)
    assert "the target broke off 2 relays in a row; the copy strategy takes over" in lines
    assert ends.steps.count("relay") == 2


def test_relays_that_break_off_in_turn_with_the_source_are_not_in_a_row() -> None:
    ends = mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    fail_at(ends, "relay", [UnreachableError("x"), SourceUnreachableError("y"), UnreachableError("z")])
    assert not run(ends)[0].equal
    assert "bring" not in ends.steps


def test_transfer_by_copy_does_not_relay() -> None:
    ends = mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    outcome, _ = run(ends, transfer="copy")
    assert outcome.equal
    assert "relay" not in ends.steps
    assert "deliver" in ends.steps


@pytest.mark.parametrize("step", ["list target", "read default", "list source", "relay", "set default"])
def test_two_failed_passes_are_no_failure(step: str) -> None:
    ends = mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    ends.source.default = b"refs/heads/old"
    fail_at(ends, step, [UnreachableError("gone"), UnreachableError("gone")])
    outcome, lines = run(ends)
    assert outcome.equal
    assert is_equal(ends)
    assert lines.count("failed: gone") == 2


@pytest.mark.parametrize("step", ["list target", "read default", "list source", "relay", "set default"])
def test_three_failed_passes_are_one_that_the_next_build_may_mend(step: str) -> None:
    ends = mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    ends.source.default = b"refs/heads/old"
    fail_at(ends, step, [SourceUnreachableError("gone")] * 9)
    outcome, lines = run(ends)
    assert not outcome.equal
    assert not outcome.final
    assert outcome.compared == (step in ("relay", "set default"))
    assert "bring" not in ends.steps
    assert lines[-1] == "stopped: 3 passes failed, the last because gone"


def test_an_outcome_says_since_when_both_ends_were_read() -> None:
    ends = mirrored()
    before = datetime.now(UTC)
    outcome, _ = run(ends)
    assert outcome.read is not None
    assert before <= outcome.read <= datetime.now(UTC)


@pytest.mark.parametrize(
    "error", [FinalError("no such repository"), AwsRefusedError("GetRepository", "AccessDenied", "no")]
)
def test_what_an_end_would_answer_again_ends_at_once(error: Exception) -> None:
    ends = mirrored()
    fail_at(ends, "read default", [error])
    outcome, lines = run(ends)
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
    ends = mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    fail_at(ends, "deliver", [RelayRefusedError("over 2 GB")] * 3)
    outcome, _ = run(ends, transfer="copy")
    assert outcome.reason == "3 passes failed, the last because over 2 GB"


def test_a_source_that_changes_for_ever_is_left_for_the_next_build() -> None:
    ends = mirrored()

    def before(step: str) -> None:
        if step == "list source":
            ends.source.commit(MAIN, ends.source.refs[MAIN])

    ends.before = before
    outcome, lines = run(ends)
    assert not outcome.equal
    assert not outcome.final
    assert lines[-1] == "stopped: the source still changes after 10 passes; the next build goes on"
    assert ends.steps.count("relay") == 10


def test_a_push_that_arrives_meanwhile_is_not_lost() -> None:
    ends = mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    pushes = 3

    def before(step: str) -> None:
        nonlocal pushes
        if step == "relay" and pushes:
            pushes -= 1
            ends.source.commit(b"refs/heads/late%d" % pushes, ends.source.refs[MAIN])
            ends.source.refs.pop(b"refs/heads/late%d" % (pushes + 1), None)

    ends.before = before
    outcome, _ = run(ends)
    assert outcome.equal
    assert is_equal(ends)


STEPS = ("list target", "read default", "list source", "relay", "set default", "bring", "uses_lfs", "deliver")


@pytest.mark.slow
@settings(max_examples=3000 // EVERY, deadline=None)
@given(
    st.randoms(use_true_random=False),
    st.sampled_from(["relay", "copy"]),
    st.sampled_from(STEPS),
    st.sampled_from(["source", "target"]),
)
def test_a_change_at_either_end_before_any_step_is_mirrored_by_that_build(
    random: Random, transfer: str, step: str, end: str
) -> None:
    ends = mirrored()
    some_repository(random, ends.source)
    ends.source.commit(b"refs/tags/new")  # so that there is something to do
    changed: list[str] = []

    def before(name: str) -> None:
        if name == step and not changed:
            changed.append(name)
            some_repository(random, ends.target if end == "target" else ends.source)

    ends.before = before
    outcome, lines = run(ends, transfer=transfer, limits=Limits(max_lost_percent=100, max_rewritten_percent=100))
    assert outcome.equal, lines
    assert ends.target.refs == ends.source.refs
    # A pass reads the target's default branch once; by hand it may change after that.
    assert end == "target" or is_equal(ends)


def test_every_session_is_closed() -> None:
    ends = mirrored()
    ends.source.commit(MAIN, ends.source.refs[MAIN])
    fail_at(ends, "relay", [UnreachableError("gone"), LookNeededError("x")])
    run(ends)
    assert len(ends.sessions) == 4 + 1
    assert not any(session.open for session in ends.sessions)
