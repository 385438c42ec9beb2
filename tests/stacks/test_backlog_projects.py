"""The agreed repositories of a whole Backlog project, in Terraform."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cdktf import App

from errors import WRONG_USAGE, RefusedError
from settings import load
from stacks.composition import compose
from tests.deployments import deployment_file
from tests.stacks.bridge import PRD_ALONE
from tests.terraform import Stacks, with_changes

PROJECT = {
    "space": "example",
    "from_project": "WEB",
    "except": ["scratch"],
    "target": {"create_prefix": "web-", "description": "Of WEB"},
    "agreed": ["api", "Shop.Front"],
}


def test_only_agreed_repositories_reach_terraform_each_protected_and_found_by_its_webhook(
    changed: Callable[..., Stacks],
) -> None:
    bridge = changed("example", {**PRD_ALONE, "prd.backlog.repositories": {"web": PROJECT}})["backlog-bridge"]
    repositories = bridge.resources("aws_codecommit_repository").values()
    assert {one["repository_name"]: one["description"] for one in repositories} == {
        "web-api": "Of WEB",
        "web-Shop.Front": "Of WEB",
    }
    assert all(one["lifecycle"] == {"prevent_destroy": True} for one in repositories)
    (template, *_) = {
        text
        for integration in bridge.resources("aws_api_gateway_integration").values()
        for text in integration["request_templates"].values()
    }
    for name in ("web-api", "web-shop-front", "example.WEB"):
        assert f'"{name}"' in template
    assert "scratch" not in template


def test_the_logs_of_a_projects_builds_stay_when_the_isolation_changes(changed: Callable[..., Stacks]) -> None:
    # The entry has the name of the space, and is no mirror itself.
    repositories = {"prd.backlog.repositories": {"example": PROJECT}}
    bridge = changed("example", {**PRD_ALONE, **repositories})["backlog-bridge"]
    kept = [block["from"] for block in bridge.json["removed"]]
    assert kept == [f"aws_cloudwatch_log_group.mirrors_example-{name}_log_group" for name in ("api", "shop-front")]
    assert "moved" not in bridge.json


def test_a_log_group_stays_in_terraform_for_a_build_whose_logs_are_kept(changed: Callable[..., Stacks]) -> None:
    bridge = changed("example", {**PRD_ALONE, "prd.backlog.keep_logs_of": ["website"]})["backlog-bridge"]
    assert [block["from"] for block in bridge.json["removed"]] == ["aws_cloudwatch_log_group.mirrors_batch_log_group"]
    group = bridge.resource("aws_cloudwatch_log_group.mirrors_website_log_group")
    assert group["name"] == "/aws/codebuild/kakehashi-prd-backlog-website"
    assert group["retention_in_days"] == "${var.log_retention_days}"


def test_the_log_group_of_a_space_stays_on_the_way_back(changed: Callable[..., Stacks]) -> None:
    back = {"prd.backlog.isolation": "repository", "prd.backlog.keep_logs_of": ["example"]}
    bridge = changed("example", {**PRD_ALONE, **back})["backlog-bridge"]
    assert "removed" not in bridge.json
    group = bridge.resource("aws_cloudwatch_log_group.spaces_example_log_group")
    assert group["name"] == "/aws/codebuild/kakehashi-prd-backlog-example"


def test_the_path_of_a_mirror_called_hooks_becomes_the_path_of_all_hooks(changed: Callable[..., Stacks]) -> None:
    mirror = {"space": "example", "project": "OPS", "repository": "hooks", "target": {"create": "hooks"}}
    bridge = changed("example", {**PRD_ALONE, "prd.backlog.repositories": {"hooks": mirror}})["backlog-bridge"]
    path = "aws_api_gateway_resource.webhook_hooks"
    # API Gateway refuses a second path of a name, and Terraform may create the new one first.
    assert bridge.json["moved"] == [{"from": f"{path}_hooks_resource", "to": path}]
    assert bridge.resource(path)["path_part"] == "hooks"
    urls = bridge.json["output"]["webhook_urls"]["value"]
    assert urls["hooks"] == "${aws_api_gateway_stage.webhook_stage.invoke_url}/hooks/hooks"


def test_refuses_a_bridge_that_mirrors_nothing_yet(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    nothing = {"web": {**PROJECT, "agreed": []}}
    changes = {**PRD_ALONE, "prd.backlog.repositories": nothing}
    file.write_text(json.dumps(with_changes(deployment_file("example"), changes)))
    with pytest.raises(RefusedError) as caught:
        compose(App(), load(file))
    assert caught.value.status == WRONG_USAGE
    assert str(caught.value) == (
        "error: prd.backlog.repositories: nothing is mirrored: no repository of a project is agreed to\n"
        "hint: see what there is, and agree to it: main.py backlog-repositories FILE --agree"
    )
