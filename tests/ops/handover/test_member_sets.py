"""A set becomes a loop over a collection exactly where the loop has the same items, now and with the next member."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ops.handover.hcl import Expression, Growth, ObjectExpr, Template, TupleExpr, Verbatim, text
from ops.handover.printing import expression
from ops.handover.style.member_sets import Axis, set_of_members, set_without
from terraform.templates import Directive, Interpolation, Literal, Part

ARN = "arn:aws:sqs:eu-central-1:111111111111:"
NULL = Verbatim("null")


def of(value: Any) -> Expression:
    """The expression of a tag's value, or a map of tags."""
    match value:
        case dict():
            return ObjectExpr(tuple((text(key), of(it)) for key, it in value.items()))
        case str() if value.startswith("<"):
            return Verbatim(value.strip("<>"))
        case str():
            return text(value)
    return NULL


def axis(entries: Mapping[str, Any], key_name: str = "queue", next_key: str = "") -> Axis:
    """Queues with tags, or null."""
    return Axis(
        name="queues",
        key_name=key_name,
        keys=sorted(entries),
        keys_of="keys(local.queues)",
        next_key=next_key,
        entries={name: {"tags": of(it)} for name, it in entries.items()},
        needs=frozenset({"queues"}),
        attributes={"tags": "tags"},
    )


def listed(*names: str, growth: Sequence[str] | None = None) -> TupleExpr:
    items = tuple(text(f"{ARN}{name}") for name in names)
    more = None if growth is None else Growth(items, frozenset(text(it) for it in growth))
    return TupleExpr(items, more)


def without(names: Sequence[str], entries: Mapping[str, Any], argument: str = "tags", **others: Any) -> str:
    known = frozenset(others.pop("known", ()))
    return expression(set_without(listed(*names), argument, [axis(entries, **others)], known))


def one(*names: str) -> str:
    return expression(listed(*names))


LOOP = f'[for name, queue in local.queues : "{ARN}${{name}}" if queue.tags == null]'
LOOP_OF_KEY = f'[for name, queue in local.queues : "{ARN}${{name}}" if !can(queue.tags["by"])]'


def squeezed(written: str) -> str:
    """The expression on one line, without blanks and commas inside of brackets."""
    return re.sub(r",? (?=[)\]])|(?<=[(\[]) ", "", " ".join(written.split()))


def test_a_set_names_who_has_no_argument() -> None:
    assert squeezed(without("ab", {"a": None, "b": None, "c": {"by": "x"}})) == LOOP
    assert squeezed(without("ab", {"a": None, "b": {"of": "x"}, "c": {"by": "x"}}, 'tags["by"]')) == LOOP_OF_KEY
    assert squeezed(without("a", {"a": None})) == LOOP
    assert squeezed(without("a", {"a": None, "b": {"by": "<aws_sqs_queue.it.url>"}})) == LOOP


@pytest.mark.parametrize(
    ("names", "entries", "others"),
    {
        "one is missing": ("a", {"a": None, "b": None}, {}),
        "one has the argument": ("ab", {"a": None, "b": {"by": "x"}}, {}),
        "one is there twice": ("aab", {"a": None, "b": None}, {}),
        "a variable may be null": ("a", {"a": None, "b": "<var.tags>"}, {}),
        "a part of a map may be null, but it has a key": (
            "a",
            {"a": None, "b": "<var.tags>"},
            {"argument": 'tags["by"]'},
        ),
        "a text has no keys": ("ab", {"a": None, "b": "x"}, {"argument": 'tags["by"]'}),
        "another argument": ("ab", {"a": None, "b": None}, {"argument": "labels"}),
        "the members are called name": ("ab", {"a": None, "b": None}, {"key_name": "name"}),
        "the members are called as what Terraform knows": ("ab", {"a": None, "b": None}, {"key_name": "path"}),
    }.values(),
)
def test_a_set_of_others_stays(names: str, entries: Mapping[str, Any], others: dict[str, Any]) -> None:
    assert without(names, entries, **others) == one(*names)


def test_a_variable_that_is_never_null_is_an_argument() -> None:
    entries = {"a": None, "b": "<var.tags>"}
    assert squeezed(without("a", entries, known={"var.tags"})) == LOOP


def test_a_computed_key_may_be_any() -> None:
    computed = ObjectExpr(((Template((Interpolation("var.key"),)), text("x")),))
    found = Axis(
        name="queues",
        key_name="queue",
        keys=["a", "b"],
        keys_of="keys(local.queues)",
        next_key="",
        entries={"a": {"tags": NULL}, "b": {"tags": computed}},
        needs=frozenset(),
        attributes={"tags": "tags"},
    )
    assert squeezed(expression(set_without(listed("a"), 'tags["by"]', [found], frozenset()))) == LOOP_OF_KEY
    assert expression(set_without(listed("a", "b"), 'tags["by"]', [found], frozenset())) == one("a", "b")


@pytest.mark.parametrize("hidden", ["name", "queue"])
def test_the_names_of_a_loop_hide_nothing_that_a_set_refers_to(hidden: str) -> None:
    items = tuple(Template((Interpolation(f"{hidden}.arn"), Literal(f"/{key}"))) for key in ("a", "b"))
    entries = {"a": None, "b": None}
    assert set_without(TupleExpr(items), "tags", [axis(entries)], frozenset()) == TupleExpr(items)
    if hidden == "queue":
        assert set_of_members(TupleExpr(items), [axis(entries)]) == TupleExpr(items)


def test_a_key_within_a_word_is_no_members() -> None:
    for items in (["ab"], ["ab", "c"]):
        assert without(items, dict.fromkeys("ab")) == one(*items)
    assert without(["xa"], {"a": None}) == one("xa")


def test_a_text_with_a_key_at_two_places_stays() -> None:
    """One of them may be there by chance, as the service in this ARN is: the next member has another key."""
    assert without(["sqs"], {"sqs": None}) == one("sqs")


@pytest.mark.parametrize(
    "parts",
    [
        [Interpolation("~ var.x")],
        [Directive("~ if var.x"), Literal("/*"), Directive("endif")],
        [Directive("if var.x"), Literal("/*"), Directive("endif")],
    ],
    ids=["a trim marker of a value", "a trim marker of a condition", "a condition"],
)
def test_a_text_with_a_trim_marker_or_a_condition_is_no_members(parts: Sequence[Part]) -> None:
    """A trim marker takes the blank at a key's end from a literal, and would leave it in a reference to the key."""
    keys = ("a ", "b ")
    found = TupleExpr(tuple(Template((Literal(f"{ARN}{key}"), *parts)) for key in keys))
    assert set_of_members(found, [axis(dict.fromkeys(keys))]) == found


def test_a_wildcard_stands_for_members_that_all_lack_the_argument() -> None:
    names = ("app", "web-1", "web-2")
    entries: dict[str, Any] = dict.fromkeys(names)
    found = squeezed(without(["app", "web-*"], entries))
    assert found == f'concat(["{ARN}web-*"], {LOOP[:-1]} && !startswith(name, "web-")])'
    assert without(["app", "web-*"], {**entries, "web-1": {"by": "x"}}) == one("app", "web-*")


@pytest.mark.parametrize(
    "items",
    [
        (f"{ARN}a1", f"{ARN}a2", f"{ARN.replace('sqs', 'sns')}b*"),
        (f"{ARN}a1", f"{ARN}a2", f'{ARN}b"*'),
        ("a1", "a2", "b*"),
        (f"{ARN}a1", f"{ARN}a2", f"{ARN}b"),
        (f"{ARN}a1", f"{ARN}a2", f"{ARN}a1", f"{ARN}b*"),
    ],
)
def test_only_a_wildcard_behind_the_same_words_of_arns_stands_for_members(items: tuple[str, ...]) -> None:
    found = TupleExpr(tuple(map(text, items)))
    names = ("a1", "a2", 'b\\"x')
    assert set_of_members(found, [axis(dict.fromkeys(names))]) == found


def test_what_is_no_text_stays_beside_a_loop() -> None:
    found = set_of_members(TupleExpr((*listed("a", "b").items, Verbatim("var.arn"))), [axis(dict.fromkeys("ab"))])
    assert squeezed(expression(found)) == f"concat([var.arn], {ALL})"
    assert set_of_members(Verbatim("var.arns"), [axis(dict.fromkeys("ab"))]) == Verbatim("var.arns")


ALL = f'[for queue in keys(local.queues) : "{ARN}${{queue}}"]'


def of_one(next_key: str = "next", *, growth: Sequence[str] | None) -> str:
    return squeezed(expression(set_of_members(listed("a", growth=growth), [axis({"a": None}, next_key=next_key)])))


def test_a_set_of_a_single_member_is_a_loop_where_it_grows_by_the_next_one() -> None:
    assert of_one(growth=[f"{ARN}next"]) == ALL
    assert of_one(growth=["other", f"{ARN}next", f"{ARN}other"]) == ALL


@pytest.mark.parametrize(
    "growth", [None, [f"{ARN}other"], [f"{ARN}all-next"], [f"{ARN}next/*"], [f"{ARN[:-1]}/next"], ["next"]]
)
def test_a_set_of_a_single_member_stays_where_it_does_not_grow_so(growth: list[str] | None) -> None:
    assert of_one(growth=growth) == one("a")


def test_each_form_of_a_member_is_a_loop_where_it_grows() -> None:
    of_files = ALL.replace('}"]', '}/*"]')
    names = ("a", "a/*")
    for growth, wanted in (
        (["next", "next/*"], f"concat({ALL}, {of_files})"),
        (["next"], f'concat(["{ARN}a/*"], {ALL})'),
        (["next/*"], f'concat(["{ARN}a"], {of_files})'),
    ):
        grown = listed(*names, growth=[f"{ARN}{it}" for it in growth])
        assert squeezed(expression(set_of_members(grown, [axis({"a": None}, next_key="next")]))) == wanted


def test_a_set_of_all_members_stays_where_it_does_not_grow_by_the_next_one() -> None:
    two = [axis({"a": None, "b": None}, next_key="next")]
    assert squeezed(expression(set_of_members(listed("a", "b", growth=[f"{ARN}next"]), two))) == ALL
    assert expression(set_of_members(listed("a", "b", growth=[f"{ARN}other"]), two)) == one("a", "b")
    assert expression(set_of_members(listed("a", "b"), two)) == one("a", "b")


def test_a_set_of_one_among_several_stays_whatever_it_grows_by() -> None:
    entries = {"a": None, "b": None}
    grown = listed("a", growth=[f"{ARN}next"])
    assert set_of_members(grown, [axis(entries, next_key="next")]) == grown
    wildcard = listed("a", "b*", growth=[f"{ARN}next"])
    assert set_of_members(wildcard, [axis(entries, next_key="next")]) == wildcard


def test_without_an_example_a_single_member_is_none_of_several() -> None:
    assert of_one("", growth=[ARN]) == one("a")
