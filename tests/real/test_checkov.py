"""Every finding of checkov in the synthesised Terraform is acknowledged in its resource, with a reason."""

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cdktf import App, TerraformOutput, TerraformStack

from modules.acknowledged import acknowledge
from tests.real.synthesised import DeploymentStack
from tests.terraform import Stacks


@dataclass(frozen=True, order=True)
class CheckovFinding:
    """A failed check on one resource or data source of a stack, `deployment/stack`."""

    stack: str
    resource: str
    check: str


def readable(terraform: Mapping[str, Any]) -> dict[str, Any]:
    """A stack's Terraform in a form that checkov reads completely.

    checkov stops at text in the `terraform` block and at `removed` blocks, neither of which makes an object, and skips
    values that are variables. A policy statement that acknowledges a finding becomes a separate policy, so that its
    reasons excuse no other statement.
    """
    variables = terraform.get("variable", {})
    read: dict[str, Any] = {
        block: resolved(content, variables)
        for block, content in terraform.items()
        if block not in ("terraform", "removed")
    }
    policies = read.get("data", {}).get("aws_iam_policy_document", {})
    for name, policy in list(policies.items()):
        for statement in [it for it in policy["statement"] if "acknowledged" in it.get("//", {})]:
            policy["statement"].remove(statement)
            policies[f"{name}_{statement['sid']}"] = {"//": statement["//"], "statement": [statement]}
    return read


def resolved(value: Any, variables: Mapping[str, Any]) -> Any:
    """`value` with variables replaced by their defaults."""
    if isinstance(value, dict):
        return {key: resolved(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item, variables) for item in value]
    reference = re.fullmatch(r"\$\{var\.(\w+)\}", value) if isinstance(value, str) else None
    return variables[reference[1]]["default"] if reference else value


def scan(stacks: Mapping[str, Mapping[str, Any]], folder: Path) -> set[CheckovFinding]:
    """Checkov's findings in readable stacks, which are given by name."""
    for name, terraform in stacks.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "cdk.tf.json").write_text(json.dumps(terraform))
    command = ["checkov", "--directory", ".", "--framework", "terraform_json", "--skip-download", "--output", "json"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert ran.returncode in (0, 1), ran.stderr
    report = json.loads(ran.stdout)["results"]
    assert report["parsing_errors"] == []
    assert {stack_of(record) for record in report["passed_checks"]} == stacks.keys()
    return {CheckovFinding(stack_of(record), name_of(record), record["check_id"]) for record in report["failed_checks"]}


def stack_of(record: Mapping[str, Any]) -> str:
    return str(record["file_path"]).removeprefix("/").removesuffix("/cdk.tf.json")


def name_of(record: Mapping[str, Any]) -> str:
    """The resource's name without its type, which checkov leaves out of some of its answers; names are unique here."""
    return str(record["resource"]).rpartition(".")[2]


def acknowledged(stacks: Mapping[str, Mapping[str, Any]]) -> dict[CheckovFinding, str]:
    """The findings that stacks acknowledge, and why."""
    return {
        CheckovFinding(stack, name, check): reason
        for stack, terraform in stacks.items()
        for block in ("resource", "data")
        for named in terraform.get(block, {}).values()
        for name, arguments in named.items()
        for check, reason in arguments.get("//", {}).get("acknowledged", {}).items()
    }


@pytest.fixture(scope="module")
def everything(stacks: list[DeploymentStack]) -> dict[str, dict[str, Any]]:
    return {str(stack): readable(stack.terraform.json) for stack in stacks}


@pytest.fixture(scope="module")
def findings(everything: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> set[CheckovFinding]:
    return scan(everything, tmp_path_factory.mktemp("checkov"))


@pytest.mark.tool("checkov")
def test_every_finding_has_a_reason_in_its_resource(
    findings: set[CheckovFinding], everything: dict[str, dict[str, Any]]
) -> None:
    assert sorted(findings - acknowledged(everything).keys()) == []


@pytest.mark.tool("checkov")
def test_every_reason_has_a_finding_in_some_deployment(
    findings: set[CheckovFinding], everything: dict[str, dict[str, Any]]
) -> None:
    needed = {(finding.check, reason) for finding, reason in acknowledged(everything).items() if finding in findings}
    assert sorted({(finding.check, reason) for finding, reason in acknowledged(everything).items()} - needed) == []


@dataclass(frozen=True)
class SeededFault:
    """A fault in a stack of the example: another value at a path, and the check that must find it."""

    stack: str
    path: str
    value: object
    check: str


TO_ANYBODY = {"type": "AWS", "identifiers": ["*"]}
FAULTS = (
    SeededFault(
        "dev-gitlab",
        "data/aws_iam_policy_document/gitlab_role_trust/statement/0/principals",
        [TO_ANYBODY],
        "CKV_AWS_283",
    ),
    SeededFault(
        "dev-gitlab", "resource/aws_instance/gitlab_instance/metadata_options/http_tokens", "optional", "CKV_AWS_79"
    ),
    SeededFault("dev-gitlab", "resource/aws_instance/gitlab_instance/root_block_device/encrypted", False, "CKV_AWS_8"),
    SeededFault(
        "dev-gitlab",
        "resource/aws_vpc_security_group_ingress_rule/gitlab_security_group_from_vpc_ssh/cidr_ipv4",
        "0.0.0.0/0",
        "CKV_AWS_24",
    ),
    SeededFault(
        "prd-codecommit", "data/aws_iam_policy_document/pull_user_allow/statement/0/actions", ["*"], "CKV_AWS_49"
    ),
    SeededFault(
        "dev-network",
        "data/aws_iam_policy_document/flow_logs_role_permissions/statement/0/resources",
        ["*"],
        "CKV_AWS_356",
    ),
    SeededFault(
        "prd-codecommit", "data/aws_iam_policy_document/push_user_allow/statement/0/resources", ["*"], "CKV_AWS_111"
    ),
    SeededFault(
        "backlog-bridge",
        "resource/aws_s3_bucket_public_access_block/program_public_access_block/block_public_acls",
        False,
        "CKV_AWS_53",
    ),
    SeededFault(
        "backlog-bridge",
        "resource/aws_codebuild_project/spaces_example_project/environment/privileged_mode",
        True,
        "CKV_AWS_316",
    ),
)


def put(terraform: Any, path: str, value: object) -> None:
    *parents, last = path.split("/")
    for key in parents:
        terraform = terraform[int(key) if isinstance(terraform, list) else key]
    assert last in terraform
    terraform[last] = value


@pytest.mark.tool("checkov")
def test_a_fault_in_a_resource_or_policy_is_found(synthesised: Callable[[str], Stacks], tmp_path: Path) -> None:
    stacks = {name: readable(stack.json) for name, stack in synthesised("example").terraform.items()}
    for fault in FAULTS:
        put(stacks[fault.stack], fault.path, fault.value)
    found = {(finding.stack, finding.check) for finding in scan(stacks, tmp_path) - acknowledged(stacks).keys()}
    assert found >= {(fault.stack, fault.check) for fault in FAULTS}


def test_refuses_a_reason_that_is_too_short(app: App) -> None:
    stack = TerraformStack(app, "stack")
    output = TerraformOutput(stack, "output", value="text")
    with pytest.raises(ValueError, match=r"^stack/output: CKV_AWS_18: 'not needed' is too short for a reason$"):
        acknowledge(output, CKV_AWS_18="not needed")
