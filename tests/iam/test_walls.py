"""A change that opens the endpoint for S3 is refused."""

from typing import Any

import pytest

from tests.iam.changes import Change, Json, added, findings, statement
from tests.terraform import Stacks

NETWORK = "dev-network"


def endpoint(sid: str, **changes: Any) -> Change:
    return lambda stacks: statement(stacks, NETWORK, "endpoints_s3_policy", sid).update(changes)


def account(test: str, *accounts: str) -> list[Json]:
    return [{"test": test, "variable": "aws:ResourceAccount", "values": list(accounts)}]


ENDPOINTS: dict[str, Change] = {
    "a stranger's bucket": endpoint("ReadPackages", resources=["arn:aws:s3:::amazon-ssm-evil/*"]),
    "another region's bucket": endpoint("ReadPackages", resources=["arn:aws:s3:::amazon-ssm-us-east-1/*"]),
    "every bucket to read": endpoint("ReadPackages", resources=["*"]),
    "all buckets but one": endpoint("ReadPackages", resources=[], not_resources=["arn:aws:s3:::x/*"]),
    "all actions but one": endpoint("ReadPackages", actions=[], not_actions=["s3:ListBucket"]),
    "every bucket of the account": endpoint("KeepBackups", resources=["arn:aws:s3:::*"]),
    "a bucket of any account": endpoint("KeepBackups", condition=[]),
    "two accounts": endpoint("KeepBackups", condition=account("StringEquals", "111111111111", "999999999999")),
    "an account that need not be known": endpoint(
        "KeepBackups", condition=account("StringEqualsIfExists", "111111111111")
    ),
    "any action": endpoint("KeepBackups", actions=["s3:*"]),
    "S3 under another name": added(NETWORK, "aws_vpc_endpoint", service_name="com.amazonaws.s3-global.accesspoint"),
    "another region": added(NETWORK, "aws_vpc_endpoint", service_name="com.amazonaws.us-east-1.ssm"),
}


@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_endpoint_that_leads_to_more_is_refused(example: Stacks, name: str) -> None:
    assert any("endpoints-lead-to-named-buckets" in one for one in findings(example, ENDPOINTS[name]))
