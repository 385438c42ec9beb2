"""The move of a bridge that stands already, planned by the real Terraform CLI and AWS provider.

`standing/` has bridges as the project synthesised them until 29 November 2026, when each repository had a build: their
`stacks/backlog-bridge/cdk.tf.json`, compressed by `gzip -9n`. They are those of deployments/example.yaml, of
everything.yaml, whose mirrors have file systems as caches, and of that with `cache.mode: s3` and a mirror `hooks`.
"""

import gzip
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from errors import RefusedError
from ops.rehearse.prerequisites_from_settings import prerequisites_of
from ops.rehearse.workspace import Workspace
from settings import load
from terraform.plan import Action, Plan
from tests.ops.rehearse.one_stack import emulated
from tests.terraform import Stacks

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

STANDING = Path(__file__).with_name("standing")
STACK = "backlog-bridge"
PLACE = f"stacks/{STACK}"
KEPT = ("aws_codecommit_repository.", "aws_cloudwatch_log_group.", "aws_api_gateway_rest_api.")
"""What a move may not destroy."""


@contextmanager
def _standing(name: str, folder: Path, project: Path) -> Iterator[Workspace]:
    """The bridge of `standing/NAME.json.gz`, as it stands in an emulated AWS."""
    out = folder / "out"
    (out / PLACE).mkdir(parents=True)
    (out / PLACE / "cdk.tf.json").write_bytes(gzip.decompress((STANDING / f"{name}.json.gz").read_bytes()))
    stack = {
        "name": STACK,
        "synthesizedStackPath": f"{PLACE}/cdk.tf.json",
        "workingDirectory": PLACE,
        "dependencies": [],
    }
    (out / "manifest.json").write_text(json.dumps({"version": "0.21.0", "stacks": {STACK: stack}}))
    file = project / "deployments" / f"{name.partition('-')[0]}.yaml"
    with emulated(out, folder, prerequisites_of(load(file))) as bridge:
        bridge.apply()
        yield bridge


def _continue_from(bridge: Workspace, new: Path, folder: Path) -> None:
    """Take the Terraform of a new output, with the state that there is."""
    bridge.folder = Path(shutil.copytree(new / PLACE, folder / PLACE))
    bridge.init()


def _planned(bridge: Workspace, new: Path, folder: Path) -> Plan:
    """The plan of a move, which loses nothing."""
    _continue_from(bridge, new, folder)
    plan = bridge.read(bridge.plan())
    assert [address for address in _destroyed(plan) if address.startswith(KEPT)] == []
    return plan


def _moved(bridge: Workspace, new: Path, folder: Path) -> Plan:
    """The plan of a move that loses nothing, after whose apply nothing is left to change."""
    url = bridge.outputs()["webhook_urls"]["website"].rpartition("/")[0]
    plan = _planned(bridge, new, folder)
    bridge.apply()
    again = bridge.read(bridge.plan())
    assert bridge.outputs()["webhook_urls"]["website"] == f"{url}/hooks/website"
    assert [change.address for change in again.changes if change.action is not Action.NOTHING] == []
    return plan


def _destroyed(plan: Plan) -> list[str]:
    return sorted(change.address for change in plan.changes if change.is_destroyed)


def _kind(address: str) -> str:
    return address.partition(".")[0]


def _actions(plan: Plan) -> Mapping[str, Action]:
    return {change.address: change.action for change in plan.changes if change.action is not Action.NOTHING}


def test_a_bridge_moves_without_losing_a_repository_or_a_log(
    tmp_path: Path, project: Path, synthesised: Callable[[str], Stacks], changed: Callable[..., Stacks]
) -> None:
    with _standing("example", tmp_path, project) as bridge:
        # Terraform cannot forget a log group and destroy the build in one plan: it refuses, so that nothing is lost.
        _continue_from(bridge, synthesised("example").out, tmp_path / "scratch" / "forgets")
        with pytest.raises(RefusedError) as refused:
            bridge.plan()
        assert refused.value.details.startswith("Error: Cycle: ")

        kept = changed("example", {"prd.backlog.keep_logs_of": ["website", "batch"]})
        plan = _moved(bridge, kept.out, tmp_path / "scratch" / "keeps")

    assert "aws_codebuild_project.mirrors_website_project" in _destroyed(plan)
    done = _actions(plan)
    assert done["aws_codecommit_repository.repositories_website"] is Action.UPDATE
    assert done["aws_cloudwatch_log_group.spaces_example_log_group"] is Action.CREATE
    assert done["aws_api_gateway_stage.webhook_stage"] is Action.UPDATE
    assert {f"aws_cloudwatch_log_group.mirrors_{key}_log_group" for key in ("website", "batch")}.isdisjoint(done)


HOOKS = {"space": "partner", "project": "API_2", "repository": "hooks", "target": {"create": "hooks"}}
EVERYTHING = {"prd.backlog.keep_logs_of": None}
API_KINDS = {
    f"aws_api_gateway_{kind}"
    for kind in ("deployment", "integration", "integration_response", "method", "method_response", "resource")
}
"""The kinds of what the API had for each mirror."""


def test_file_systems_stay_with_a_build_for_each_repository_and_go_with_one_for_each_space(
    tmp_path: Path, project: Path, changed: Callable[..., Stacks]
) -> None:
    for_each_space = {
        "prd.backlog.isolation": None,
        "prd.backlog.cache.mode": "none",
        "prd.backlog.keep_logs_of": ["website", "batch", "partner-api"],
    }
    with _standing("everything", tmp_path, project) as bridge:
        gives_up = _planned(bridge, changed("everything", for_each_space).out, tmp_path / "scratch" / "spaces")
        stays = _moved(bridge, changed("everything", EVERYTHING).out, tmp_path / "scratch" / "new")

    assert {_kind(address) for address in _destroyed(stays)} == API_KINDS
    assert "aws_efs_file_system.caches_website_file_system" not in _actions(stays)
    of_caches = [address for address in _destroyed(gives_up) if ".caches_" in address]
    assert [address for address in of_caches if _kind(address) == "aws_efs_file_system"] == [
        f"aws_efs_file_system.caches_{key}_file_system" for key in ("batch", "partner-api", "website")
    ]
    assert {_kind(address) for address in _destroyed(gives_up) if address not in of_caches} == API_KINDS | {
        "aws_cloudwatch_metric_alarm",
        "aws_codebuild_project",
        "aws_iam_role",
        "aws_iam_role_policy",
        "aws_scheduler_schedule",
    }


def test_a_bucket_of_caches_and_a_mirror_called_hooks_stay_with_a_build_for_each_repository(
    tmp_path: Path, project: Path, changed: Callable[..., Stacks]
) -> None:
    settings = {**EVERYTHING, "prd.backlog.cache.mode": "s3", "prd.backlog.repositories.hooks": HOOKS}
    with _standing("everything-s3", tmp_path, project) as bridge:
        plan = _planned(bridge, changed("everything", settings).out, tmp_path / "scratch" / "new")

    assert {_kind(address) for address in _destroyed(plan)} == API_KINDS
    # API Gateway refuses a second path of this name.
    assert {"aws_s3_bucket.cache_bucket", "aws_api_gateway_resource.webhook_hooks"}.isdisjoint(_actions(plan))
