"""Resources have the same names with lazy imports, where Node makes the names, and with ordinary imports."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.terraform import Stacks

BOTH = """
import os, sys
import main
for name, file in (("everything", sys.argv[1]), ("clashing", sys.argv[2])):
    os.environ["CDKTF_OUTDIR"] = f"{sys.argv[3]}/{name}"
    os.environ["DEPLOYMENT"] = file
    print(name, main.main([]))
"""
"""Synthesises two deployments in one process, because ordinary imports take many seconds."""

CLASHING = {
    "name": "kakehashi",
    "owner": "platform-team",
    "region": "ap-northeast-1",
    "prd": {
        "account": {"id": "222222222222"},
        "codecommit": {"repositories": {"a.b": {}, "a_b": {}}, "pull": {"from_cidrs": ["198.51.100.0/28"]}},
    },
}


@pytest.mark.slow
def test_ordinary_imports_give_the_same_bytes_and_refuse_clashing_names(
    project: Path, synthesised: Callable[[str], Stacks], tmp_path: Path
) -> None:
    clashing = tmp_path / "clashing.json"
    clashing.write_text(json.dumps(CLASHING))
    files = (str(project / "deployments" / "everything.yaml"), str(clashing))
    run = subprocess.run(
        [sys.executable, "-c", BOTH, *files, str(tmp_path)],
        cwd=project,
        env=os.environ | {"KAKEHASHI_PLAIN_IMPORTS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "everything 0\n" in run.stdout, run.stderr
    assert run.stdout.endswith("clashing 2\n"), run.stderr
    assert "repositories/a.b and repositories/a_b would share the Terraform name 'repositories_a_b'" in run.stderr
    stacks = synthesised("everything")
    for stack in stacks.terraform:
        file = Path("stacks") / stack / "cdk.tf.json"
        assert (tmp_path / "everything" / file).read_bytes() == (stacks.out / file).read_bytes()
