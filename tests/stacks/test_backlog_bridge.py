import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform import Stacks, Terraform

PRD_ALONE = {"dev": None, "prd.codecommit.push": None}


@pytest.fixture(scope="module")
def bridge(example: Stacks) -> Terraform:
    return example["backlog-bridge"]


@pytest.fixture(scope="module")
def with_file_system(synthesised: Callable[[str], Stacks]) -> Terraform:
    return synthesised("everything")["backlog-bridge"]


def _permissions(bridge: Terraform, key: str) -> dict[str, dict[str, Any]]:
    return bridge.statements(bridge.resource(f"aws_iam_role_policy.mirrors_{key}_role_policy")["policy"])


def test_creates_only_the_bridges_own_targets(bridge: Terraform) -> None:
    repositories = bridge.resources("aws_codecommit_repository")
    assert [repository["repository_name"] for repository in repositories.values()] == ["website"]
    assert repositories["repositories_website"]["lifecycle"] == {"prevent_destroy": True}


def test_a_build_has_no_source_and_no_limit_that_would_refuse_a_start(bridge: Terraform) -> None:
    for project in bridge.resources("aws_codebuild_project").values():
        assert project["source"]["type"] == "NO_SOURCE"
        assert project["artifacts"] == {"type": "NO_ARTIFACTS"}
        assert "concurrent_build_limit" not in project
        assert project["environment"]["image"] == "aws/codebuild/amazonlinux-aarch64-standard:3.0"
        assert project["environment"]["type"] == "ARM_CONTAINER"


def test_the_log_group_exists_before_the_first_build(bridge: Terraform) -> None:
    project = bridge.resource("aws_codebuild_project.mirrors_website_project")
    assert (
        project["logs_config"]["cloudwatch_logs"]["group_name"]
        == "${aws_cloudwatch_log_group.mirrors_website_log_group.name}"
    )
    log_group = bridge.resource("aws_cloudwatch_log_group.mirrors_website_log_group")
    assert log_group["name"] == f"/aws/codebuild/{project['name']}"
    assert log_group["retention_in_days"] == "${var.log_retention_days}"


def test_a_build_has_only_its_mirrors_permissions(bridge: Terraform) -> None:
    here = "ap-northeast-1:222222222222"
    statements = _permissions(bridge, "website")
    assert {sid: (statement["actions"], statement["resources"]) for sid, statement in statements.items()} == {
        "WriteLogs": (
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            ["${aws_cloudwatch_log_group.mirrors_website_log_group.arn}:*"],
        ),
        "MirrorIntoTarget": (
            [f"codecommit:{name}" for name in ("GetRepository", "GitPull", "GitPush", "UpdateDefaultBranch")],
            [f"arn:aws:codecommit:{here}:website"],
        ),
        "ReadSshKey": (["ssm:GetParameters"], [f"arn:aws:ssm:{here}:parameter/kakehashi/backlog/ssh-key"]),
        "KeepCache": (["s3:GetObject", "s3:PutObject"], ["${aws_s3_bucket.cache_bucket.arn}/website/*"]),
    }


def test_a_build_in_a_vpc_may_use_interfaces_in_its_subnets_only(with_file_system: Terraform) -> None:
    statements = _permissions(with_file_system, "website")
    lend = statements["LendNetworkInterfaces"]
    assert lend["resources"] == ["arn:aws:ec2:ap-northeast-1:222222222222:network-interface/*"]
    assert {entry["variable"]: entry["values"] for entry in lend["condition"]} == {
        "ec2:AuthorizedService": ["codebuild.amazonaws.com"],
        "ec2:Subnet": [
            "arn:aws:ec2:ap-northeast-1:222222222222:subnet/subnet-0123456789abcdef0",
            "arn:aws:ec2:ap-northeast-1:222222222222:subnet/subnet-0fedcba9876543210",
        ],
    }


def test_customer_managed_keys_are_usable_for_their_purpose_only(with_file_system: Terraform) -> None:
    statements = _permissions(with_file_system, "website")
    assert statements["DecryptSshKey"]["actions"] == ["kms:Decrypt"]
    assert statements["DecryptSshKey"]["condition"] == [
        {
            "test": "StringEquals",
            "variable": "kms:EncryptionContext:PARAMETER_ARN",
            "values": ["arn:aws:ssm:ap-northeast-1:222222222222:parameter/kakehashi/backlog/example/ssh-key"],
        }
    ]
    # The space `partner` uses AWS's own key for SSM, which needs no permission.
    assert "DecryptSshKey" not in _permissions(with_file_system, "partner-api")


def test_terraform_has_the_ssh_keys_name_and_never_the_key(bridge: Terraform) -> None:
    assert "PRIVATE KEY" not in json.dumps(bridge.json)
    assert "aws_ssm_parameter" not in bridge.json["resource"]


def test_the_cache_bucket_is_private_and_encrypted_and_expires(bridge: Terraform) -> None:
    block = bridge.resource("aws_s3_bucket_public_access_block.cache_public_access_block")
    assert all(block[key] is True for key in block if key.startswith(("block_", "ignore_", "restrict_")))
    (rule,) = bridge.resource("aws_s3_bucket_lifecycle_configuration.cache_lifecycle")["rule"]
    assert rule["expiration"] == [{"days": "${var.cache_retention_days}"}]
    assert rule["abort_incomplete_multipart_upload"] == [{"days_after_initiation": 2}]
    policy = bridge.statements(bridge.resource("aws_s3_bucket_policy.cache_policy")["policy"])
    assert policy["DenyInsecureTransport"]["effect"] == "Deny"
    assert bridge.resources("aws_s3_bucket_server_side_encryption_configuration")
    assert bridge.resources("aws_efs_file_system") == {}
    project = bridge.resource("aws_codebuild_project.mirrors_website_project")
    assert project["cache"] == {"type": "S3", "location": "${aws_s3_bucket.cache_bucket.bucket}/website"}
    assert project["environment"]["privileged_mode"] is False


@pytest.mark.parametrize("key", ["website", "batch"])
def test_only_the_builds_of_one_mirror_reach_its_file_system(with_file_system: Terraform, key: str) -> None:
    assert with_file_system.resources("aws_s3_bucket") == {}
    assert with_file_system.resource(f"aws_efs_file_system.caches_{key}_file_system")["encrypted"] is True
    clients, files = (f"${{aws_security_group.caches_{key}_{name}.id}}" for name in ("clients", "security_group"))
    targets = with_file_system.resources("aws_efs_mount_target")
    own = [target for name, target in targets.items() if name.startswith(f"caches_{key}_")]
    assert [target["security_groups"] for target in own] == [[files], [files]]
    inbound, outbound = (
        [
            rule
            for rule in with_file_system.resources(f"aws_vpc_security_group_{way}_rule").values()
            if rule["security_group_id"] in (files, clients)
        ]
        for way in ("ingress", "egress")
    )
    assert [(rule["security_group_id"], rule["referenced_security_group_id"]) for rule in inbound] == [(files, clients)]
    assert [(rule["security_group_id"], rule["referenced_security_group_id"]) for rule in outbound] == [
        (clients, files)
    ]
    assert {(rule["from_port"], rule["to_port"]) for rule in (*inbound, *outbound)} == {(2049, 2049)}
    users = {
        name
        for name, project in with_file_system.resources("aws_codebuild_project").items()
        if clients in project["vpc_config"]["security_group_ids"]
    }
    assert users == {f"mirrors_{key}_project"}


def test_a_build_mounts_the_file_system_of_its_mirror(with_file_system: Terraform) -> None:
    project = with_file_system.resource("aws_codebuild_project.mirrors_website_project")
    assert project["environment"]["privileged_mode"] is True
    (location,) = project["file_system_locations"]
    assert location["identifier"] == "CACHE"
    assert location["location"] == "${aws_efs_file_system.caches_website_file_system.dns_name}:/"
    assert "aws_efs_file_system_policy.caches_website_policy" in project["depends_on"]
    assert "cache" not in project


def test_a_file_system_is_mounted_through_its_targets_and_over_tls(with_file_system: Terraform) -> None:
    policy = with_file_system.resource("aws_efs_file_system_policy.caches_website_policy")
    statements = with_file_system.statements(policy["policy"])
    assert {sid: (one["effect"], one["condition"]) for sid, one in statements.items()} == {
        "MountHere": (
            "Allow",
            [{"test": "Bool", "variable": "elasticfilesystem:AccessedViaMountTarget", "values": ["true"]}],
        ),
        "DenyInsecureTransport": (
            "Deny",
            [{"test": "Bool", "variable": "aws:SecureTransport", "values": ["false"]}],
        ),
    }
    assert all(one["actions"][0] == "elasticfilesystem:ClientMount" for one in statements.values())


@pytest.mark.slow
def test_builds_can_leave_from_fixed_addresses_with_a_bucket_too(changed: Callable[..., Stacks]) -> None:
    vpc = {"id": "vpc-0123456789abcdef0", "subnet_ids": ["subnet-0123456789abcdef0"]}
    bridge = changed("example", {**PRD_ALONE, "prd.backlog.vpc": vpc})["backlog-bridge"]
    project = bridge.resource("aws_codebuild_project.mirrors_website_project")
    assert project["vpc_config"] == {
        "vpc_id": "vpc-0123456789abcdef0",
        "subnets": ["subnet-0123456789abcdef0"],
        "security_group_ids": ["${aws_security_group.build_security_group.id}"],
    }
    assert project["cache"]["type"] == "S3"
    assert {rule["from_port"] for rule in bridge.resources("aws_vpc_security_group_egress_rule").values()} == {22, 443}


def test_a_webhook_starts_its_own_project_with_a_constant(bridge: Terraform) -> None:
    for key in ("website", "batch"):
        integration = bridge.resource(f"aws_api_gateway_integration.webhook_hooks_{key}_start_build")
        assert integration["type"] == "AWS"
        assert integration["integration_http_method"] == "POST"
        assert integration["uri"] == "arn:aws:apigateway:ap-northeast-1:codebuild:action/StartBuild"
        assert integration["passthrough_behavior"] == "NEVER"
        assert integration["request_parameters"] == {
            "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
            "integration.request.header.X-Amz-Target": "'CodeBuild_20161006.StartBuild'",
        }
        assert {form: json.loads(body) for form, body in integration["request_templates"].items()} == {
            "application/x-www-form-urlencoded": {
                "projectName": f"${{aws_codebuild_project.mirrors_{key}_project.name}}"
            }
        }


def test_a_start_that_codebuild_refuses_is_answered_503(bridge: Terraform) -> None:
    answers = bridge.resources("aws_api_gateway_integration_response")
    accepted, try_again = answers["webhook_hooks_website_accepted"], answers["webhook_hooks_website_try_again"]
    assert accepted["selection_pattern"] == r"2\d{2}"
    assert "selection_pattern" not in try_again
    statuses = bridge.resources("aws_api_gateway_method_response")
    assert statuses["webhook_hooks_website_accepted_status"]["status_code"] == "200"
    assert statuses["webhook_hooks_website_try_again_status"]["status_code"] == "503"


def test_only_backlog_may_call_the_webhook(bridge: Terraform) -> None:
    policy = bridge.resource("aws_api_gateway_rest_api_policy.webhook_senders")["policy"]
    deny = bridge.statements(policy)["DenyOtherSenders"]
    assert deny["effect"] == "Deny"
    assert deny["condition"] == [
        {"test": "NotIpAddress", "variable": "aws:SourceIp", "values": "${var.webhook_sender_cidrs}"}
    ]
    assert deny["resources"] == ["${aws_api_gateway_rest_api.webhook_api.execution_arn}/*"]


def test_the_webhook_may_start_only_these_projects(bridge: Terraform) -> None:
    permissions = bridge.statements(bridge.resource("aws_iam_role_policy.webhook_role_policy")["policy"])
    assert {sid: (s["actions"], s["resources"]) for sid, s in permissions.items()} == {
        "StartBuilds": (
            ["codebuild:StartBuild"],
            [f"${{aws_codebuild_project.mirrors_{key}_project.arn}}" for key in ("website", "batch")],
        )
    }


def test_a_changed_method_or_sender_list_creates_a_new_deployment(bridge: Terraform) -> None:
    deployment = bridge.resource("aws_api_gateway_deployment.webhook_deployment")
    assert deployment["lifecycle"] == {"create_before_destroy": True}
    triggers = deployment["triggers"]
    assert triggers["senders"] == "${sha1(aws_api_gateway_rest_api_policy.webhook_senders.policy)}"
    for key in ("website", "batch"):
        for part in ("start_build.request_templates", "accepted.selection_pattern", "try_again.status_code"):
            assert f"webhook_hooks_{key}_{part}" in triggers["methods"]
    waits_for = set(deployment["depends_on"])
    assert "aws_api_gateway_rest_api_policy.webhook_senders" in waits_for
    assert "aws_api_gateway_integration_response.webhook_hooks_website_try_again" in waits_for


def test_the_url_to_register_is_an_output(bridge: Terraform) -> None:
    assert bridge.json["output"]["webhook_urls"]["value"] == {
        key: f"${{aws_api_gateway_stage.webhook_stage.invoke_url}}/{key}" for key in ("website", "batch")
    }


@pytest.mark.slow
def test_a_mirror_may_have_the_name_of_one_of_the_bridges_constructs(changed: Callable[..., Stacks]) -> None:
    mirror = {"space": "example", "project": "OPS", "repository": "x", "target": {}}
    names = ("webhook", "cache", "repositories", "mirrors", "api", "role", "stage", "hooks")
    mirrors = {name: {**mirror, "target": {"create": f"{name}.x"}, "repository": name} for name in names}
    bridge = changed("example", {**PRD_ALONE, "prd.backlog.repositories": mirrors})["backlog-bridge"]
    assert len(bridge.resources("aws_codebuild_project")) == len(names)
    assert len(bridge.resources("aws_api_gateway_resource")) == len(names)


def test_every_mirror_runs_on_a_schedule_too(bridge: Terraform) -> None:
    assert bridge.json["variable"]["reconcile_schedule"]["default"] == "rate(1 hour)"
    for key in ("website", "batch"):
        schedule = bridge.resource(f"aws_scheduler_schedule.reconciliation_schedules_{key}")
        assert schedule["schedule_expression"] == "${var.reconcile_schedule}"
        assert schedule["target"]["arn"] == "arn:aws:scheduler:::aws-sdk:codebuild:startBuild"
        project = f"aws_codebuild_project.mirrors_{key}_project"
        assert schedule["target"]["input"] == f'${{jsonencode({{"ProjectName" = {project}.name}})}}'
    permissions = bridge.statements(bridge.resource("aws_iam_role_policy.reconciliation_role_policy")["policy"])
    assert set(permissions) == {"StartBuilds"}
    assert permissions["StartBuilds"]["resources"] == [
        f"${{aws_codebuild_project.mirrors_{key}_project.arn}}" for key in ("website", "batch")
    ]


def test_notifies_of_every_kind_of_build_failure(bridge: Terraform) -> None:
    pattern = json.loads(bridge.resource("aws_cloudwatch_event_rule.alerts_failures")["event_pattern"])
    assert pattern == {
        "source": ["aws.codebuild"],
        "detail-type": ["CodeBuild Build State Change"],
        "detail": {
            "build-status": ["FAILED", "FAULT", "TIMED_OUT", "STOPPED"],
            "project-name": [{"prefix": "kakehashi-prd-backlog-"}],
        },
    }
    target = bridge.resource("aws_cloudwatch_event_target.alerts_failures_to_topic")
    assert target["arn"] == "${aws_sns_topic.alerts_topic.arn}"
    (subscription,) = bridge.resources("aws_sns_topic_subscription").values()
    assert (subscription["protocol"], subscription["endpoint"]) == ("email", "platform-team@example.com")


def test_raises_an_alarm_for_a_mirror_without_successful_builds(bridge: Terraform) -> None:
    alarm = bridge.resource("aws_cloudwatch_metric_alarm.alerts_silence_website")
    assert alarm["dimensions"] == {"ProjectName": "${aws_codebuild_project.mirrors_website_project.name}"}
    assert (alarm["metric_name"], alarm["statistic"], alarm["period"]) == ("SucceededBuilds", "Sum", 3600)
    assert alarm["evaluation_periods"] == "${var.silent_hours}"
    assert (alarm["comparison_operator"], alarm["threshold"]) == ("LessThanThreshold", 1)
    assert alarm["treat_missing_data"] == "breaching"
    assert alarm["alarm_actions"] == ["${aws_sns_topic.alerts_topic.arn}"]


def test_only_alarms_and_events_publish_to_the_topic(bridge: Terraform) -> None:
    policy = bridge.statements(bridge.resource("aws_sns_topic_policy.alerts_policy")["policy"])
    assert policy["DenyInsecureTransport"]["effect"] == "Deny"
    allowed = {
        sid: (statement["principals"], statement["actions"])
        for sid, statement in policy.items()
        if statement["effect"] == "Allow"
    }
    assert allowed == {
        "PublishAlarms": ([{"type": "Service", "identifiers": ["cloudwatch.amazonaws.com"]}], ["sns:Publish"]),
        "PublishEvents": ([{"type": "Service", "identifiers": ["events.amazonaws.com"]}], ["sns:Publish"]),
    }


def test_without_a_cache_there_is_neither_bucket_nor_file_system(changed: Callable[..., Stacks]) -> None:
    bridge = changed("example", {**PRD_ALONE, "prd.backlog.cache": {"mode": "none"}})["backlog-bridge"]
    kinds = set(bridge.json["resource"])
    assert not [kind for kind in kinds if kind.startswith(("aws_s3", "aws_efs"))]
    project = bridge.resource("aws_codebuild_project.mirrors_website_project")
    assert "cache" not in project
    assert "file_system_locations" not in project
    assert "KeepCache" not in _permissions(bridge, "website")


def test_a_build_gets_the_settings_for_lfs_and_lost_refs(with_file_system: Terraform) -> None:
    buildspec = with_file_system.resource("aws_codebuild_project.mirrors_website_project")["source"]["buildspec"]
    assert 'LFS: "warn"' in buildspec
    assert 'MAX_LOST_PERCENT: "30"' in buildspec
