import json
from typing import Any

import pytest

from iam.comparison import StatementDifference, compared, not_understood, statements, to_the_world
from iam.statements import Condition, Statement


def _read(**elements: Any) -> list[Statement]:
    statement = {"Sid": "S", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"} | elements
    found = statements(json.dumps({"Version": "2012-10-17", "Statement": statement}))
    assert found is not None
    return found


def _shown(found: list[StatementDifference]) -> list[tuple[object, str | None, bool, bool]]:
    parts = [each.part.written if isinstance(each.part, Condition) else each.part for each in found]
    return [(part, each.value, each.is_added, each.widens) for part, each in zip(parts, found, strict=True)]


def test_the_order_of_values_and_the_case_of_keys_make_no_difference() -> None:
    before = _read(Action=["s3:A", "s3:B"], Condition={"StringEquals": {"aws:SourceVpce": ["x", "y"]}})
    after = _read(Action=["s3:B", "s3:A"], Condition={"StringEquals": {"AWS:sourcevpce": ["y", "x"]}})
    assert before == after
    assert compared(before, after) == []


def test_a_difference_names_part_value_and_whether_it_widens() -> None:
    here = {"IpAddress": {"aws:SourceIp": ["198.51.100.0/28"]}}
    there = {"IpAddress": {"aws:SourceIp": ["198.51.100.0/29", "203.0.113.0/24"]}}
    before, after = _read(Condition=here), _read(Action=["s3:PutObject"], Condition=there)
    assert _shown(compared(before, after)) == [
        ("Action", "s3:PutObject", True, True),
        ("IpAddress aws:SourceIp", "203.0.113.0/24", True, True),
        ("Action", "s3:GetObject", False, False),
        ("IpAddress aws:SourceIp", "198.51.100.0/29", True, False),
        ("IpAddress aws:SourceIp", "198.51.100.0/28", False, False),
    ]


def test_a_removed_deny_widens() -> None:
    assert _shown(compared(_read(Effect="Deny"), [])) == [(None, None, False, True)]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ({"Effect": "Allow", "Principle": "*", "Action": "*"}, "statement 1: 'Principle' in a statement"),
        ({"Effect": "Allow", "Action": "*", "Condition": ["x"]}, "statement 1: conditions that are no JSON object"),
        ({"Effect": "Perhaps", "Action": "*"}, "statement 1: effect 'Perhaps'"),
    ],
)
def test_unreadable_statements_do_not_count_as_none(statement: dict[str, Any], reason: str) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert statements(text) is None
    error = not_understood(text)
    assert error is not None
    assert error.reason == f"the policy, {reason}"


def test_a_text_without_statements_is_not_a_policy() -> None:
    assert [not_understood(text) for text in ("", "{", '{"rules": []}', None)] == [None] * 4


@pytest.mark.parametrize(
    ("operator", "is_open"),
    [
        ("StringEquals", False),
        ("StringEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("StringNotEquals", True),
        ("Null", True),
    ],
)
def test_only_a_condition_that_fails_without_its_key_narrows_a_policy_for_everybody(
    operator: str, is_open: bool
) -> None:
    (statement,) = _read(Principal="*", Condition={operator: {"aws:PrincipalOrgID": "o-1"}})
    assert to_the_world(statement) is is_open
