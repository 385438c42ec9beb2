"""Fixtures for the tests with real programs."""

import json
from collections.abc import Callable

import pytest

from tests.deployments import DEPLOYMENTS
from tests.real.rendered import RenderedServer, with_values
from tests.real.synthesised import DeploymentStack
from tests.real.terraform import read_by_terraform
from tests.terraform import Stacks


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
