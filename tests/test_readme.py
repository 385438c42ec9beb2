import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ops.production import production_labels
from settings import load


@pytest.fixture(scope="module")
def readme(project: Path) -> str:
    return (project / "README.md").read_text()


def _shown(readme: str, command: str) -> str:
    """What the README shows below a command."""
    shown = re.search(rf"```console\n\$ {re.escape(command)}\n(.*?)```", readme, re.DOTALL)
    assert shown, command
    return shown[1]


def _run(project: Path, out: Path, deployment: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CDKTF_OUTDIR": str(out), "DEPLOYMENT": str(deployment)}
    command = [sys.executable, "main.py"]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_first_command_prints_what_the_readme_shows(project: Path, readme: str, tmp_path: Path) -> None:
    out = tmp_path / "cdktf.out"
    done = _run(project, out, Path("deployments/example.yaml"))
    assert done.stdout.replace(str(out), "cdktf.out") == _shown(readme, "make synth")


@pytest.mark.slow
def test_wrong_settings_are_refused_as_the_readme_shows(project: Path, readme: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    text = (project / "deployments" / "example.yaml").read_text()
    text = text.replace("\n    instance_type:", "\n    instance_typ:").replace("198.51.100.0/28", "10.0.0.0/8")
    mine.write_text(text)
    done = _run(project, tmp_path / "cdktf.out", mine)
    assert done.returncode == 2
    assert done.stderr.replace(str(mine), "deployments/mine.yaml") == _shown(
        readme, "make synth DEPLOYMENT=deployments/mine.yaml"
    )


@pytest.mark.parametrize("page", ["in-the-room.md", "in-the-room.ja.md"])
def test_the_page_for_the_room_has_the_names_of_the_example(project: Path, page: str) -> None:
    deployment = load(project / "deployments" / "example.yaml")
    labels = production_labels(deployment)
    assert deployment.prd is not None
    assert deployment.prd.codecommit is not None
    text = (project / "docs" / page).read_text(encoding="utf-8")
    assert f"`{labels.git_user('pull')}`" in text
    assert f"--secret-id {labels.git_secret('pull')} " in text
    assert f"`{labels.git_secret('pull', 'NAME')}`" in text
    assert f"{labels.git_user('pull')}-at-{deployment.prd.account.id}" in text
    assert f"https://git-codecommit.{deployment.region}.amazonaws.com/v1/repos/application" in text
    assert "application" in deployment.prd.codecommit.repositories


def test_every_make_command_that_is_named_exists(project: Path, readme: str) -> None:
    makefile = (project / "Makefile").read_text()
    named = set(re.findall(r"make ([a-z]+)", readme))
    assert named >= {"synth", "test", "rehearse", "quick", "check", "bench"}
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_file_that_is_linked_exists(project: Path, readme: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", readme) if not link.startswith("http")]
    assert len(links) > 5
    assert [link for link in links if not (project / link.partition("#")[0]).exists()] == []
