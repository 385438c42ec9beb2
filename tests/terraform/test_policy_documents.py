from typing import Any

import pytest

from terraform.policy_documents import NotRenderedError, render


def _plain(value: Any, _: tuple[str | int, ...]) -> list[str]:
    return list(value)


def _rendered(*statements: dict[str, Any]) -> Any:
    return render({"statement": list(statements)}, _plain)["Statement"]


def test_renders_every_element_of_a_statement() -> None:
    statement = {
        "sid": "Pull",
        "effect": "Deny",
        "not_actions": ["codecommit:GitPull"],
        "resources": ["*"],
        "not_principals": [{"type": "AWS", "identifiers": ["222222222222"]}],
        "condition": [{"test": "Bool", "variable": "aws:SecureTransport", "values": ["false"]}],
    }
    assert _rendered(statement) == [
        {
            "Sid": "Pull",
            "Effect": "Deny",
            "NotAction": ["codecommit:GitPull"],
            "Resource": ["*"],
            "NotPrincipal": {"AWS": ["222222222222"]},
            "Condition": {"Bool": {"aws:SecureTransport": ["false"]}},
        }
    ]


def test_leaves_out_elements_that_a_plan_lists_as_null_or_empty() -> None:
    statement = {"sid": "", "effect": None, "actions": ["s3:GetObject"], "not_actions": None, "principals": []}
    arguments = {"statement": [statement], "id": "123", "json": "{}", "source_policy_documents": None, "version": None}
    assert render(arguments, _plain) == {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"]}],
    }


def test_keeps_the_version_and_the_id() -> None:
    arguments = {"version": "2008-10-17", "policy_id": "x", "statement": []}
    assert render(arguments, _plain) == {"Version": "2008-10-17", "Id": "x", "Statement": []}


def test_joins_principals_of_one_type_and_conditions_with_one_test_and_variable() -> None:
    principals = [{"type": "Service", "identifiers": ["a"]}, {"type": "Service", "identifiers": ["b"]}]
    condition = {"test": "IpAddress", "variable": "aws:SourceIp"}
    conditions = [{**condition, "values": ["192.0.2.1/32"]}, {**condition, "values": ["192.0.2.2/32"]}]
    (statement,) = _rendered({"actions": ["s3:*"], "principals": principals, "condition": conditions})
    assert statement["Principal"] == {"Service": ["a", "b"]}
    assert statement["Condition"] == {"IpAddress": {"aws:SourceIp": ["192.0.2.1/32", "192.0.2.2/32"]}}


def test_writes_everyone_as_a_star_only_without_other_principals() -> None:
    everybody = {"type": "*", "identifiers": ["*"]}
    (statement,) = _rendered({"actions": ["s3:*"], "principals": [everybody]})
    assert statement["Principal"] == "*"
    account = {"type": "AWS", "identifiers": ["111111111111"]}
    (statement,) = _rendered({"actions": ["s3:*"], "principals": [everybody, account]})
    assert statement["Principal"] == {"*": ["*"], "AWS": ["111111111111"]}


def test_replaces_the_mark_of_iams_own_variables_but_not_in_actions() -> None:
    (statement,) = _rendered({"actions": ["s3:&{x}"], "resources": ["arn:aws:s3:::home/&{aws:username}"]})
    assert (statement["Action"], statement["Resource"]) == (["s3:&{x}"], ["arn:aws:s3:::home/${aws:username}"])


def test_asks_for_each_list_with_its_place_in_the_document() -> None:
    asked: dict[tuple[str | int, ...], Any] = {}

    def record(value: Any, path: tuple[str | int, ...]) -> list[str]:
        asked[path] = value
        return ["x"]

    condition = {"test": "StringEquals", "variable": "aws:x", "values": ["v"]}
    first, second = {"actions": ["a"]}, {"actions": None, "resources": ["r"], "condition": [condition]}
    render({"statement": [first, second]}, record)
    assert asked["statement", 0, "actions"] == ["a"]
    assert asked["statement", 1, "actions"] == []
    assert asked["statement", 1, "condition", 0, "values"] == ["v"]


@pytest.mark.parametrize(
    ("arguments", "what", "statement"),
    [
        ({"source_policy_documents": ["{}"], "statement": []}, "source_policy_documents", None),
        ({"override_json": "{}", "source_json": "{}", "statement": []}, "override_json, source_json", None),
        ({"statement": ["text"]}, "statement that is not a block", None),
        ({"statement": [{"actions": ["a"]}, {"actoins": ["a"]}]}, "actoins", 1),
        ({"statement": [{"condition": ["text"]}]}, "condition that is not a block", 0),
    ],
)
def test_refuses_a_document_that_it_cannot_render(arguments: dict[str, Any], what: str, statement: int | None) -> None:
    with pytest.raises(NotRenderedError) as refused:
        render(arguments, _plain)
    assert (refused.value.what, refused.value.statement) == (what, statement)
