"""The move of a bridge that stands already, planned by the real Terraform CLI and AWS provider.

`standing/example.json.gz` has the bridge of deployments/example.yaml as the project synthesised it until 29 November
2026, when each repository had a build: its `stacks/backlog-bridge/cdk.tf.json`, compressed by `gzip -9n`.
"""

import gzip
import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from errors import RefusedError
from ops.rehearse.emulator import Emulator
from ops.rehearse.prerequisites import Prerequisites
from ops.rehearse.stacks import read
from ops.rehearse.workspace import Runs, Workspace
from terraform.cli import TerraformCli
from terraform.plan import Action
from tests.terraform import Stacks

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

STANDING = Path(__file__).with_name("standing") / "example.json.gz"
STACK = "backlog-bridge"
PLACE = f"stacks/{STACK}"
LOG_GROUPS = [f"aws_cloudwatch_log_group.mirrors_{key}_log_group" for key in ("website", "batch")]


def _standing(out: Path) -> Path:
    """The output that the bridge was applied from."""
    (out / PLACE).mkdir(parents=True)
    (out / PLACE / "cdk.tf.json").write_bytes(gzip.decompress(STANDING.read_bytes()))
    stack = {
        "name": STACK,
        "synthesizedStackPath": f"{PLACE}/cdk.tf.json",
        "workingDirectory": PLACE,
        "dependencies": [],
    }
    (out / "manifest.json").write_text(json.dumps({"version": "0.21.0", "stacks": {STACK: stack}}))
    return out


def test_a_bridge_moves_without_losing_a_repository_or_a_log(
    tmp_path: Path, synthesised: Callable[[str], Stacks], changed: Callable[..., Stacks]
) -> None:
    out, scratch = _standing(tmp_path / "out"), tmp_path / "scratch"
    (scratch / "plugins").mkdir(parents=True)
    with Emulator(log=tmp_path / "aws.log") as aws:
        aws.seed(Prerequisites(region="ap-northeast-1"))
        runs = Runs(
            terraform=TerraformCli(),
            endpoint=aws.url,
            scratch=scratch,
            inherited=os.environ,
            one_init=threading.Lock(),
        )
        bridge = Workspace(read(out)[0], out=out, runs=runs)
        bridge.init()
        bridge.apply()

        # Terraform cannot forget a log group and destroy the build in one plan: it refuses, so that nothing is lost.
        _continue_from(bridge, synthesised("example").out, scratch / "cdktf.forgets")
        with pytest.raises(RefusedError) as refused:
            bridge.plan()
        assert refused.value.details.startswith("Error: Cycle: ")

        kept = changed("example", {"prd.backlog.keep_logs_of": ["website", "batch"]})
        _continue_from(bridge, kept.out, scratch / "cdktf.keeps")
        plan = bridge.read(bridge.plan())
        bridge.apply()
        again = bridge.read(bridge.plan())

    destroyed = {change.address for change in plan.changes if change.is_destroyed}
    assert "aws_codebuild_project.mirrors_website_project" in destroyed
    lost = ("aws_codecommit_repository.", "aws_cloudwatch_log_group.", "aws_api_gateway_rest_api.")
    assert [address for address in destroyed if address.startswith(lost)] == []
    done = {change.address: change.action for change in plan.changes}
    assert done["aws_codecommit_repository.repositories_website"] is Action.UPDATE
    assert done["aws_cloudwatch_log_group.spaces_example_log_group"] is Action.CREATE
    assert done["aws_api_gateway_stage.webhook_stage"] is Action.UPDATE
    assert {done.get(address, Action.NOTHING) for address in LOG_GROUPS} == {Action.NOTHING}
    assert {change.address for change in again.changes if change.action is not Action.NOTHING} == set()


def _continue_from(bridge: Workspace, new: Path, folder: Path) -> None:
    """Take the Terraform of a new output, with the state that there is."""
    bridge.folder = Path(shutil.copytree(new / PLACE, folder / PLACE))
    bridge.init()
