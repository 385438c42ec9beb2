"""What a unit of mirrors has: its roles, its program, its state, and what becomes of it."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.stacks.bridge import HERE, PRD_ALONE, allowed, permissions
from tests.terraform import Stacks, Terraform

MIRROR = [f"codecommit:{name}" for name in ("GetRepository", "GitPull", "GitPush", "UpdateDefaultBranch")]


def test_a_space_has_one_build_which_cannot_touch_codecommit_itself(bridge: Terraform) -> None:
    assert list(bridge.resources("aws_codebuild_project")) == ["spaces_example_project"]
    objects = "${aws_s3_bucket.program_bucket.arn}"
    parameters = f"arn:aws:ssm:{HERE}:parameter/kakehashi"
    assert allowed(bridge, "spaces_example_role") == {
        "WriteLogs": (
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            ["${aws_cloudwatch_log_group.spaces_example_log_group.arn}:*"],
        ),
        "ReadSshKey": (["ssm:GetParameter"], [f"{parameters}/backlog/ssh-key"]),
        "FetchProgram": (
            ["s3:GetObject", "s3:GetObjectVersion"],
            [f"{objects}/mirror.sh", f"{objects}/units/example.json"],
        ),
        "KeepState": (["ssm:GetParameter", "ssm:PutParameter"], [f"{parameters}/kakehashi/prd/backlog/example"]),
        "ReportMirrors": (["events:PutEvents"], [f"arn:aws:events:{HERE}:event-bus/default"]),
        "AssumeRole": (["sts:AssumeRole"], ["arn:aws:iam::222222222222:role/kakehashi-prd-backlog-mirror-example"]),
    }


def test_a_build_reports_mirrors_as_nothing_else(bridge: Terraform) -> None:
    assert permissions(bridge, "spaces_example_role")["ReportMirrors"]["condition"] == [
        {"test": "StringEquals", "variable": "events:source", "values": ["kakehashi.backlog"]},
        {
            "test": "StringEquals",
            "variable": "events:detail-type",
            "values": ["Mirrors differ", "Mirrors equal again"],
        },
    ]


def test_only_the_build_of_a_space_becomes_the_role_of_its_targets(bridge: Terraform) -> None:
    role = bridge.resource("aws_iam_role.spaces_example_mirror_role")
    assert role["name"] == "kakehashi-prd-backlog-mirror-example"
    assert list(bridge.statements(role["assume_role_policy"]).values()) == [
        {
            "sid": "Assume",
            "effect": "Allow",
            "actions": ["sts:AssumeRole"],
            "principals": [{"type": "AWS", "identifiers": ["${aws_iam_role.spaces_example_role.arn}"]}],
        }
    ]
    targets = [f"arn:aws:codecommit:{HERE}:{name}" for name in ("website", "batch")]
    assert allowed(bridge, "spaces_example_mirror_role") == {"MirrorIntoTarget": (MIRROR, targets)}


def test_a_build_of_one_repository_has_its_permissions_itself(with_bucket: Terraform) -> None:
    assert "aws_iam_role.mirrors_website_mirror_role" not in with_bucket.addresses()
    own = allowed(with_bucket, "mirrors_website_role")
    assert own["MirrorIntoTarget"] == (MIRROR, [f"arn:aws:codecommit:{HERE}:website"])
    bucket = "${aws_s3_bucket.cache_bucket.arn}"
    assert own["KeepCache"] == (["s3:GetObject", "s3:PutObject"], [f"{bucket}/website/*"])
    assert "AssumeRole" not in own


@pytest.mark.slow
def test_many_targets_are_named_by_the_tag_of_their_unit(changed: Callable[..., Stacks]) -> None:
    mirror = {"space": "example", "project": "WEB"}
    mirrors = {f"m{n}": {**mirror, "repository": f"r{n}", "target": {"create": f"target-{n:03}"}} for n in range(200)}
    bridge = changed("example", {**PRD_ALONE, "prd.backlog.repositories": mirrors})["backlog-bridge"]
    (statement,) = permissions(bridge, "spaces_example_mirror_role").values()
    assert statement["resources"] == [f"arn:aws:codecommit:{HERE}:*"]
    assert statement["condition"] == [
        {
            "test": "StringEquals",
            "variable": "aws:ResourceTag/kakehashi:mirrored-by",
            "values": ["kakehashi-prd-backlog-example"],
        }
    ]
    for repository in bridge.resources("aws_codecommit_repository").values():
        assert repository["tags"] == {"kakehashi:mirrored-by": "kakehashi-prd-backlog-example"}
    resources = [(kind, name) for kind, named in bridge.json["resource"].items() for name in named]
    assert len(resources) - 200 < 60, "a mirror has no resource besides its repository"


def test_every_target_carries_the_name_of_its_unit(example: Stacks, with_file_system: Terraform) -> None:
    unit = "kakehashi-prd-backlog-example"
    tags = {
        repository["repository_name"]: repository.get("tags")
        for stack in ("prd-codecommit", "backlog-bridge")
        for repository in example[stack].resources("aws_codecommit_repository").values()
    }
    assert {name: found for name, found in tags.items() if found is not None} == {
        "website": {"kakehashi:mirrored-by": unit},
        "batch": {"kakehashi:mirrored-by": unit},
    }
    own = with_file_system.resource("aws_codecommit_repository.repositories_website")["tags"]
    assert own == {"kakehashi:mirrored-by": "kakehashi-prd-backlog-website"}


def test_a_build_runs_nothing_but_what_its_buildspec_names(bridge: Terraform) -> None:
    buildspec = bridge.resource("aws_codebuild_project.spaces_example_project")["source"]["buildspec"]
    assert len(buildspec) < 25_600
    for name, key in (("script", "mirror.sh"), ("units_example", "units/example.json")):
        found = bridge.resource(f"aws_s3_object.program_{name}")
        content = found["content"].replace("$${", "${").replace("%%{", "%{").encode()
        assert found["etag"] == hashlib.md5(content, usedforsecurity=False).hexdigest()
        fetched = re.search(rf"^ *fetch {key} \S+ \S+ (\w+)$", buildspec, re.MULTILINE)
        assert fetched is not None
        assert fetched[1] == hashlib.sha256(content).hexdigest()
    project = bridge.resource("aws_codebuild_project.spaces_example_project")
    assert {"aws_s3_object.program_script", "aws_s3_object.program_units_example"} < set(project["depends_on"])


def test_a_build_that_began_before_an_apply_fetches_what_its_buildspec_names(bridge: Terraform) -> None:
    project = bridge.resource("aws_codebuild_project.spaces_example_project")
    versions = {one["name"]: one["value"] for one in project["environment"]["environment_variable"]}
    assert versions == {
        "PROGRAM_VERSION": "${aws_s3_object.program_script.version_id}",
        "CONFIG_VERSION": "${aws_s3_object.program_units_example.version_id}",
    }
    buildspec = project["source"]["buildspec"]
    for key, name in (("mirror.sh", "PROGRAM_VERSION"), ("units/example.json", "CONFIG_VERSION")):
        assert re.search(rf'^ *fetch {key} "\${name}" \S+ \w+$', buildspec, re.MULTILINE)
        assert f"{name}: " not in buildspec
    for found in bridge.resources("aws_s3_object").values():
        assert "aws_s3_bucket_versioning.program_versioning" in found["depends_on"]


def test_the_programs_bucket_is_private_and_keeps_what_was_replaced(bridge: Terraform) -> None:
    block = bridge.resource("aws_s3_bucket_public_access_block.program_public_access_block")
    assert all(block[key] is True for key in block if key.startswith(("block_", "ignore_", "restrict_")))
    (rule,) = bridge.resource("aws_s3_bucket_lifecycle_configuration.program_lifecycle")["rule"]
    assert "expiration" not in rule
    assert rule["noncurrent_version_expiration"] == [{"noncurrent_days": 30}]
    policy = bridge.statements(bridge.resource("aws_s3_bucket_policy.program_policy")["policy"])
    assert policy["DenyInsecureTransport"]["effect"] == "Deny"


def test_a_unit_keeps_its_state_in_a_parameter_that_terraform_does_not_reset(bridge: Terraform) -> None:
    state = bridge.resource("aws_ssm_parameter.spaces_example_state")
    assert (state["name"], state["type"]) == ("/kakehashi/kakehashi/prd/backlog/example", "String")
    assert state["lifecycle"] == {"ignore_changes": ["value"]}


def test_a_log_group_without_a_build_leaves_the_state_and_stays_in_the_account(
    bridge: Terraform, with_bucket: Terraform, with_file_system: Terraform
) -> None:
    assert [(it["from"], it["lifecycle"]) for it in bridge.json["removed"]] == [
        (f"aws_cloudwatch_log_group.mirrors_{key}_log_group", {"destroy": False}) for key in ("website", "batch")
    ]
    assert [(it["from"], it["lifecycle"]) for it in with_bucket.json["removed"]] == [
        ("aws_cloudwatch_log_group.spaces_example_log_group", {"destroy": False})
    ]
    assert "moved" not in bridge.json
    # A list of a project's repositories has the name of a space there, and is no mirror.
    assert "moved" not in with_file_system.json


def test_the_first_log_group_that_leaves_the_state_says_why_they_all_do(
    bridge: Terraform, with_bucket: Terraform
) -> None:
    for found, before in ((bridge, "repository"), (with_bucket, "space")):
        first, *others = found.json["removed"]
        assert first["//"]["comment"] == (
            f"If the bridge had a build for each {before} before, their log groups leave the state with the first "
            "apply, and stay in AWS with their logs."
        )
        assert not any("//" in it for it in others)


@pytest.mark.parametrize("isolation", ["space", "repository"])
def test_what_a_space_and_its_mirror_of_the_same_name_have_moves(
    changed: Callable[..., Stacks], isolation: str
) -> None:
    mirror = {"space": "example", "project": "OPS", "repository": "x", "target": {"create": "x"}}
    changes = {**PRD_ALONE, "prd.backlog.repositories": {"example": mirror}, "prd.backlog.isolation": isolation}
    bridge = changed("example", changes)["backlog-bridge"]
    assert "removed" not in bridge.json
    old, new = ("mirrors", "spaces") if isolation == "space" else ("spaces", "mirrors")
    moved = {one["from"]: one["to"] for one in bridge.json["moved"]}
    assert moved[f"aws_cloudwatch_log_group.{old}_example_log_group"] == (
        f"aws_cloudwatch_log_group.{new}_example_log_group"
    )
    addresses = bridge.addresses()
    assert len(moved) == 5
    assert all(one in addresses for one in moved.values())
    names = {"space": "spaces_example_mirror_role", "repository": "mirrors_example_role"}
    assert bridge.resource(f"aws_iam_role.{names[isolation]}")["name"] == "kakehashi-prd-backlog-mirror-example"


def _config(bridge: Terraform, unit: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bridge.resource(f"aws_s3_object.program_units_{unit}")["content"])
    return found


def test_a_build_of_a_space_works_with_its_mirrors(bridge: Terraform) -> None:
    assert _config(bridge, "example") == {
        "unit": "kakehashi-prd-backlog-example",
        "region": "ap-northeast-1",
        "account_id": "222222222222",
        "source": {
            "host": "example.git.backlog.jp",
            "user": "example",
            "known_hosts": [
                "example.git.backlog.jp ssh-ed25519 "
                "AAAAC3NzaC1lZDI1NTE5AAAAIPDx8vP09fb3+Pn6+/z9/v8AAQIDBAUGBwgJCgsMDQ4P"
            ],
            "key_parameter": "/kakehashi/backlog/ssh-key",
        },
        "role_arn": "arn:aws:iam::222222222222:role/kakehashi-prd-backlog-mirror-example",
        "transfer": "relay",
        "cache": "none",
        "lfs": "refuse",
        "max_lost_percent": 50,
        "max_rewritten_percent": 50,
        "alert_hours": 6,
        "timeout_minutes": 60,
        "state_parameter": "/kakehashi/kakehashi/prd/backlog/example",
        "notify_parameter": None,
        "metric_of_each_mirror": False,
        "mirrors": {
            "website": {"project": "WEB", "repository": "website", "target": "website", "key_arn": None},
            "batch": {"project": "OPS", "repository": "batch", "target": "batch", "key_arn": None},
        },
    }


def test_a_build_of_a_repository_works_with_the_settings_of_the_deployment(with_file_system: Terraform) -> None:
    config = _config(with_file_system, "website")
    assert config["role_arn"] is None
    assert list(config["mirrors"]) == ["website"]
    assert config["mirrors"]["website"]["key_arn"].startswith("arn:aws:kms:")
    settings = ("transfer", "cache", "lfs", "max_lost_percent", "max_rewritten_percent", "alert_hours")
    assert [config[name] for name in settings] == ["copy", "efs", "warn", 30, 20, 3]
    assert (config["notify_parameter"], config["metric_of_each_mirror"]) == ("/kakehashi/backlog/chat-url", True)
    webhook = f"arn:aws:ssm:{HERE}:parameter/kakehashi/backlog/chat-url"
    assert allowed(with_file_system, "mirrors_website_role")["ReadChatUrl"] == (["ssm:GetParameter"], [webhook])
