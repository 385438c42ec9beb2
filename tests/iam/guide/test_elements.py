"""What the IAM guide says about a statement's elements, example by example."""

from typing import Any

import pytest

from iam.documents import parse
from iam.evaluation import evaluate
from iam.requests import Principal, Request
from iam.statements import UnsupportedError
from tests.iam.guide.requests import (
    ACCOUNT,
    BOB,
    LAMBDA,
    NOBODY,
    STRANGER,
    identity_policy,
    resource_policy,
)

VARIABLES = "reference_policies_variables"
ACTION = "reference_policies_elements_action"
NOT_ACTION = "reference_policies_elements_notaction"
RESOURCE = "reference_policies_elements_resource"
NOT_RESOURCE = "reference_policies_elements_notresource"
PRINCIPAL = "reference_policies_elements_principal"
NOT_PRINCIPAL = "reference_policies_elements_notprincipal"

ELEMENTS: list[tuple[str, dict[str, Any], str, str, bool]] = [
    (ACTION, {"Action": "ec2:StartInstances"}, "EC2:startinstances", "*", True),
    (ACTION, {"Action": ["sqs:SendMessage", "sqs:ReceiveMessage"]}, "sqs:ReceiveMessage", "*", True),
    (ACTION, {"Action": "s3:*"}, "s3:GetObject", "*", True),
    (ACTION, {"Action": "iam:*AccessKey*"}, "iam:CreateAccessKey", "*", True),
    (ACTION, {"Action": "iam:*AccessKey*"}, "iam:CreateUser", "*", False),
    (ACTION, {"Action": "s3:Get?bject"}, "s3:GetObject", "*", True),
    (ACTION, {"Action": "s3:*"}, "s3-object-lambda:GetObject", "*", False),
    (NOT_ACTION, {"Action": None, "NotAction": "iam:*"}, "s3:DeleteBucket", "*", True),
    (NOT_ACTION, {"Action": None, "NotAction": "iam:*"}, "iam:CreateUser", "*", False),
    (NOT_ACTION, {"Action": None, "NotAction": ["iam:*", "s3:Get*"]}, "s3:GetObject", "*", False),
    (RESOURCE, {"Resource": "arn:aws:sqs:us-east-2:1:queue1"}, "sqs:X", "arn:aws:sqs:us-east-2:1:queue1", True),
    (RESOURCE, {"Resource": "arn:aws:iam::1:user/Bob"}, "iam:GetUser", "arn:aws:iam::1:user/bob", False),
    (RESOURCE, {"Resource": "arn:aws:iam::1:user/accounting/*"}, "iam:X", "arn:aws:iam::1:user/accounting/a/b", True),
    (RESOURCE, {"Resource": "arn:aws:s3:::b/*/test/*"}, "s3:X", "arn:aws:s3:::b/1///test///object.jpg", True),
    (RESOURCE, {"Resource": "arn:aws:s3:::b/*/test/*"}, "s3:X", "arn:aws:s3:::b//test/object.jpg", True),
    (RESOURCE, {"Resource": "arn:aws:s3:::b/*/test/*"}, "s3:X", "arn:aws:s3:::b/1-test/object.jpg", False),
    (RESOURCE, {"Resource": "arn:aws:s3:::b/*/test/*"}, "s3:X", "arn:aws:s3:::b/test/object.jpg", False),
    (RESOURCE, {"Resource": "arn:aws:d:*:*:table/p-*"}, "d:X", "arn:aws:d:r:1:table/p-x", True),
    (RESOURCE, {"Resource": "arn:aws:d:*:*:table/p-*"}, "d:X", "arn:aws:d:r:1:table/q-x", False),
    (RESOURCE, {"Resource": "arn:aws:d:us-*-1:1:t"}, "d:X", "arn:aws:d:us-east-1:1:t", True),
    (RESOURCE, {"Resource": "arn:aws:d:us-*-1:1:t"}, "d:X", "arn:aws:d:us-east:2-1:1:t", False),
    (RESOURCE, {"Resource": "arn:aws:d:r:?:t"}, "d:X", "arn:aws:d:r:1:t", True),
    (NOT_RESOURCE, {"Resource": None, "NotResource": "arn:aws:s3:::h/*"}, "s3:X", "arn:aws:s3:::h/x", False),
    (NOT_RESOURCE, {"Resource": None, "NotResource": "arn:aws:s3:::h/*"}, "s3:X", "arn:aws:s3:::other/x", True),
    (VARIABLES, {"Resource": "arn:aws:s3:::b/${aws:username}/*"}, "s3:X", "arn:aws:s3:::b/bob/x", True),
    (VARIABLES, {"Resource": "arn:aws:s3:::b/${aws:username}/*"}, "s3:X", "arn:aws:s3:::b/eve/x", False),
    (VARIABLES, {"Resource": "arn:aws:s3:::b/${aws:userid}"}, "s3:X", "arn:aws:s3:::b/", False),
    (
        VARIABLES,
        {"Resource": "arn:aws:sqs:us-east-2:*:${aws:username}-queue"},
        "sqs:X",
        "arn:aws:sqs:us-east-2:1:bob-queue",
        True,
    ),
]


@pytest.mark.parametrize(("page", "statement", "action", "resource", "expected"), ELEMENTS)
def test_an_element_works_as_the_guide_says(
    page: str, statement: dict[str, Any], action: str, resource: str, expected: bool
) -> None:
    whole = {"Effect": "Allow", "Action": "*", "Resource": "*"} | statement
    document = {
        "Version": "2012-10-17",
        "Statement": {element: value for element, value in whole.items() if value is not None},
    }
    asked = Request(principal=BOB, action=action, resource=resource, context={"aws:username": "bob"})
    assert evaluate(asked, identity=[parse(document, "policy")]).allowed == expected, page


PRINCIPALS: list[tuple[str, Any, Principal, bool]] = [
    (PRINCIPAL, "*", BOB, True),
    (PRINCIPAL, "*", NOBODY, True),
    (PRINCIPAL, {"AWS": "*"}, NOBODY, True),
    (PRINCIPAL, {"AWS": f"arn:aws:iam::{ACCOUNT}:user/Bob"}, BOB, True),
    (PRINCIPAL, {"AWS": f"arn:aws:iam::{ACCOUNT}:user/bob"}, BOB, False),
    (PRINCIPAL, {"AWS": ["999999999999", f"arn:aws:iam::{ACCOUNT}:user/Bob"]}, BOB, True),
    (PRINCIPAL, {"Service": "lambda.amazonaws.com"}, LAMBDA, True),
    (PRINCIPAL, {"Service": "ec2.amazonaws.com"}, LAMBDA, False),
    (PRINCIPAL, {"Service": "lambda.amazonaws.com"}, BOB, False),
    # A policy that names only the account leaves the decision to the account's policies, and there are none here.
    (PRINCIPAL, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, BOB, False),
    (PRINCIPAL, {"AWS": ACCOUNT}, BOB, False),
]


@pytest.mark.parametrize(("page", "named", "principal", "expected"), PRINCIPALS)
def test_a_resource_admits_the_principals_in_its_policy(
    page: str, named: Any, principal: Principal, expected: bool
) -> None:
    asked = Request(principal=principal, action="s3:GetObject", resource="arn:aws:s3:::bucket/key")
    found = evaluate(asked, resource=[resource_policy(named)], resource_account=ACCOUNT)
    assert found.allowed == expected, page


def test_not_principal_includes_everyone_except_those() -> None:
    policy = resource_policy({"AWS": [ACCOUNT, BOB.name]}, effect="Deny", element="NotPrincipal")
    for principal, expected in ((BOB, True), (STRANGER, False)):
        asked = Request(principal=principal, action="s3:GetObject", resource="arn:aws:s3:::bucket/key")
        given = [policy, resource_policy("*")]
        found = evaluate(asked, identity=[identity_policy()], resource=given, resource_account=ACCOUNT)
        assert found.allowed == expected, NOT_PRINCIPAL


@pytest.mark.parametrize("named", [BOB.name, ACCOUNT])
def test_not_principal_without_the_account_or_with_it_alone_is_refused(named: str) -> None:
    policy = resource_policy({"AWS": named}, effect="Deny", element="NotPrincipal")
    asked = Request(principal=BOB, action="s3:GetObject", resource="arn:aws:s3:::bucket/key")
    with pytest.raises(UnsupportedError) as refused:
        evaluate(asked, identity=[identity_policy()], resource=[policy], resource_account=ACCOUNT)
    assert refused.value.reason == (
        "resource, statement S: whom a NotPrincipal means that names a principal or its account alone"
    ), NOT_PRINCIPAL
