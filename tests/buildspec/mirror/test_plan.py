"""What the mirror does at the target, and when it stops before that."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buildspec.mirror.failures import StoppedError
from buildspec.mirror.guards import Build, Guards
from buildspec.mirror.model import Change, Limits, Listing, Push
from buildspec.mirror.plan import plan
from tests.buildspec.mirror.git_server import HEADS, GitServer, in_the_way
from tests.cases import EVERY

ANYTHING = Limits(max_lost_percent=100, max_rewritten_percent=100)
BUILD = Build("kakehashi-prd-backlog-example", "website")
ONE, TWO, THREE = (bytes([digit]) * 40 for digit in b"123")


def _refs(*names: str, commit: bytes = ONE) -> dict[bytes, bytes]:
    """`main` is a branch, `tags/v1` a tag."""
    return {_full(name): commit for name in names}


def _full(name: str) -> bytes:
    if not name.startswith("refs/"):
        name = f"refs/{name}" if name.startswith("tags/") else f"refs/heads/{name}"
    return name.encode()


def _steps(source: dict[bytes, bytes], target: dict[bytes, bytes], default: str, target_default: str) -> list[str]:
    """The plan in short: `+a` creates, `a` moves, `-a` deletes; `=a` makes a the default."""
    actions = plan(Listing(source), Listing(target), _full(default), _full(target_default), Guards(ANYTHING, BUILD))
    return [
        " ".join(map(_short, action.changes)) if isinstance(action, Push) else f"={_name(action.ref)}"
        for action in actions
    ]


def _short(change: Change) -> str:
    return ("-" if change.new is None else "" if change.old else "+") + _name(change.ref)


def _name(ref: bytes) -> str:
    return ref.decode().removeprefix("refs/heads/").removeprefix("refs/")


def test_equal_ends_need_nothing() -> None:
    assert _steps(_refs("main", "tags/v1"), _refs("main", "tags/v1"), "main", "main") == []
    assert _steps({}, {}, "main", "main") == []
    assert _steps(_refs("tags/v1"), _refs("tags/v1"), "main", "main") == []


def test_changes_come_before_the_default_branch_and_deletions_after_it() -> None:
    source = _refs("main", "new", "tags/v2") | _refs("moved", commit=TWO)
    target = _refs("main", "moved", "old", "tags/v1")
    assert _steps(source, target, "new", "main") == ["+new moved +tags/v2", "=new", "-old -tags/v1"]


def test_the_default_branch_changes_when_nothing_else_does() -> None:
    assert _steps(_refs("main", "new"), _refs("main", "new"), "new", "main") == ["=new"]


def test_a_default_branch_that_the_source_lacks_is_not_followed() -> None:
    assert _steps(_refs("main"), _refs("main"), "gone", "main") == []


def test_the_sources_default_branch_is_the_first_that_an_empty_target_receives() -> None:
    assert _steps(_refs("a", "main", "tags/a"), {}, "main", "none") == ["+main +a +tags/a", "=main"]


def test_other_refs_are_left_alone() -> None:
    source = _refs("main", "refs/pull/1/head", "refs/headsets/x")
    assert _steps(source, _refs("main", "refs/kept/1", "refs/x"), "main", "main") == []


def test_a_branch_becomes_a_folder_of_branches_and_back() -> None:
    folder, branch = _refs("main", "a/b", "a/c", "tags/v"), _refs("main", "a", "tags/v/1")
    assert _steps(folder, branch, "main", "main") == ["-a -tags/v/1", "+a/b +a/c +tags/v"]
    assert _steps(branch, folder, "main", "main") == ["-a/b -a/c -tags/v", "+a +tags/v/1"]


def test_names_that_only_begin_alike_are_not_in_the_way() -> None:
    assert _steps(_refs("main", "ab", "tags/b/c"), _refs("main", "a", "b"), "main", "main") == [
        "+ab +tags/b/c",
        "-a -b",
    ]


def test_a_renamed_default_branch_makes_way_for_a_folder_of_branches() -> None:
    steps = _steps(_refs("main2", "main/sub"), _refs("main"), "main2", "main")
    assert steps == ["+main2", "=main2", "-main", "+main/sub"]


def test_a_new_default_branch_waits_for_deletions_but_not_for_the_old_default() -> None:
    for other in ([], ["c"]):
        steps = _steps(_refs("a/b", "main/sub", *other), _refs("a", "main", *other), "a/b", "main")
        assert steps == ["-a", "+a/b", "=a/b", "-main", "+main/sub"]


def test_another_branch_is_the_default_while_the_old_one_is_in_the_way() -> None:
    steps = _steps(_refs("main/sub", "b", "c"), _refs("main", "c"), "main/sub", "main")
    assert steps == ["+b", "=c", "-main", "+main/sub", "=main/sub"]
    steps = _steps(_refs("main/sub", "a/b"), _refs("main", "a"), "main/sub", "main")
    assert steps == ["-a", "+a/b", "=a/b", "-main", "+main/sub", "=main/sub"]


def test_another_branch_becomes_the_default_if_the_source_has_no_default_branch() -> None:
    assert _steps(_refs("b", "c"), _refs("main", "c"), "gone", "main") == ["+b", "=c", "-main"]


def test_stops_if_the_old_default_is_in_the_way_of_every_branch() -> None:
    with pytest.raises(StoppedError) as stopped:
        _steps(_refs("main/it's", "main/sub", "tags/v1"), _refs("main"), "main/sub", "main")
    assert str(stopped.value) == (
        "the target's default branch 'main' is in the way of every branch of the source, as of 'main/it's', and "
        "CodeCommit deletes no default branch; nothing was pushed. Push a branch with another name to the source, for "
        "example: git push origin HEAD:refs/heads/moving. When it is mirrored, delete it there"
    )


def test_pushes_have_as_many_changes_as_the_target_takes() -> None:
    refs = _refs("main", *(f"tags/{number}" for number in range(9000)))
    empty, full = Listing({}), Listing(refs)
    created = plan(full, empty, None, None, Guards(ANYTHING, BUILD))
    assert [len(action.changes) for action in created if isinstance(action, Push)] == [4000, 4000, 1001]
    deleted = plan(Listing(_refs("main")), full, None, None, Guards(ANYTHING, BUILD))
    assert [len(action.changes) for action in deleted if isinstance(action, Push)] == [4000, 4000, 1000]


_BRANCHES = ("a", "a/b", "a/b/c", "a/c", "ab", "b", "b/a", "b/b/b", "main", "main/a", "main/a/b", "main/b", "main2")
UNIVERSE = [*map(_full, _BRANCHES), *map(_full, ("tags/a", "tags/a/b", "tags/a/b/c", "tags/main", "tags/main/a"))]
COMMITS = (None, None, None, ONE, TWO, THREE)


@st.composite
def ends(draw: st.DrawFn) -> tuple[dict[bytes, bytes], bytes | None]:
    """Refs that one repository can have, and its default branch. Two numbers decide: more would take minutes."""
    content, first = draw(st.integers(0, len(COMMITS) ** len(UNIVERSE) - 1)), draw(st.integers(0, len(UNIVERSE) - 1))
    refs: dict[bytes, bytes] = {}
    for ref in UNIVERSE[first:] + UNIVERSE[:first]:
        content, commit = divmod(content, len(COMMITS))
        chosen = COMMITS[commit]
        if chosen and not any(in_the_way(ref, other) for other in refs):
            refs[ref] = chosen
    branches = [ref for ref in refs if ref.startswith(HEADS)]
    return refs, branches[content % len(branches)] if branches else None


@settings(max_examples=3000 // EVERY, deadline=None)
@given(source=ends(), target=ends(), names_default=st.booleans(), most=st.integers(1, 5))
def test_any_plan_makes_the_ends_equal_and_loses_nothing_on_the_way(
    source: tuple[dict[bytes, bytes], bytes | None],
    target: tuple[dict[bytes, bytes], bytes | None],
    names_default: bool,
    most: int,
) -> None:
    wanted, default = source
    server = GitServer({**target[0], b"refs/kept/1": ONE}, target[1], most_changes=most)
    before, limits = dict(server.refs), Limits(100, 100, changes_per_push=most)
    try:
        actions = plan(
            Listing({**wanted, b"refs/pull/1": TWO}),
            Listing(before),
            default if names_default else HEADS + b"unborn",
            server.default,
            Guards(limits, BUILD),
        )
    except StoppedError:
        branches = [ref for ref in wanted if ref.startswith(HEADS)]
        assert all(server.default and in_the_way(server.default, ref) for ref in branches)
        return
    for action in actions:
        server.do(action)
        assert server.refused == []
        assert {ref for ref in wanted if ref in before} <= server.refs.keys()
        assert all(server.refs[ref] in (before.get(ref), wanted.get(ref)) for ref in server.refs)
    assert server.refs == {**wanted, b"refs/kept/1": ONE}
    assert server.default == default or (not names_default and server.default in server.refs)
    assert plan(Listing(wanted), Listing(server.refs), default, default, Guards(limits, BUILD)) == ()


def _tags(first: int, end: int) -> dict[bytes, bytes]:
    return _refs("main", *(f"tags/{number}" for number in range(first, end)))


def _stops(source: dict[bytes, bytes], target: dict[bytes, bytes], limits: Limits) -> str | None:
    try:
        plan(Listing(source), Listing(target), HEADS + b"main", HEADS + b"main", Guards(limits, BUILD))
    except StoppedError as stopped:
        return str(stopped)
    return None


def test_an_empty_source_does_not_empty_the_target_whatever_is_allowed() -> None:
    message = "the source has no branch; nothing was pushed. If that is right, empty the target by hand"
    for source in ({}, _refs("tags/v1"), _refs("refs/pull/1/head")):
        assert _stops(source, _refs("main"), Limits(100, 100, allow_deletions=100)) == message
    assert _stops(_refs("tags/v1"), {}, ANYTHING) == message


def test_deleting_more_than_the_allowed_share_needs_a_permission_for_one_build() -> None:
    target, source = _tags(0, 29), _tags(16, 29)
    stopped = (
        "the source lacks 16 of the target's 29 tags, more than 50 %; nothing was pushed. If that is right, allow it "
        "once: aws codebuild start-build --project-name kakehashi-prd-backlog-example --environment-variables-override "
        "name=MIRROR,value=website name=ALLOW_DELETIONS,value=16"
    )
    assert _stops(source, target, Limits(50, 50)) == stopped
    assert _stops(source, target, Limits(50, 50, allow_deletions=15)) == stopped
    assert _stops(source, target, Limits(50, 50, allow_deletions=16)) is None
    assert _stops(source, target, Limits(56, 50)) is None
    assert _stops(source, target, Limits(55, 50)) is not None
    assert _stops(_tags(14, 29), target, Limits(50, 50)) is None


def test_deleted_branches_count_like_tags() -> None:
    target = _refs("main", *(f"b{number}" for number in range(10)))
    assert (_stops(_refs("main"), target, Limits(50, 50)) or "").startswith(
        "the source lacks 10 of the target's 11 branches"
    )


def test_deleting_few_refs_is_mirrored_whatever_their_share() -> None:
    assert _stops(_tags(0, 0), _tags(0, 9), Limits(0, 50)) is None
    assert "lacks 10 of the target's 10 tags" in str(_stops(_tags(0, 0), _tags(0, 10), Limits(0, 50)))


def test_the_refs_that_are_not_mirrored_make_no_deletion_look_smaller() -> None:
    kept = _refs(*(f"refs/kept/{number}" for number in range(100)))
    assert "lacks 10 of the target's 10 tags" in str(_stops(_tags(0, 0), _tags(0, 10) | kept, Limits(50, 50)))


@given(gone=st.integers(0, 40), kept=st.integers(0, 40), percent=st.integers(0, 100), allowed=st.integers(0, 50))
def test_the_guard_stops_exactly_what_is_not_few_not_a_small_share_and_not_allowed(
    gone: int, kept: int, percent: int, allowed: int
) -> None:
    target = _tags(0, gone + kept)
    stops = gone >= 10 and gone * 100 > (gone + kept) * percent and gone > allowed
    stopped = _stops(_tags(gone, gone + kept), target, Limits(percent, 50, allow_deletions=allowed))
    assert (stopped is not None) == stops


def _branches(number: int, commit: bytes) -> Listing:
    return Listing(_refs(*(f"b{index}" for index in range(number)), commit=commit) | _refs("tags/v1", commit=commit))


def test_moved_branches_are_to_be_proved_once_they_are_too_many() -> None:
    for number, limits, unproved in (
        (9, Limits(50, 0), 0),
        (10, Limits(50, 0), 10),
        (10, Limits(50, 100), 0),
        (10, Limits(50, 99), 10),
        (10, Limits(50, 50, allow_rewrites=10), 0),
        (10, Limits(50, 50, allow_rewrites=9), 10),
    ):
        (push,) = plan(_branches(number, TWO), _branches(number, ONE), None, None, Guards(limits, BUILD))
        assert isinstance(push, Push)
        assert len(push.changes) == number + 1
        assert len(push.unproved) == unproved
        assert all(change.ref.startswith(HEADS) for change in push.unproved)


def test_moves_that_are_to_be_proved_in_several_pushes_leave_none_unproved() -> None:
    source, target = _branches(30, TWO), _branches(30, ONE)
    for most, permitted in ((31, 15), (30, 15), (29, 0)):
        guards = Guards(Limits(50, 50, changes_per_push=most), BUILD)
        actions = plan(source, target, None, None, guards)
        assert guards.unproved_permitted(actions) == permitted


def test_created_branches_need_no_proof() -> None:
    (push,) = plan(
        _branches(20, TWO), Listing(_refs("b0", "tags/v1", commit=TWO)), None, None, Guards(Limits(50, 0), BUILD)
    )
    assert push == Push(tuple(Change(HEADS + f"b{i}".encode(), None, TWO) for i in sorted(range(1, 20), key=str)))


def test_rewriting_more_than_the_allowed_share_needs_a_permission_for_one_build() -> None:
    source, target = _branches(16, TWO), _branches(16, ONE)

    def rewrites(number: int, limits: Limits) -> None:
        guards = Guards(limits, BUILD)
        unproved = sorted(guards.check(source, target), key=lambda change: change.ref)
        guards.check_rewrites(unproved, unproved[:number])

    rewrites(11, Limits(50, 70))
    rewrites(16, Limits(50, 70, allow_rewrites=16))
    with pytest.raises(StoppedError) as stopped:
        rewrites(12, Limits(50, 70))
    assert str(stopped.value) == (
        "the source rewrote 12 of the target's 16 branches, more than 70 %: their new commits do not contain the old "
        "ones; nothing was pushed. If that is right, allow it once: aws codebuild start-build --project-name "
        "kakehashi-prd-backlog-example --environment-variables-override name=MIRROR,value=website "
        "name=ALLOW_REWRITES,value=12"
    )


@pytest.mark.parametrize("name", ["max_lost_percent", "max_rewritten_percent", "allow_deletions", "allow_rewrites"])
def test_negative_limits_are_refused(name: str) -> None:
    limits = Limits(**{"max_lost_percent": 50, "max_rewritten_percent": 50, name: -1})
    with pytest.raises(StoppedError, match=re.escape(f"{name.upper()} is -1; nothing was pushed.")):
        plan(Listing(_refs("main")), Listing({}), None, None, Guards(limits, BUILD))
