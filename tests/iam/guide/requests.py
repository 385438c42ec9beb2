"""Principals, policies, and the decision under a policy, for all tests of AWS's IAM guide.

The guide's pages are https://docs.aws.amazon.com/IAM/latest/UserGuide/<page>.html.
"""

from typing import Any

from iam.documents import parse
from iam.evaluation import Decision, evaluate
from iam.requests import Principal, Request
from iam.statements import Policy

ACCOUNT = "111122223333"
BOB = Principal(kind="user", name=f"arn:aws:iam::{ACCOUNT}:user/Bob", account=ACCOUNT)
STRANGER = Principal(kind="user", name="arn:aws:iam::999999999999:user/Eve", account="999999999999")
LAMBDA = Principal(kind="service", name="lambda.amazonaws.com")
NOBODY = Principal(kind="anonymous")

Context = dict[str, Any]


def decide(
    *statements: dict[str, Any],
    action: str = "s3:GetObject",
    resource: str = "arn:aws:s3:::bucket/key",
    context: Context | None = None,
    version: str = "2012-10-17",
) -> Decision:
    documents = [{"Effect": "Allow", "Action": "*", "Resource": "*"} | statement for statement in statements]
    policy = parse({"Version": version, "Statement": documents}, "policy")
    asked = Request(principal=BOB, action=action, resource=resource, context=context or {})
    return evaluate(asked, identity=[policy])


def resource_policy(principal: Any, effect: str = "Allow", element: str = "Principal") -> Policy:
    statement = {"Sid": "S", "Effect": effect, element: principal, "Action": "*", "Resource": "*"}
    return parse({"Version": "2012-10-17", "Statement": [statement]}, "resource")


def identity_policy(effect: str = "Allow") -> Policy:
    return parse({"Statement": {"Effect": effect, "Action": "*", "Resource": "*"}}, "identity")
