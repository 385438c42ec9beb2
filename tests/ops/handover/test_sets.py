"""A set that names every member of a block becomes a `for` expression. Cases of `cases/sets.py` show equal plans."""

import re

import pytest

from ops.handover import convert, shipped
from tests.ops.handover.cases.documents import Document
from tests.ops.handover.cases.sets import SETS


def argument(document: Document, name: str) -> str:
    text = "\n".join(convert(document, name="web", schemas=shipped()).files.values())
    found = re.search(rf"^ *{name} = (.*?)(?=^ *\w+ = |^ *\}}|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return " ".join(found[1].split())


@pytest.mark.parametrize(
    ("case", "value"),
    [
        ("in_another_order", "[for topic in aws_sns_topic.it : topic.arn]"),
        ("with_others", 'concat(["*", "x"], [for topic in aws_sns_topic.it : topic.arn])'),
        (
            "with_two_of_each",
            "concat([for topic in aws_sns_topic.it : topic.arn], [for queue in aws_sqs_queue.it : queue.arn])",
        ),
        ("of_texts", '[for topic in aws_sns_topic.it : "${topic.arn}/*"]'),
        ("in_a_dynamic_block", "[for topic in aws_sns_topic.it : topic.arn]"),
    ],
)
def test_writes_a_set_of_members_as_a_loop(case: str, value: str) -> None:
    assert argument(SETS[case], "resources") == value


def test_writes_identifiers_of_resources_as_a_loop() -> None:
    expected = "concat([aws_route_table.public.id], [for table in aws_route_table.it : table.id])"
    assert argument(SETS["of_route_tables"], "route_table_ids") == expected


def test_keeps_some_members_in_a_set() -> None:
    assert argument(SETS["of_some"], "resources") == '[aws_sns_topic.it["c"].arn]'


def test_keeps_a_set_with_an_unknown_value_twice() -> None:
    assert argument(SETS["with_one_twice"], "resources").count("aws_sns_topic.it[") == 3


def test_keeps_a_list_in_another_order() -> None:
    expected = '[aws_sns_topic.it["c"].name, aws_sns_topic.it["a"].name]'
    assert argument(SETS["in_a_list_of_values"], "values") == expected


def test_keeps_members_where_it_is_not_known_whether_they_are_a_set() -> None:
    providers = {"aws": {"source": "hashicorp/aws", "version": ">= 4.0"}}
    document = SETS["in_another_order"] | {"terraform": {"required_providers": providers}}
    assert argument(document, "resources") == '[aws_sns_topic.it["c"].arn, aws_sns_topic.it["a"].arn]'


@pytest.mark.parametrize(("constraint", "is_known"), [("~> 5.0", True), ("5.31.0", False), ("~> 5.31.0", False)])
def test_keeps_members_where_the_stack_has_another_release_than_the_schema(constraint: str, is_known: bool) -> None:
    providers = {"aws": {"source": "hashicorp/aws", "version": constraint}}
    document = SETS["in_another_order"] | {"terraform": {"required_providers": providers}}
    loop, members = (
        "[for topic in aws_sns_topic.it : topic.arn]",
        '[aws_sns_topic.it["c"].arn, aws_sns_topic.it["a"].arn]',
    )
    assert argument(document, "resources") == (loop if is_known else members)
