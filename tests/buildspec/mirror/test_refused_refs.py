"""What a mirror does about refs that its target refuses, between ends in memory."""

from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from buildspec.mirror.failures import UnreachableError
from buildspec.mirror.model import Change
from tests.buildspec.mirror.memory_ends import MemoryEnds, some_repository
from tests.buildspec.mirror.passes import MAIN, fail_at, is_equal, mirrored, run
from tests.cases import EVERY

REF = st.sampled_from([b"refs/heads/%b" % name for name in (b"main", b"a", b"a/b", b"a/b/c", b"b", b"b/a")]) | st.just(
    b"refs/tags/v"
)


@pytest.mark.slow
@settings(max_examples=3000 // EVERY, deadline=None)
@given(
    st.randoms(use_true_random=False),
    st.sampled_from(["relay", "copy"]),
    st.dictionaries(REF, st.just("hook declined"), max_size=3),
)
def test_whatever_is_refused_everything_else_arrives(random: Random, transfer: str, refuses: dict[bytes, str]) -> None:
    ends = MemoryEnds()
    some_repository(random, ends.source)
    run(ends)
    ends.refuses = refuses
    for _ in range(3):
        some_repository(random, ends.source)
    outcome, lines = run(ends, transfer=transfer)
    differ = {
        ref
        for ref in ends.source.refs.keys() | ends.target.refs.keys()
        if ends.source.refs.get(ref) != ends.target.refs.get(ref)
    }
    assert outcome.equal == is_equal(ends)
    if not outcome.equal and "nothing was pushed" not in outcome.reason:
        assert outcome.final
        assert outcome.reason.startswith("the target refuses ")
        assert outcome.reason.endswith("; everything else is equal")
        assert lines[-1] == outcome.reason
        for ref in differ:
            assert ref.decode() in outcome.reason
            assert ends.change(Change(ref, ends.target.refs.get(ref), ends.source.refs.get(ref))) is not None


def test_a_refused_ref_is_pushed_once_and_named_with_its_reason() -> None:
    ends = mirrored()
    ends.source.commit(b"refs/heads/" + b"a" * 40)
    ends.source.commit(b"refs/tags/new", ends.source.refs[MAIN])
    del ends.source.refs[b"refs/tags/v1"]
    ends.source.default = b"refs/heads/old"
    ends.refuses = {b"refs/heads/" + b"a" * 40: "a branch is no id"}
    outcome, _ = run(ends)
    assert outcome.reason == f"the target refuses refs/heads/{'a' * 40}: a branch is no id; everything else is equal"
    assert outcome.final
    assert ends.target.default == b"refs/heads/old"
    assert ends.target.refs.keys() == ends.source.refs.keys() - ends.refuses.keys()
    assert ends.steps.count("relay") == 2  # the new refs, then the deletion
    assert ends.steps.count("deliver") == 1  # its commit, which the target has not


def test_a_refused_ref_is_tried_again_with_another_commit() -> None:
    ends = mirrored()
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
    outcome, _ = run(ends)
    assert outcome.equal
    assert is_equal(ends)


def test_a_ref_that_another_build_locked_and_made_equal_is_not_refused() -> None:
    ends = mirrored()
    new = ends.source.commit(b"refs/heads/x")
    ends.refuses = {b"refs/heads/x": "failed to lock"}
    listed = 0

    def before(step: str) -> None:
        nonlocal listed
        listed += step == "list target"
        if step == "list target" and listed == 3:
            ends.target.refs[b"refs/heads/x"] = new

    ends.before = before
    outcome, _ = run(ends)
    assert outcome.equal


@pytest.mark.parametrize("transfer", ["relay", "copy"])
def test_a_ref_that_a_push_to_the_target_was_in_the_way_of_arrives(transfer: str) -> None:
    ends = mirrored()
    ends.source.commit(b"refs/heads/x/deep")

    def before(step: str) -> None:
        if step == "list source" and ends.steps.count(step) == 1:
            ends.target.refs[b"refs/heads/x"] = ends.target.refs[MAIN]

    ends.before = before
    outcome, _ = run(ends, transfer=transfer)
    assert outcome.equal
    assert is_equal(ends)


def _refuse_only_relayed(ends: MemoryEnds, ref: bytes) -> None:
    def before(step: str) -> None:
        ends.refuses = {ref: "missing necessary objects"} if step == "relay" else {}

    ends.before = before


def test_what_a_relay_left_incomplete_arrives_by_a_copy() -> None:
    ends = mirrored()
    ends.source.commit(b"refs/heads/x", ends.source.refs[MAIN])
    _refuse_only_relayed(ends, b"refs/heads/x")
    outcome, lines = run(ends)
    assert outcome.equal
    assert is_equal(ends)
    assert "the copy strategy tries what the target refused" in lines
    assert (ends.steps.count("relay"), ends.steps.count("deliver")) == (1, 1)


def test_what_a_copy_could_not_try_is_still_what_the_target_refused() -> None:
    ends = mirrored()
    ends.source.commit(b"refs/heads/x")
    ends.refuses = {b"refs/heads/x": "no"}
    fail_at(ends, "bring", [UnreachableError("Git fetches no such branch")] * 9)
    outcome, lines = run(ends)
    assert outcome.final
    assert outcome.reason == "the target refuses refs/heads/x: no; everything else is equal"
    assert lines.count("failed: Git fetches no such branch") == 1


def test_a_refused_ref_whose_commit_the_target_has_needs_no_copy() -> None:
    ends = mirrored()
    ends.source.refs[b"refs/heads/x"] = ends.source.refs[MAIN]
    ends.refuses = {b"refs/heads/x": "no"}
    assert run(ends)[0].final
    assert "bring" not in ends.steps


def test_refs_that_are_refused_for_one_reason_are_counted_and_the_first_are_named() -> None:
    ends = mirrored()
    for number in range(30):
        ends.source.commit(b"refs/heads/x%02d" % number)
        ends.refuses[b"refs/heads/x%02d" % number] = "too deep" if number == 7 else "no"
    outcome, lines = run(ends)
    first = ", ".join(f"refs/heads/x0{number}" for number in range(5))
    assert outcome.reason == (
        f"the target refuses 29 refs ({first} and 24 others): no, refs/heads/x07: too deep; everything else is equal"
    )
    assert f"the target refuses 29 refs ({first} and 24 others): no" in lines
    assert "the target refuses refs/heads/x07: too deep" in lines


def test_refs_that_are_refused_for_many_reasons_are_counted() -> None:
    ends = mirrored()
    for number in range(11):
        ends.source.commit(b"refs/heads/x%02d" % number)
        ends.refuses[b"refs/heads/x%02d" % number] = f"reason {number}"
    outcome, lines = run(ends)
    assert outcome.reason.endswith(", refs/heads/x09: reason 9, 1 other; everything else is equal")
    assert "the target refuses 1 other" in lines
