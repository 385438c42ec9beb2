"""What make installs before there is a lock file to check it by."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest


def test_pipenv_and_all_that_it_needs_are_installed_by_hash(project: Path) -> None:
    makefile = (project / "Makefile").read_text()
    installed = re.findall(r"/pip install (.+(?:\\\n.+)*)", makefile)
    assert len(installed) == 1
    assert "--require-hashes --only-binary :all:" in installed[0]
    [block] = re.findall(
        r"^define PIPENV_HASHES\n(.*?)^endef\nexport PIPENV_HASHES$", makefile, re.DOTALL | re.MULTILINE
    )
    lines = block.splitlines()
    assert lines[0].startswith("pipenv==$(PIPENV_VERSION) ")
    assert {line.partition("==")[0] for line in lines} >= {"certifi", "packaging", "setuptools", "virtualenv"}
    for line in lines:
        assert re.fullmatch(r"[a-z-]+==\S+ --hash=sha256:[0-9a-f]{64}", line), line


def test_what_builds_a_package_from_its_source_is_checked_by_its_hash(project: Path) -> None:
    makefile = (project / "Makefile").read_text()
    [recipe] = re.findall(r"(?m)^\.venv/\.synth:.*\n((?:\t.*\n)+)", makefile)
    assert "grep '^setuptools==' >.venv-pipenv/build.txt" in recipe
    assert "export PIP_BUILD_CONSTRAINT=$(CURDIR)/.venv-pipenv/build.txt; $(call COUNTED)" in recipe


@pytest.mark.parametrize(("version", "status"), [("18.20.0", 2), ("20.0.0", 0), ("22.11.0", 0)])
def test_cdktf_cli_is_set_up_with_node_20_or_newer(project: Path, tmp_path: Path, version: str, status: int) -> None:
    node = shutil.which("node")
    assert node is not None
    # The real Node, which believes that it is of another version.
    believes = f"Object.defineProperty(process.versions, 'node', {{value: {json.dumps(version)}}}); "
    _write_program(tmp_path / "node", f'[ "$1" = -e ] || exec {node} "$@"\nexec {node} -e "{_quoted(believes)}$2"\n')
    _write_program(tmp_path / "npm", "exit 0\n")
    made = subprocess.run(
        ["make", "--old-file=.venv-pipenv/.done", "tools", "PIPENV=true"],
        cwd=project,
        env=os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert made.returncode == status, made.stderr
    assert ("hint: cdktf-cli needs Node 20 or 22" in made.stderr) == (status == 2)
    assert "TypeError" not in made.stderr


def _write_program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)


def _quoted(text: str) -> str:
    """The text for use within double quotes of the shell."""
    return re.sub(r'(["$`\\])', r"\\\1", text)
