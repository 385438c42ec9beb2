"""Fixtures for the tests with real programs."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deployments import DEPLOYMENTS
from tests.real.rendered import RenderedServer, with_values
from tests.real.synthesised import DeploymentStack
from tests.real.terraform import read_by_terraform
from tests.terraform import Stacks

# Programs that only these tests use, in environments of their own. A program on PATH has precedence.
_OWN_PROGRAMS = ("checkov/.venv/bin", "cdktf_cli/node_modules/.bin")
_TESTS = Path(__file__).parents[1]
os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *(str(_TESTS / folder) for folder in _OWN_PROGRAMS)])


@pytest.fixture(scope="session")
def stacks(synthesised: Callable[[str], Stacks]) -> list[DeploymentStack]:
    """Every stack of every deployment file that the project ships."""
    deployments = {name: synthesised(name) for name in DEPLOYMENTS}
    return [
        DeploymentStack(deployment=deployment, name=name, folder=found.out / "stacks" / name, terraform=terraform)
        for deployment, found in deployments.items()
        for name, terraform in found.terraform.items()
    ]


@pytest.fixture(scope="session")
def servers(stacks: list[DeploymentStack], tmp_path_factory: pytest.TempPathFactory) -> dict[str, RenderedServer]:
    """Every GitLab server, by `deployment/stack`."""
    having = [stack for stack in stacks if stack.name == "dev-gitlab"]
    found = {}
    for stack in having:
        user_data = stack.terraform.resource("aws_instance.gitlab_instance")["user_data"]
        document = stack.terraform.resource("aws_ssm_document.configuration_document")["content"]
        values = {name: with_values(text) for name, text in stack.terraform.json["locals"].items()}
        received = read_by_terraform([user_data, document], tmp_path_factory.mktemp("read"), values)
        (step,) = json.loads(received[1])["mainSteps"]
        found[str(stack)] = RenderedServer(
            user_data=received[0],
            commands="\n".join(step["inputs"]["runCommand"]),
            gitlab_rb=(stack.folder / "gitlab.rb").read_text(),
        )
    return found
