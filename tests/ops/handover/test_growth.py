"""A list or an object says what it has more in the stack with examples, if that has all of it."""

from typing import Any

import pytest

from ops.handover.growth import with_growth
from ops.handover.hcl import Block, Expression, Growth, ObjectExpr, Template, TupleExpr, Verbatim, text
from ops.handover.metadata import TopLevelBlock
from terraform.templates import Interpolation


def of(value: Any) -> Expression:
    match value:
        case list():
            return TupleExpr(tuple(map(of, value)))
        case dict():
            return ObjectExpr(tuple((text(key), of(it)) for key, it in value.items()))
        case Template() | Verbatim() | ObjectExpr():
            return value
    return text(value)


def block(type_: str = "resource", *labels: str, blocks: tuple[Block, ...] = (), **arguments: Any) -> Block:
    return Block(type_, labels, arguments={name: of(it) for name, it in arguments.items()}, blocks=blocks)


def topic(*blocks: Block, name: str = "it", **arguments: Any) -> Block:
    return block("resource", "aws_sns_topic", name, blocks=blocks, **arguments)


def grown(own: Block, *others: Block) -> Block:
    (found,) = with_growth([TopLevelBlock(block=own)], [TopLevelBlock(block=it) for it in others])
    return found.block


def more(found: Expression) -> set[str] | None:
    """What a list or an object has more."""
    match found:
        case TupleExpr(items, growth):
            assert growth is None or growth.items == items
            return None if growth is None else {it.text or "" for it in growth.more if isinstance(it, Template)}
        case ObjectExpr(more=keys):
            return set(keys)
    raise AssertionError(found)


@pytest.mark.parametrize(
    ("own", "other", "wanted"),
    [
        (["a"], ["a", "b"], {"b"}),
        (["a"], ["c", "a", "b"], {"b", "c"}),
        ([], ["a"], {"a"}),
        (["a"], ["b", "c"], None),
        (["a"], ["a"], None),
        (["a", "b"], ["a"], None),
        (["a"], ["a", "a"], None),
        (["a"], {"a": "b"}, None),
        ({"a": "x"}, {"a": "x", "b": "x"}, {"b"}),
        ({"a": "x"}, {"a": "y", "b": "x"}, {"b"}),
        ({"a": "x"}, {"b": "x"}, set()),
        ({"a": "x"}, {"a": "x"}, set()),
        ({"a": "x"}, "b", set()),
    ],
)
def test_what_a_list_or_an_object_has_more(own: Any, other: Any, wanted: set[str] | None) -> None:
    assert more(grown(topic(it=own), topic(it=other)).arguments["it"]) == wanted


def test_lists_and_objects_within_say_it_too() -> None:
    found = grown(topic(it={"a": ["x"], "b": [["x"]]}), topic(it={"a": ["x", "y"], "b": [["x", "z"]]})).arguments["it"]
    assert isinstance(found, ObjectExpr)
    (_, first), (_, second) = found.items
    assert more(first) == {"y"}
    assert isinstance(second, TupleExpr)
    assert more(second.items[0]) == {"z"}


def test_a_computed_key_is_no_more() -> None:
    computed = Template((Interpolation("var.key"),))
    with_computed = topic(it=ObjectExpr(((text("a"), text("x")), (computed, text("x")))))
    assert more(grown(topic(it={"a": "x"}), with_computed).arguments["it"]) == set()
    assert more(grown(with_computed, topic(it={"a": "x", "b": "x"})).arguments["it"]) == set()


def test_only_the_same_argument_of_the_same_block_is_compared() -> None:
    own = topic(it=["a"])
    assert grown(own, topic(other=["a", "b"])) == own
    assert grown(own, topic(it=["a", "b"], name="other")) == own
    assert grown(own, block("data", "aws_sns_topic", "it", it=["a", "b"])) == own


def test_local_values_are_compared_wherever_they_stand() -> None:
    own = block("locals", it=["a"])
    assert more(grown(own, block("locals", other=[]), block("locals", it=["a", "b"])).arguments["it"]) == {"b"}
    assert grown(own, block("terraform", it=["a", "b"])) == own
    of_no_name = block("moved", it=["a"])
    assert grown(of_no_name, block("moved", it=["a", "b"])) == of_no_name


def statement(sid: str, **arguments: Any) -> Block:
    return block("statement", sid=sid, **arguments)


def test_nested_blocks_are_compared_by_what_else_they_have() -> None:
    own = topic(statement("A", it=["a"]), statement("B", it=["a"]))
    other = topic(statement("New", it=["z"]), statement("B", it=["a", "b"]), statement("A", it=["a", "c"]))
    first, second = grown(own, other).blocks
    assert (more(first.arguments["it"]), more(second.arguments["it"])) == ({"c"}, {"b"})
    assert grown(own, topic(statement("New", it=["a", "b"]))) == own
    same = topic(statement("A", it=["a"]), statement("A", it=["b"]))
    first, second = grown(same, topic(statement("A", it=["a", "x"]), statement("A", it=["b", "y"]))).blocks
    assert (more(first.arguments["it"]), more(second.arguments["it"])) == ({"x"}, {"y"})


def test_a_change_of_items_leaves_what_was_read() -> None:
    found = grown(topic(it=["a"]), topic(it=["a", "b"])).mapped(
        lambda it: Verbatim("changed") if it == text("a") else it
    )
    assert found.arguments["it"] == TupleExpr((Verbatim("changed"),), Growth((text("a"),), frozenset({text("b")})))


def test_nested_blocks_without_a_name_are_compared_with_those_of_the_same_lists() -> None:
    push = block("statement", actions=["push"], it=["a"])
    pull = block("statement", actions=["pull"], it=["a", "b"])
    (found,) = grown(topic(push), topic(pull, push)).blocks
    assert more(found.arguments["it"]) is None


@pytest.mark.parametrize(
    ("own", "other", "wanted"),
    [
        ({"a": []}, {"a": [], "next": []}, {"next"}),
        ({"a": []}, {"a": [], "next": ["x"]}, set()),
        ({"a": "of a"}, {"a": "of a", "next": "of next"}, {"next"}),
        ({"a": "of a"}, {"a": "of a", "next": "other"}, set()),
        ({"a": "of a"}, {"next": "of next"}, set()),
    ],
)
def test_a_value_of_a_new_key_is_alike_if_it_differs_in_the_key_alone(own: Any, other: Any, wanted: set[str]) -> None:
    found = grown(topic(it=own), topic(it=other)).arguments["it"]
    assert isinstance(found, ObjectExpr)
    assert found.alike == wanted
