"""One approval for several stacks, and an apply that goes on where it stopped, with the real Terraform."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.ops.pipelines.steps import Step, done, record, write_stacks

pytestmark = pytest.mark.terraform


def _gated(gate: Path) -> dict[str, Any]:
    """A stack whose second object fails during the apply until a file exists."""
    second = {
        "input": "${terraform_data.first.output}",
        "lifecycle": {
            "precondition": {"condition": "${fileexists(terraform_data.first.output)}", "error_message": "not yet"}
        },
    }
    outputs = {"gate": {"value": "${terraform_data.second.output}"}}
    return {"resource": {"terraform_data": {"first": {"input": str(gate)}, "second": second}}, "output": outputs}


def test_an_apply_that_fails_at_any_stack_goes_on_there(
    step: Step, project: Path, repository: Path, tmp_path: Path
) -> None:
    stacks = ("one", "two", "three")
    write_stacks(repository, {name: _gated(tmp_path / name) for name in stacks})
    done(step("plan", *stacks))
    approved = record(project, repository, *stacks)
    for place, name in enumerate(stacks):
        failed = step("apply", *stacks, **approved)
        assert failed.returncode == 1
        assert "not yet" in failed.stderr
        assert failed.stdout.count("Resources: 1 added") == min(place, 1), "the stack that failed last goes on"
        written = [other for other in stacks if (tmp_path / f"{other}.tfstate").exists()]
        assert written == list(stacks[: place + 1])
        (tmp_path / name).touch()

    state = tmp_path / "three.tfstate"
    kept = state.read_text()
    content = json.loads(kept)
    content["resources"][0]["instances"][0]["attributes"]["input"]["value"] = "changed by hand"
    state.write_text(json.dumps(content))
    changed = step("apply", *stacks, **approved)
    assert changed.returncode == 1
    assert "three: terraform_data.first" in changed.stdout
    state.write_text(kept)
    assert "Resources: 1 added" in done(step("apply", *stacks, **approved))


def _network(address: str) -> dict[str, Any]:
    outputs = {"address": {"value": "${terraform_data.address.output}"}, "name": {"value": "tokyo"}}
    return {"resource": {"terraform_data": {"address": {"input": address}}}, "output": outputs}


def _repositories(tmp_path: Path, other: str = "stays") -> dict[str, Any]:
    state = {"backend": "local", "config": {"path": str(tmp_path / "dev-network.tfstate")}}
    objects = {
        "policy": {"input": "${local.networks}"},
        "user": {"input": ["x-${terraform_data.policy.output[0]}", "y"]},
        "other": {"input": f"{other} in ${{data.terraform_remote_state.dev_network.outputs.name}}"},
    }
    return {
        "data": {"terraform_remote_state": {"dev_network": state}},
        "locals": {"networks": ["${data.terraform_remote_state.dev_network.outputs.address}/32"]},
        "resource": {"terraform_data": objects},
        "output": {"policy": {"value": "${terraform_data.policy.id}"}},
    }


def test_a_change_that_goes_through_several_stacks_is_foretold_and_applied_in_one_merge(
    step: Step, project: Path, repository: Path, tmp_path: Path
) -> None:
    stacks = ("dev-network", "prd-codecommit")
    write_stacks(repository, {"dev-network": _network("192.0.2.1"), "prd-codecommit": _repositories(tmp_path)})
    for stack in stacks:
        for command in (["init"], ["apply", "-auto-approve"]):
            folder = repository / "cdktf.out" / "stacks" / stack
            subprocess.run(["terraform", *command], cwd=folder, check=True, capture_output=True)

    write_stacks(repository, {"dev-network": _network("192.0.2.9"), "prd-codecommit": _repositories(tmp_path)})
    done(step("plan", *stacks))
    approved = record(project, repository, *stacks)
    plans = repository / "plans"
    found = json.loads((plans / "approval.json").read_text())["stacks"]["prd-codecommit"]["foretold"]
    source = [["dev-network", "address"]]
    assert found["attributes"] == {
        "terraform_data.policy": {"input": source},
        "terraform_data.user": {"input": source},
    }
    assert found["outputs"] == {}

    file = repository / "cdktf.out/stacks/prd-codecommit/cdk.tf.json"
    kept = file.read_text()
    done(step("apply", "dev-network", **approved))
    for was, now in (("stays", "changes"), ('"y"', '"z"')):
        file.write_text(kept.replace(was, now))
        refused = step("apply", "prd-codecommit", **approved)
        assert refused.returncode == 1
        assert "nothing was applied" in refused.stderr
    file.write_text(kept)
    printed = done(step("apply", "prd-codecommit", **approved))
    changed = 'terraform_data.policy.change.after.input.0: approved "192.0.2.1/32", now "192.0.2.9/32"'
    assert f"foretold: prd-codecommit: {changed}" in printed
    assert "Resources: 0 added, 2 changed, 0 destroyed" in printed
    assert "x-192.0.2.9/32" in (tmp_path / "prd-codecommit.tfstate").read_text()
    assert "Apply complete" not in done(step("apply", *stacks, **approved)), "a run again finds everything done"
