"""A long value has a name where Terraform evaluates it anyway: a local value has no count."""

from typing import Any

import pytest

from ops.handover import convert, shipped
from tests.ops.handover.cases.documents import Document
from tests.ops.handover.cases.instances import INSTANCES, instances


def _text(document: Document) -> str:
    return "\n".join(convert(document, name="web", schemas=shipped()).files.values())


@pytest.mark.parametrize("case", INSTANCES)
def test_a_value_stays_in_resources_that_may_have_no_instance(case: str) -> None:
    assert "local." not in _text(INSTANCES[case])


@pytest.mark.parametrize("names", ["a", "ab"])
def test_a_value_of_resources_that_have_an_instance_has_a_name(names: str) -> None:
    assert "jsonencode" not in _text(instances(*names)).partition("resource")[2]


@pytest.mark.parametrize("more", [{"for_each": '${toset(["k"])}'}, {"of": "x", "count": 0}])
def test_a_value_of_two_has_a_name_where_an_instance_is_certain_or_it_cannot_fail(more: dict[str, Any]) -> None:
    assert _text(instances("a", "b", **more)).count("input = local.input\n") == 2


def test_a_value_of_two_has_a_name_where_one_of_them_has_an_instance() -> None:
    document = instances("a", "b")
    document["resource"]["terraform_data"]["a"]["count"] = 0
    assert _text(document).count("input = local.input\n") == 2
