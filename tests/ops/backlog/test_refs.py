import pytest

from ops.backlog.refs import MirrorRefs, RefsDifference, compare, parse

MAIN, OTHER = "1" * 40, "2" * 40


def _refs(default: str | None = "main", **ids: str) -> MirrorRefs:
    return MirrorRefs(ids={f"refs/heads/{name}": value for name, value in ids.items()}, default=default)


def test_reads_only_heads_tags_and_the_default_branch() -> None:
    answer = (
        f"ref: refs/heads/main\tHEAD\n{MAIN}\tHEAD\n{MAIN}\trefs/heads/main\n{MAIN}\trefs/pull/1/head\n"
        f"{OTHER}\trefs/tags/v1\n{MAIN}\trefs/tags/v1^{{}}\n{MAIN}\trefs/headstrong\n"
    )
    ids = {"refs/heads/main": MAIN, "refs/tags/v1": OTHER}
    assert parse(answer) == MirrorRefs(ids=ids, default="main", head=MAIN)


def test_an_empty_repository_and_a_detached_head_have_no_default_branch() -> None:
    assert parse("") == MirrorRefs(ids={}, default=None)
    assert parse(f"{MAIN}\tHEAD\n").default is None


def test_distinguishes_missing_different_and_extra_refs() -> None:
    source = _refs(main=MAIN, moved=MAIN, new=MAIN)
    target = _refs(main=MAIN, moved=OTHER, old=MAIN)
    difference = compare(source, target)
    assert difference == RefsDifference(
        missing=("refs/heads/new",), different=("refs/heads/moved",), extra=("refs/heads/old",)
    )
    assert difference.lacking == ("refs/heads/moved", "refs/heads/new")


def test_equal_ends_have_no_difference() -> None:
    assert compare(_refs(main=MAIN), _refs(main=MAIN)) == RefsDifference()


@pytest.mark.parametrize(
    ("source", "target", "defaults"),
    [
        ("main", "master", ("main", "master")),
        ("main", None, ("main", None)),
        (None, "main", None),
    ],
)
def test_compares_the_default_branch_where_the_source_has_one(
    source: str | None, target: str | None, defaults: tuple[str, str | None] | None
) -> None:
    assert compare(_refs(source, main=MAIN), _refs(target, main=MAIN)).defaults == defaults


@pytest.mark.parametrize(
    ("head", "others", "defaults", "may_differ"),
    [
        (MAIN, {}, None, False),
        (MAIN, {"release": MAIN}, None, True),
        (OTHER, {"release": OTHER}, ("main", "release"), False),
        (None, {}, ("main", None), False),
    ],
)
def test_a_target_that_names_no_default_branch_is_compared_by_its_commit(
    head: str | None, others: dict[str, str], defaults: tuple[str, str | None] | None, may_differ: bool
) -> None:
    target = MirrorRefs(ids=_refs(None, main=MAIN, **others).ids, default=None, head=head)
    found = compare(_refs("main", main=MAIN, **others), target)
    assert (found.defaults, found.default_may_differ) == (defaults, may_differ)
