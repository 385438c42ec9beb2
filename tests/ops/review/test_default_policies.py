"""Policies without which AWS allows everything: those of VPC endpoints and file systems."""

from typing import Any

import pytest

from tests.ops.review.plans import found_rules, reviewed
from tests.ops.review.rule_cases import PlannedChange, allow, created, deny, policy, updated
from tests.terraform.plans import change, plan

PACKAGES = "arn:aws:s3:::al2023-repos-ap-northeast-1-de612dc2/*"
S3 = "com.amazonaws.ap-northeast-1.s3"


def through(*resources: str, **more: Any) -> str:
    return policy(allow(Action="s3:GetObject", Principal="*", Resource=list(resources), **more))


def rules(planned: PlannedChange, **more: Any) -> set[str]:
    return {rule for rule, address in found_rules(reviewed(plan(planned, **more))) if address == planned["address"]}


@pytest.mark.parametrize("kind", ["aws_vpc_endpoint", "aws_vpc_endpoint_policy"])
@pytest.mark.parametrize("resource", ["*", "arn:aws:s3:::*", "arn:aws:s3:::amazon-ssm-*/*"])
def test_an_endpoint_that_leads_to_any_bucket_is_dangerous(kind: str, resource: str) -> None:
    opened = updated(kind, "policy", through(PACKAGES), through(PACKAGES, resource))
    assert {"policy-to-the-world", "policy-widened"} <= rules(opened)


def test_an_endpoint_that_leads_to_named_buckets_is_not_open_to_the_world() -> None:
    widened = updated("aws_vpc_endpoint", "policy", through(), through(PACKAGES))
    assert "policy-widened" in rules(widened)
    assert "policy-to-the-world" not in rules(widened)


def test_a_new_endpoint_without_a_policy_is_dangerous() -> None:
    assert "policy-to-the-world" in rules(created("aws_vpc_endpoint", service_name=S3))
    assert "policy-to-the-world" in rules(created("aws_vpc_endpoint", service_name="com.amazonaws.us-east-1.sqs"))
    assert "policy-to-the-world" not in rules(created("aws_vpc_endpoint", service_name=S3, policy=through(PACKAGES)))
    agent = created("aws_vpc_endpoint", service_name="com.amazonaws.ap-northeast-1.ssm")
    assert "policy-to-the-world" in rules(agent)


def test_an_endpoint_that_loses_its_policy_or_a_condition_of_it_is_dangerous() -> None:
    def serves(**accounts: str) -> str:
        return policy(allow(Action="ssm:*", Principal="*", Resource="*", Condition={"StringEquals": accounts}))

    mine = {"aws:PrincipalAccount": "111111111111", "aws:ResourceAccount": "111111111111"}
    assert "policy-removed" in rules(updated("aws_vpc_endpoint", "policy", serves(**mine), ""))
    for name in mine:
        others = {key: value for key, value in mine.items() if key != name}
        assert "policy-widened" in rules(updated("aws_vpc_endpoint", "policy", serves(**mine), serves(**others)))
    strangers = {"aws:ResourceAccount": "111111111111"}
    assert "policy-to-the-world" in rules(updated("aws_vpc_endpoint", "policy", serves(**mine), serves(**strangers)))


def test_an_endpoint_that_is_removed_with_its_policy_opens_nothing() -> None:
    assert "policy-removed" not in rules(change("aws_vpc_endpoint.it", "delete", {"policy": through(PACKAGES)}))


def test_a_new_endpoint_whose_policy_terraform_does_not_set_is_dangerous() -> None:
    def planned(**expressions: Any) -> set[str]:
        after = {"service_name": S3}
        endpoint = change("aws_vpc_endpoint.it", "create", None, after, unknown={"policy": True})
        resource = {"address": "aws_vpc_endpoint.it", "type": "aws_vpc_endpoint", "expressions": expressions}
        return rules(endpoint, configuration={"root_module": {"resources": [resource]}})

    assert "policy-to-the-world" in planned()
    assert "policy-to-the-world" not in planned(policy={"references": ["data.aws_iam_policy_document.it.json"]})


@pytest.mark.parametrize("kind", ["aws_efs_file_system_policy", "aws_vpc_endpoint_policy"])
def test_a_removed_policy_is_dangerous_where_aws_then_allows_everything(kind: str) -> None:
    assert "policy-removed" in rules(change(f"{kind}.it", "delete", {"policy": through(PACKAGES)}))


@pytest.mark.parametrize(("through_targets", "is_open"), [("true", False), ("false", True)])
def test_a_file_system_is_open_unless_it_is_mounted_through_its_targets(through_targets: str, is_open: bool) -> None:
    condition = {"Bool": {"elasticfilesystem:AccessedViaMountTarget": through_targets}}
    mounts = policy(allow(Action="elasticfilesystem:ClientMount", Principal="*", Resource="*", Condition=condition))
    found = rules(updated("aws_efs_file_system_policy", "policy", "", mounts))
    assert ("policy-to-the-world" in found) == is_open


def test_a_file_system_that_no_longer_demands_tls_is_dangerous() -> None:
    insecure = deny(Action="elasticfilesystem:ClientMount", Condition={"Bool": {"aws:SecureTransport": "false"}})
    assert "policy-widened" in rules(
        updated("aws_efs_file_system_policy", "policy", policy(allow(), insecure), policy(allow()))
    )
