"""What docs/restore-gitlab.md names exists; tests/real/gitlab_server/test_restore.py runs its commands on a server."""

import re
from pathlib import Path

import pytest
import typer

from ops.cli import app
from ops.handover import convert, shipped
from tests.terraform import Stacks


@pytest.fixture(scope="module")
def runbook(project: Path) -> str:
    return (project / "docs/restore-gitlab.md").read_text()


def test_every_resource_of_the_runbook_is_in_the_gitlab_stack(runbook: str, example: Stacks) -> None:
    gitlab = example["dev-gitlab"]
    in_hcl = dict(re.findall(r"^\| `(aws_\w+\.\w+)` \| `(.+)` \|$", runbook, flags=re.MULTILINE))
    named = set(re.findall(r"\baws_\w+\.\w+", runbook)) - set(in_hcl.values())
    assert named == in_hcl.keys() == {"aws_instance.gitlab_instance", "aws_ebs_volume.data_volume"}
    converted = convert(gitlab.json, name="dev-gitlab", schemas=shipped())
    assert in_hcl == {address: converted.addresses[address] for address in named}
    for address in named:
        assert gitlab.resource(address)
    (attachment,) = gitlab.resources("aws_volume_attachment").values()
    assert f"DeviceName==`{attachment['device_name']}`" in runbook
    assert f"Name=tag:Name,Values={gitlab.resource('aws_instance.gitlab_instance')['tags']['Name']}" in runbook


def test_every_command_of_the_runbook_exists(runbook: str) -> None:
    commands = re.findall(r"^\$ \.venv/bin/python main\.py (.*)$", runbook, re.MULTILINE)
    assert len(commands) == 6
    for line in commands:
        command, words = typer.main.get_command(app), line.split()
        while isinstance(command, typer.core.TyperGroup):
            command = command.commands[words.pop(0)]
        command.make_context(line, words)
