"""What the IAM guide says about the evaluation of all policies together, example by example."""

from typing import Any

import pytest

from iam.evaluation import evaluate
from iam.requests import Principal, Request
from tests.iam.guide.requests import (
    ACCOUNT,
    BOB,
    LAMBDA,
    STRANGER,
    identity_policy,
    resource_policy,
)

LOGIC = "reference_policies_evaluation-logic"
CROSS = "reference_policies_evaluation-logic-cross-account"


@pytest.mark.parametrize(
    ("page", "identity", "resource", "principal", "expected"),
    [
        (LOGIC, None, None, BOB, False),
        (LOGIC, "Allow", None, BOB, True),
        (LOGIC, "Deny", None, BOB, False),
        (LOGIC, None, ("Allow", "*"), BOB, True),
        (LOGIC, "Deny", ("Allow", "*"), BOB, False),
        (LOGIC, "Allow", ("Deny", "*"), BOB, False),
        (LOGIC, "Allow", ("Allow", {"AWS": ACCOUNT}), BOB, True),
        (CROSS, "Allow", None, STRANGER, False),
        (CROSS, None, ("Allow", {"AWS": "999999999999"}), STRANGER, False),
        (CROSS, "Allow", ("Allow", {"AWS": "999999999999"}), STRANGER, True),
        (CROSS, "Allow", ("Allow", {"AWS": STRANGER.name}), STRANGER, True),
        (CROSS, "Allow", ("Deny", "*"), STRANGER, False),
    ],
)
def test_a_deny_comes_first_and_another_account_needs_both(
    page: str, identity: str | None, resource: tuple[str, Any] | None, principal: Principal, expected: bool
) -> None:
    asked = Request(principal=principal, action="s3:GetObject", resource="arn:aws:s3:::bucket/key")
    found = evaluate(
        asked,
        identity=[identity_policy(identity)] if identity else [],
        resource=[resource_policy(resource[1], resource[0])] if resource else [],
        resource_account=ACCOUNT,
    )
    assert found.allowed == expected, page


def test_only_the_principals_in_its_trust_policy_may_assume_a_role() -> None:
    def assumes(principal: Principal, named: Any, *, identity: bool) -> bool:
        asked = Request(principal=principal, action="sts:AssumeRole", resource=f"arn:aws:iam::{ACCOUNT}:role/r")
        return evaluate(
            asked,
            identity=[identity_policy()] if identity else [],
            resource=[resource_policy(named)],
            resource_account=ACCOUNT,
            resource_decides=True,
        ).allowed

    assert assumes(LAMBDA, {"Service": "lambda.amazonaws.com"}, identity=False)
    assert not assumes(BOB, {"Service": "lambda.amazonaws.com"}, identity=True)
    assert assumes(BOB, {"AWS": BOB.name}, identity=False)
    assert assumes(BOB, {"AWS": ACCOUNT}, identity=True)
    assert not assumes(BOB, {"AWS": ACCOUNT}, identity=False)
