"""What tests of the bridge read from its Terraform."""

from typing import Any

from tests.terraform import Terraform

PRD_ALONE = {"dev": None, "prd.codecommit.push": None}
HERE = "ap-northeast-1:222222222222"


def permissions(bridge: Terraform, role: str) -> dict[str, dict[str, Any]]:
    """The statements of a role's own policy, by sid."""
    return bridge.statements(bridge.resource(f"aws_iam_role_policy.{role}_policy")["policy"])


def allowed(bridge: Terraform, role: str) -> dict[str, tuple[list[str], list[str]]]:
    """The actions and the resources of each of a role's statements, by sid."""
    found = permissions(bridge, role)
    return {sid: (statement["actions"], statement["resources"]) for sid, statement in found.items()}
