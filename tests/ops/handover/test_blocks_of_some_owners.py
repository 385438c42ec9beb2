"""A set in a block that only some owners have is a loop only where it is known which of them have the block."""

from typing import Any

import pytest

from ops.handover import shipped
from ops.handover.hcl import Block
from ops.handover.hcl import text as constant
from ops.handover.metadata import TopLevelBlock, collections
from ops.handover.reading import read
from ops.handover.style.owned_collections import owned, with_owners
from tests.ops.handover.cases.owners import if_variable, keys_of, spaces, with_keys
from tests.ops.handover.test_owned_collections import text


@pytest.mark.parametrize("values", [{}, {"red": "true"}], ids=["a variable", "a text"])
def test_a_set_stays_where_it_is_not_known_whether_a_flag_is_true(values: dict[str, Any]) -> None:
    document = if_variable()
    for key, value in values.items():
        document["locals"]["spaces"][key]["has_keys"] = value
    found = text(document)
    assert "resources = each.value.keys" in found
    assert found.count("for mirror in each.value.mirrors") == 1


def test_a_set_stays_where_no_owner_has_the_flag() -> None:
    document = if_variable()
    document["data"]["aws_iam_policy_document"]["it"]["dynamic"]["statement"]["for_each"] = "${each.value.x ? [1] : []}"
    assert "resources = each.value.keys" in text(document)


@pytest.mark.parametrize(("red", "is_known"), [("y", True), ("${var.it}", False)])
def test_a_condition_stays_where_its_value_may_be_null(red: str, is_known: bool) -> None:
    document = with_keys()
    for key, value in {"blue": "x", "red": red}.items():
        document["locals"]["spaces"][key]["it"] = value
    policy = document["data"]["aws_iam_policy_document"]["it"]
    del policy["statement"][1]
    policy["dynamic"] = {
        "statement": keys_of(flag="${each.value.it == null ? [] : [1]}", resources="${each.value.keys}")
    }
    found = text({**document, "variable": {"it": {"type": "string"}}})
    assert ("for_each = each.value.it == null ? [] : [1]" not in found) is is_known
    assert ("resources = each.value.keys" not in found) is is_known


def test_only_the_local_value_of_the_owners_is_marked() -> None:
    document = spaces()
    blocks = read(document, name="bridge", schemas=shipped())
    others = [
        TopLevelBlock(block=Block("locals", arguments={"other": constant("x")})),
        TopLevelBlock(block=Block("module", ("it",), arguments={"spaces": constant("x")})),
    ]
    marked = with_owners([*blocks, *others], owned(collections(document), blocks))
    assert [(it.block.type, [*it.block.arguments]) for it in marked if it.owned] == [("locals", ["spaces"])]
