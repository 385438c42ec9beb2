"""Resources have the same names with lazy imports, where Node makes the names, and with ordinary imports."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.terraform import Stacks


def _with_ordinary_imports(project: Path, deployment: Path, out: Path) -> subprocess.CompletedProcess[str]:
    variables = {"KAKEHASHI_PLAIN_IMPORTS": "1", "DEPLOYMENT": str(deployment), "CDKTF_OUTDIR": str(out)}
    command = [sys.executable, "main.py"]
    return subprocess.run(command, cwd=project, env=os.environ | variables, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_names_are_the_same_byte_for_byte(project: Path, synthesised: Callable[[str], Stacks], tmp_path: Path) -> None:
    out = tmp_path / "cdktf.out"
    run = _with_ordinary_imports(project, project / "deployments" / "everything.yaml", out)
    assert run.returncode == 0, run.stderr
    stacks = synthesised("everything")
    for stack in stacks.terraform:
        file = Path("stacks") / stack / "cdk.tf.json"
        assert (out / file).read_bytes() == (stacks.out / file).read_bytes()


@pytest.mark.slow
def test_clashing_names_are_refused_with_ordinary_imports_too(project: Path, tmp_path: Path) -> None:
    settings = {
        "name": "kakehashi",
        "owner": "platform-team",
        "region": "ap-northeast-1",
        "prd": {
            "account": {"id": "222222222222"},
            "codecommit": {"repositories": {"a.b": {}, "a_b": {}}, "pull": {"from_cidrs": ["198.51.100.0/28"]}},
        },
    }
    deployment = tmp_path / "clashing.json"
    deployment.write_text(json.dumps(settings))
    run = _with_ordinary_imports(project, deployment, tmp_path / "cdktf.out")
    assert run.returncode == 2
    assert "repositories/a.b and repositories/a_b would share the Terraform name 'repositories_a_b'" in run.stderr
