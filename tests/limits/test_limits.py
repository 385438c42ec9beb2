import base64
import random
from typing import Any

import pytest

from limits import LIMITS, problems
from terraform.references import Configuration
from tests.terraform import Stacks

ASSUME = {
    "sid": "Assume",
    "effect": "Allow",
    "actions": ["sts:AssumeRole"],
    "principals": [{"type": "Service", "identifiers": ["ec2.amazonaws.com"]}],
}


def _found(resources: dict[str, Any], **rest: Any) -> list[str]:
    """The problems of some resources, each called `x`, given by type and arguments."""
    terraform = {"resource": {kind: {"x": arguments} for kind, arguments in resources.items()}, **rest}
    return [str(problem) for problem in problems({"some-stack": terraform})]


def _documents(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"aws_iam_policy_document": {"x": {"statement": list(statements)}}}


def test_finds_nothing_wrong_with_the_example(example: Stacks) -> None:
    assert problems({name: terraform.json for name, terraform in example.terraform.items()}) == []


@pytest.mark.parametrize(
    ("kind", "arguments", "where", "what", "hint"),
    [
        (
            "aws_instance",
            {"user_data": "x" * 16_385, "instance_type": "c7i.large"},
            "user_data",
            "16,385 bytes, EC2 takes 16,384",
            "shorten what the server is told on its first boot",
        ),
        (
            "aws_launch_template",
            {"user_data": base64.b64encode(b"x" * 16_385).decode()},
            "user_data",
            "16,385 bytes, EC2 takes 16,384",
            "name fewer hosts",
        ),
        (
            "aws_lb",
            {"name": "internal-proxy"},
            "name",
            "'internal-proxy' is not what AWS takes",
            "AWS takes 1-32 letters, digits and '-', not at an end, and not internal- at the beginning",
        ),
        (
            "aws_lb_target_group",
            {"name": "x" * 33},
            "name",
            f"'{'x' * 33}' is not what AWS takes",
            "AWS takes 1-32 letters, digits and '-', not at an end, and not internal- at the beginning",
        ),
        (
            "aws_instance",
            {"instance_type": "large"},
            "instance_type",
            "'large' is not what AWS takes",
            "name an EC2 instance type",
        ),
        (
            "aws_security_group",
            {"description": "門番", "name": "x"},
            "description",
            "'門番' is not what AWS takes",
            "use plain ASCII letters, digits and punctuation",
        ),
        (
            "aws_vpc_security_group_ingress_rule",
            {"description": "a\nb", "security_group_id": "sg-1"},
            "description",
            r"'a\nb' is not what AWS takes",
            "use plain ASCII letters, digits and punctuation",
        ),
        (
            "aws_scheduler_schedule",
            {"schedule_expression": "cron(0 8 * * * *)", "name": "x"},
            "schedule_expression",
            "'cron(0 8 * * * *)' needs '?' in exactly one of day of month and day of week",
            "write it like cron(0 9 ? * MON-FRI *) or rate(1 hour)",
        ),
        (
            "aws_api_gateway_integration",
            {"request_templates": {"text/plain": "橋" * 100_001}},
            "request_templates",
            "300,003 bytes for text/plain, API Gateway takes 300,000",
            "divide the mirrors among deployments",
        ),
        (
            "aws_api_gateway_integration_response",
            {"response_templates": {"text/plain": "x" * 300_001}},
            "response_templates",
            "300,001 bytes for text/plain, API Gateway takes 300,000",
            "divide the mirrors among deployments",
        ),
        (
            "aws_api_gateway_resource",
            {"path_part": "{a/b}"},
            "path_part",
            "'{a/b}' is not what AWS takes",
            "use letters, digits, '.', '_', ':' and '-'",
        ),
        (
            "aws_codebuild_project",
            {"name": "x1", "source": {"buildspec": "echo ${HOME}"}},
            "source.buildspec",
            "'${HOME}' would be read by Terraform",
            "write it $${…}",
        ),
        (
            "aws_codebuild_project",
            {"name": "x1", "source": {"buildspec": "x" * 25_601}},
            "source.buildspec",
            "25,601 characters, CodeBuild takes 25,600",
            "shorten it",
        ),
        (
            "aws_vpc",
            {"region": "us-east-1"},
            "region",
            "the provider before 6.0 does not know it",
            "leave the region to the provider",
        ),
        (
            "aws_vpc",
            {"tags": {"k": "v" * 257}},
            "tags",
            f"'k': {'v' * 257!r} is too long",
            "AWS takes keys of 128 and values of 256 characters",
        ),
        (
            "aws_s3_bucket",
            {"bucket": "Caps"},
            "bucket",
            "'Caps' is not what AWS takes",
            "use 3-63 of a-z, 0-9, '.' and '-'",
        ),
    ],
)
def test_refuses_what_aws_would_refuse(kind: str, arguments: dict[str, Any], where: str, what: str, hint: str) -> None:
    assert _found({kind: arguments}) == [f"error: some-stack: {kind}.x.{where}: {what}\nhint: {hint}"]


def test_counts_user_data_as_terraform_encodes_it() -> None:
    user_data = {"user_data": "content: ${jsonencode(local.file)}", "instance_type": "c7i.large"}

    def with_file(text: str) -> list[str]:
        return _found({"aws_instance": user_data}, locals={"file": text})

    assert with_file("<" * 2_700) == []
    (found,) = with_file("<" * 2_730)  # six characters each, between two quotes
    assert "aws_instance.x.user_data: 16,391 bytes, EC2 takes 16,384" in found


def test_counts_user_data_as_terraform_compresses_it() -> None:
    user_data = {"user_data": "content: ${jsonencode(base64gzip(local.file))}", "instance_type": "c7i.large"}

    def with_file(text: str) -> list[str]:
        return _found({"aws_instance": user_data}, locals={"file": text})

    assert with_file("<" * 100_000) == []
    (found,) = with_file(random.Random(1).randbytes(16_000).hex())
    assert "aws_instance.x.user_data: " in found


def test_checks_the_default_of_a_variable() -> None:
    (found,) = _found(
        {"aws_cloudwatch_log_group": {"retention_in_days": "${var.days}", "name": "x"}},
        variable={"days": {"default": 91}},
    )
    assert found.startswith(
        "error: some-stack: aws_cloudwatch_log_group.x.retention_in_days: 91 days\nhint: CloudWatch"
    )


def test_counts_the_defaults_of_variables_in_a_policy() -> None:
    statement = {
        "sid": "Deny",
        "effect": "Deny",
        "actions": ["*"],
        "resources": ["*"],
        "condition": [{"test": "NotIpAddress", "variable": "aws:SourceIp", "values": "${var.cidrs}"}],
    }
    policy = {"aws_iam_policy": {"policy": "${data.aws_iam_policy_document.x.json}", "name": "x"}}

    def with_networks(count: int) -> list[str]:
        default = [f"198.51.{number // 250}.{number % 250}/32" for number in range(count)]
        return _found(policy, data=_documents(statement), variable={"cidrs": {"default": default}})

    assert with_networks(250) == []
    (found,) = with_networks(400)
    assert "aws_iam_policy.x.policy: " in found
    assert "characters, AWS takes 6,144" in found


@pytest.mark.parametrize(
    "action", ["codecomit:GitPull", "GitPull", "codecommit:", "codecommit:Git-Pull", "codecommit:Git*"]
)
def test_refuses_an_action_of_an_unknown_service(action: str) -> None:
    statement = {"sid": "S", "effect": "Allow", "actions": [action], "resources": ["*"]}
    policy = {"aws_iam_policy": {"policy": "${data.aws_iam_policy_document.x.json}", "name": "x"}}
    (found,) = _found(policy, data=_documents(statement))
    assert f"{action!r} is not an action of a known service" in found


@pytest.mark.parametrize(
    "change",
    [
        {"principals": []},
        {"principals": [{"type": "Service", "identifiers": ["ec2.amazon.com"]}]},
        {"principals": [{"type": "AWS", "identifiers": ["*"]}]},
        {"principals": [{"type": "AWS", "identifiers": ["arn:aws:iam::222222222222:root"]}]},
        {"principals": [{"type": "AWS", "identifiers": ["arn:aws:iam::222222222222:role/*"]}]},
        {"actions": ["sts:AssumeRole", "sts:TagSession"]},
        {"actions": [], "not_actions": ["sts:AssumeRole"]},
        {"resources": ["*"]},
    ],
)
def test_refuses_a_role_that_trusts_neither_a_service_nor_a_role(change: dict[str, Any]) -> None:
    role = {"aws_iam_role": {"assume_role_policy": "${data.aws_iam_policy_document.x.json}", "name": "x"}}
    a_role = {"principals": [{"type": "AWS", "identifiers": ["arn:aws:iam::222222222222:role/a"]}]}
    assert _found(role, data=_documents(ASSUME)) == _found(role, data=_documents(ASSUME | a_role)) == []
    (found,) = _found(role, data=_documents(ASSUME | change))
    assert "aws_iam_role.x.assume_role_policy: Assume is no trust in a service or a role" in found


def test_counts_the_number_of_one_of_several_resources_with_three_digits() -> None:
    rule = {"event_pattern": "{}", "count": 2, "name": f"{'x' * 60}-${{count.index + 1}}"}
    assert _found({"aws_cloudwatch_event_rule": rule}) == []
    (found,) = _found({"aws_cloudwatch_event_rule": rule | {"name": f"{'x' * 61}-${{count.index + 1}}"}})
    assert "aws_cloudwatch_event_rule.x.name: 65 characters, AWS takes 64" in found


def test_counts_a_rule_for_each_address_of_a_list() -> None:
    rule = {"security_group_id": "${aws_security_group.x.id}", "for_each": "${toset(var.cidrs)}", "description": "d"}
    group = {"aws_security_group": {"description": "d", "name": "x"}, "aws_vpc_security_group_ingress_rule": rule}

    def with_addresses(count: int) -> list[str]:
        return _found(group, variable={"cidrs": {"default": [f"198.51.100.{number}/32" for number in range(count)]}})

    assert with_addresses(60) == []
    (found,) = with_addresses(61)
    assert "aws_security_group.x.inbound: 61 inbound rules, AWS takes 60" in found


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("<cdktf.Each object at 0x7f00>", "a Python object was printed"),
        ("${TfToken[TOKEN.7]}", "a token was never resolved"),
    ],
)
def test_refuses_printed_objects_and_unresolved_tokens(value: str, what: str) -> None:
    (found,) = _found({"aws_vpc": {"cidr_block": value}})
    assert found.startswith(f"error: some-stack: {what}: …")


@pytest.mark.parametrize(
    "documents", [{}, {"aws_iam_policy_document": {"x": {"statement": [], "source_policy_documents": ["{}"]}}}]
)
def test_refuses_a_policy_that_it_cannot_check(documents: dict[str, Any]) -> None:
    policy = {"aws_iam_policy": {"policy": "${data.aws_iam_policy_document.x.json}", "name": "x"}}
    assert _found(policy, data=documents) == [
        "error: some-stack: aws_iam_policy.x.policy: '${data.aws_iam_policy_document.x.json}' is not a policy document "
        "of this stack, or merges others\nhint: write it as an aws_iam_policy_document that merges no others"
    ]


def test_refuses_two_resources_of_a_kind_with_one_name() -> None:
    terraform = {"resource": {"aws_sns_topic": {"a": {"name": "same"}, "b": {"name": "same"}}}}
    (found,) = (str(problem) for problem in problems({"some-stack": terraform}))
    assert found.startswith("error: some-stack: aws_sns_topic.b.name: 'same' is also the name of aws_sns_topic.a\n")


@pytest.mark.parametrize(
    ("kind", "arguments", "most"),
    [
        ("aws_api_gateway_resource", {"path_part": "{mirror}"}, 300),
        ("aws_cloudwatch_metric_alarm", {}, 5_000),
        ("aws_codecommit_repository", {}, 1_000),
    ],
)
def test_refuses_more_resources_than_an_account_may_have(kind: str, arguments: dict[str, str], most: int) -> None:
    def with_resources(count: int) -> list[str]:
        named = {f"x{number}": arguments for number in range(count)}
        return [str(problem) for problem in problems({"s": {"resource": {kind: named}}})]

    assert with_resources(most) == []
    (found,) = with_resources(most + 1)
    assert f"{most + 1:,} of {kind}, AWS takes {most:,}" in found


def test_accepts_a_text_about_an_object_at_an_address() -> None:
    assert _found({"aws_codecommit_repository": {"description": "Dump of an object at 0x1000"}}) == []


LONG = "x" * 40_000
LONG_STATEMENT = {"sid": "S", "effect": "Deny", "actions": ["none:Such"], "resources": [LONG]}

BREAKING: dict[str, Any] = {
    "resource": {
        "aws_api_gateway_integration": {"x": {"request_templates": {"text/plain": LONG * 8}}},
        "aws_api_gateway_integration_response": {"x": {"response_templates": {"text/plain": LONG * 8}}},
        "aws_api_gateway_resource": {f"x{number}": {"path_part": "a/b"} for number in range(301)},
        "aws_api_gateway_rest_api_policy": {"x": {"policy": "${data.aws_iam_policy_document.long.json}"}},
        "aws_cloudwatch_event_rule": {"x": {"name": LONG, "event_pattern": LONG}},
        "aws_cloudwatch_log_group": {"x": {"name": LONG, "retention_in_days": 91}},
        "aws_cloudwatch_metric_alarm": {
            f"x{number}": {"alarm_name": LONG, "alarm_description": LONG} for number in range(5_001)
        },
        "aws_codebuild_project": {"x": {"name": "_", "description": LONG, "source": {"buildspec": "${HOME}"}}},
        "aws_codecommit_repository": {f"x{number}": {"description": LONG} for number in range(1_001)},
        "aws_iam_policy": {
            "x": {"name": LONG, "policy": "${data.aws_iam_policy_document.long.json}"},
            "y": {"name": LONG, "policy": "{}"},
        },
        "aws_iam_role": {
            "x": {
                "name": LONG,
                "description": "門番",
                "assume_role_policy": "${data.aws_iam_policy_document.long.json}",
            }
        },
        "aws_iam_role_policy": {"x": {"policy": "${data.aws_iam_policy_document.long.json}"}},
        "aws_iam_user": {"x": {"name": "a b"}},
        "aws_iam_user_policy": {"x": {"policy": "${data.aws_iam_policy_document.long.json}"}},
        "aws_iam_user_policy_attachment": {f"x{number}": {"user": "${aws_iam_user.x.name}"} for number in range(11)},
        "aws_instance": {"x": {"user_data": LONG, "instance_type": "large"}},
        "aws_launch_template": {"x": {"name": LONG, "user_data": base64.b64encode(LONG.encode()).decode()}},
        "aws_lb": {"x": {"name": "-"}},
        "aws_lb_target_group": {"x": {"name": "-"}},
        "aws_s3_bucket": {"x": {"bucket": "Caps"}},
        "aws_efs_file_system_policy": {"x": {"policy": "${data.aws_iam_policy_document.long.json}"}},
        "aws_s3_bucket_policy": {"x": {"policy": "${data.aws_iam_policy_document.long.json}"}},
        "aws_scheduler_schedule": {"x": {"name": "a b", "schedule_expression": "daily"}},
        "aws_security_group": {"x": {"name": LONG, "description": "門番"}},
        "aws_sns_topic": {"x": {"name": LONG}},
        "aws_ssm_parameter": {"x": {"value": LONG}},
        "aws_sns_topic_policy": {"x": {"policy": "${data.aws_iam_policy_document.long.json}"}},
        "aws_vpc": {"x": {"region": "us-east-1", "tags": {"k": LONG}, "cidr_block": "${TfToken[TOKEN.7]}"}},
        "aws_vpc_security_group_egress_rule": {
            f"x{number}": {"description": "門番", "security_group_id": "${aws_security_group.x.id}"}
            for number in range(61)
        },
        "aws_vpc_security_group_ingress_rule": {"x": {"description": "門番", "security_group_id": "sg-1"}},
    },
    "data": {"aws_iam_policy_document": {"long": {"statement": [LONG_STATEMENT]}}},
}


@pytest.mark.slow
def test_every_limit_is_broken_by_this_stack() -> None:
    stack = Configuration("some-stack", BREAKING)
    assert [limit.what for limit in LIMITS if not list(limit.check(stack))] == []


def test_every_limit_has_its_own_text_and_a_link_to_its_source() -> None:
    assert len({limit.what for limit in LIMITS}) == len(LIMITS)
    assert all(limit.source.startswith("https://") for limit in LIMITS)
