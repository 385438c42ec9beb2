"""Checkov finds the same in the HCL as in the JSON, where it can read the JSON.

It cannot read `terraform`, `moved` and `check` blocks in JSON, nor the rules of a security group that are a list.
"""

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from ops.handover import hand_over
from tests.ops.handover.foreign.test_foreign import PROJECTS, stacks

READABLE = ("orders-function", "platform-and-app")


def _checks(folder: Path, framework: str) -> dict[str, Counter[tuple[str, str]]]:
    """How often each check passed and failed in each stack."""
    command = ["checkov", "--directory", ".", "--framework", framework, "--skip-download", "--output", "json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stderr
    results = json.loads(done.stdout)["results"]
    assert results["parsing_errors"] == []
    return {
        result: Counter((it["file_path"].split("/")[1], it["check_id"]) for it in results[result])
        for result in ("passed_checks", "failed_checks")
    }


@pytest.mark.tool("checkov")
def test_checkov_finds_the_same_in_hcl_as_in_json(tmp_path: Path) -> None:
    for project in READABLE:
        hand_over(PROJECTS[project], tmp_path / project)
        for stack, document in stacks(project):
            (tmp_path / "json" / stack).mkdir(parents=True)
            readable = {kind: content for kind, content in document.items() if kind != "terraform"}
            (tmp_path / "json" / stack / "cdk.tf.json").write_text(json.dumps(readable))
            (tmp_path / "hcl").mkdir(exist_ok=True)
            (tmp_path / project / stack).rename(tmp_path / "hcl" / stack)
    from_json, from_hcl = _checks(tmp_path / "json", "terraform_json"), _checks(tmp_path / "hcl", "terraform")
    assert all(sum(it.values()) >= 10 for it in from_json.values())
    assert from_hcl == from_json
