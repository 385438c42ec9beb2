"""What the tests with real programs share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.synthesised import Stack
from tests.terraform import Stacks

# Programs that these tests alone use, in environments of their own; what is on PATH already goes first.
_OWN_PROGRAMS = ("checkov/.venv/bin", "cdktf_cli/node_modules/.bin")
_TESTS = Path(__file__).parents[1]
os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *(str(_TESTS / folder) for folder in _OWN_PROGRAMS)])


@pytest.fixture(scope="session")
def stacks(project: Path, synthesised: Callable[[str], Stacks]) -> list[Stack]:
    """Every stack of every deployment file."""
    deployments = {file.stem: synthesised(file.stem) for file in sorted((project / "deployments").glob("*.yaml"))}
    return [
        Stack(deployment=deployment, name=name, folder=found.out / "stacks" / name, terraform=terraform)
        for deployment, found in deployments.items()
        for name, terraform in found.terraform.items()
    ]
