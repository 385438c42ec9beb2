"""A policy that another project wrote with its keys in another order stays as it was applied."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.handover import convert, shipped
from ops.handover.json_strings import compared_by_meaning
from tests.ops.handover.by_plan import OFFLINE
from tests.real.terraform import terraform

_SERVICES = "cloudwatch ec2 ecr ecs efs events iam kms logs s3 secretsmanager sns sqs sts".split()  # noqa: SIM905


def _json(value: Any) -> str:
    """As JavaScript's JSON.stringify writes it: keys in the order of the code, and white space between them."""
    return json.dumps(value, indent=2)


def _policy(**statement: Any) -> str:
    return _json({"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", **statement}]})


_OF_A_ROLE = _policy(Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole")
_OF_A_PRINCIPAL = _policy(Action=["s3:GetObject"], Resource="*")
_OF_A_RESOURCE = _policy(Principal={"AWS": "*"}, Action=["sns:Publish"], Resource="*")
_IMAGES = {
    "rulePriority": 1,
    "description": "few",
    "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5},
    "action": {"type": "expire"},
}
_TEXT = {"type": "text", "x": 0, "y": 0, "width": 3, "height": 3, "properties": {"markdown": "Hi"}}
_CONTAINER = {"name": "c", "image": "i", "memory": 128, "essential": True, "cpu": 10}
_DOCUMENT: dict[str, Any] = {
    "resource": {
        "aws_cloudwatch_dashboard": {"it": {"dashboard_name": "it", "dashboard_body": _json({"widgets": [_TEXT]})}},
        "aws_cloudwatch_event_bus": {"it": {"name": "it"}},
        "aws_cloudwatch_event_bus_policy": {
            "it": {"event_bus_name": "${aws_cloudwatch_event_bus.it.name}", "policy": _OF_A_RESOURCE}
        },
        "aws_cloudwatch_event_rule": {
            "it": {"name": "it", "event_pattern": _json({"source": ["a.b"], "detail": {"z": [1], "a": ["y"]}})}
        },
        "aws_cloudwatch_log_resource_policy": {"it": {"policy_name": "it", "policy_document": _OF_A_RESOURCE}},
        "aws_ecr_lifecycle_policy": {
            "it": {"repository": "${aws_ecr_repository.it.name}", "policy": _json({"rules": [_IMAGES]})}
        },
        "aws_ecr_repository": {"it": {"name": "it"}},
        "aws_ecr_repository_policy": {"it": {"repository": "${aws_ecr_repository.it.name}", "policy": _OF_A_RESOURCE}},
        "aws_ecs_task_definition": {"it": {"family": "it", "container_definitions": _json([_CONTAINER])}},
        "aws_efs_file_system": {"it": {}},
        "aws_efs_file_system_policy": {
            "it": {"file_system_id": "${aws_efs_file_system.it.id}", "policy": _OF_A_RESOURCE}
        },
        "aws_iam_group": {"it": {"name": "it"}},
        "aws_iam_group_policy": {"it": {"name": "it", "group": "${aws_iam_group.it.name}", "policy": _OF_A_PRINCIPAL}},
        "aws_iam_policy": {"it": {"name": "it", "policy": _OF_A_PRINCIPAL}},
        "aws_iam_role": {"it": {"name": "it", "assume_role_policy": _OF_A_ROLE}},
        "aws_iam_role_policy": {"it": {"name": "it", "role": "${aws_iam_role.it.name}", "policy": _OF_A_PRINCIPAL}},
        "aws_iam_user": {"it": {"name": "it"}},
        "aws_iam_user_policy": {"it": {"name": "it", "user": "${aws_iam_user.it.name}", "policy": _OF_A_PRINCIPAL}},
        "aws_kms_key": {"it": {"policy": _policy(Principal={"AWS": "*"}, Action="kms:*", Resource="*")}},
        "aws_s3_bucket": {"it": {"bucket": "it-1234"}},
        "aws_s3_bucket_policy": {"it": {"bucket": "${aws_s3_bucket.it.id}", "policy": _OF_A_RESOURCE}},
        "aws_secretsmanager_secret": {"it": {"name": "it"}},
        "aws_secretsmanager_secret_policy": {
            "it": {"secret_arn": "${aws_secretsmanager_secret.it.arn}", "policy": _OF_A_RESOURCE}
        },
        "aws_sns_topic": {"it": {"name": "it", "policy": _OF_A_RESOURCE}, "other": {"name": "other"}},
        "aws_sns_topic_policy": {"it": {"arn": "${aws_sns_topic.other.arn}", "policy": _OF_A_RESOURCE}},
        "aws_sqs_queue": {"it": {"name": "it", "policy": _OF_A_RESOURCE}, "other": {"name": "other"}},
        "aws_sqs_queue_policy": {"it": {"queue_url": "${aws_sqs_queue.other.id}", "policy": _OF_A_RESOURCE}},
        "aws_vpc": {"it": {"cidr_block": "192.0.2.0/24"}},
        "aws_vpc_endpoint": {
            "it": {
                "vpc_id": "${aws_vpc.it.id}",
                "service_name": "com.amazonaws.eu-central-1.s3",
                "policy": _OF_A_RESOURCE,
            }
        },
    }
}


@pytest.fixture
def aws() -> Iterator[str]:
    """The address of an emulated AWS."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_policies_are_calls_of_jsonencode_in_the_order_of_their_author() -> None:
    topic = {"resource": {"aws_sns_topic": {"it": {"name": "it", "policy": _OF_A_RESOURCE}}}}
    assert convert(topic, name="web", schemas=shipped()).files["sns.tf"] == (
        'resource "aws_sns_topic" "it" {\n'
        '  name = "it"\n\n'
        "  policy = jsonencode({\n"
        '    Version = "2012-10-17"\n'
        "    Statement = [{\n"
        '      Sid = "A"\n'
        '      Effect = "Allow"\n'
        "      Principal = {\n"
        '        AWS = "*"\n'
        "      }\n"
        '      Action = ["sns:Publish"]\n'
        '      Resource = "*"\n'
        "    }]\n"
        "  })\n"
        "}\n"
    )


def test_every_argument_that_is_compared_by_meaning_is_planned_below() -> None:
    planned = {
        (type_, name)
        for type_, resources in _DOCUMENT["resource"].items()
        for name, value in resources["it"].items()
        if value.startswith(("{", "["))
    }
    assert planned == {(type_, name) for type_, names in compared_by_meaning().items() for name in names}


@pytest.mark.terraform
@pytest.mark.slow
def test_a_plan_after_the_handover_changes_no_policy(aws: str, tmp_path: Path) -> None:
    provider = {**OFFLINE, "s3_use_path_style": True, "endpoints": [dict.fromkeys(_SERVICES, aws)]}
    (tmp_path / "provider.tf.json").write_text(json.dumps({"provider": {"aws": provider}}))
    source = tmp_path / "cdk.tf.json"
    source.write_text(json.dumps(_DOCUMENT))
    for command in (("init", "-input=false"), ("apply", "-input=false", "-auto-approve")):
        done = terraform(tmp_path, *command, "-no-color")
        assert done.returncode == 0, done.stderr
    source.unlink()
    for path, text in convert(_DOCUMENT, name="web", schemas=shipped()).files.items():
        (tmp_path / path).write_text(text)
    planned = terraform(tmp_path, "plan", "-input=false", "-no-color", "-detailed-exitcode")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert "No changes." in planned.stdout
