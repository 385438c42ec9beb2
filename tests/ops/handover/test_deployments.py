"""The handover of whole deployments: valid, readable, and with the same meaning."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import hcl2
import pytest

from ops.handover import hand_over
from settings import load
from tests.conftest import PROJECT
from tests.ops.handover.evaluation import compare, larger_than
from tests.real.terraform import diagnostics, terraform
from tests.terraform import Stacks

DEPLOYMENTS = ["minimal", "example", "everything"]

pytestmark = pytest.mark.terraform


@pytest.fixture(scope="session")
def handed_over(synthesised: Callable[[str], Stacks], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each deployment as HCL, by its name."""
    folders = {name: tmp_path_factory.mktemp("handover") / name for name in DEPLOYMENTS}
    for name, folder in folders.items():
        file = PROJECT / "deployments" / f"{name}.yaml"
        larger = larger_than(load(file), tmp_path_factory.mktemp("larger") / "cdktf.out")
        hand_over(synthesised(name).out, folder, larger=larger)
    return folders


def hcl(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*.tf"))}


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_is_formatted(deployment: str, handed_over: dict[str, Path]) -> None:
    done = terraform(handed_over[deployment], "fmt", "-check", "-recursive", "-diff")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.slow
def test_every_stack_is_valid_and_without_warnings(handed_over: dict[str, Path], tmp_path: Path) -> None:
    stacks = {
        f"{deployment}/{versions.parent.name}": versions.parent
        for deployment, folder in handed_over.items()
        for versions in sorted(folder.glob("[0-9]*/*/versions.tf"))
    }
    assert len(stacks) >= 11
    assert diagnostics(stacks, tmp_path) == {name: [] for name in stacks}


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_contains_nothing_of_cdktf(deployment: str, handed_over: dict[str, Path]) -> None:
    whole = "\n".join(hcl(handed_over[deployment]).values())
    assert re.findall(r'cdktf|uniqueId|^ *//|^(?:resource|data) .*_[0-9A-F]{8}" \{', whole, re.MULTILINE) == []


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_has_no_long_quoted_strings(deployment: str, handed_over: dict[str, Path]) -> None:
    lines = [line for text in hcl(handed_over[deployment]).values() for line in text.splitlines()]
    quoted = [text for line in lines for text in re.findall(r'"(?:[^"\\]|\\.)*"', line)]
    assert [text for text in quoted if len(text) > 420] == []


def test_sorts_blocks_into_files_by_concern(handed_over: dict[str, Path]) -> None:
    network = {path.name for path in (handed_over["everything"] / "111111111111" / "dev-network").glob("*.tf")}
    assert {"versions.tf", "providers.tf", "backend.tf", "variables.tf", "outputs.tf"} <= network
    assert {"vpc.tf", "subnets.tf", "nat.tf", "routes.tf", "endpoints.tf", "security_groups.tf"} <= network
    codecommit = {path.name for path in (handed_over["everything"] / "222222222222" / "prd-codecommit").glob("*")}
    assert {"codecommit.tf", "iam_push_user.tf", "iam_pull_user.tf", "terraform.tfvars", "README.md"} <= codecommit


def test_the_readme_lists_the_stacks_in_order(handed_over: dict[str, Path]) -> None:
    text = (handed_over["example"] / "README.md").read_text()
    order = re.findall(r"^\| \d+ \| \[`([^`]+)`\]", text, re.MULTILINE)
    assert order.index("111111111111/dev-network") < order.index("111111111111/dev-gitlab")
    assert [line.split("=")[1].split()[0] for line in text.splitlines() if line.endswith(" apply")] == order
    assert "Any other order in which a stack comes after those in its last column" in " ".join(text.split())


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_the_readme_names_moved_addresses_only_where_there_are_some(
    deployment: str, handed_over: dict[str, Path]
) -> None:
    text = (handed_over[deployment] / "README.md").read_text()
    has_moves = any(handed_over[deployment].rglob("moved.tf"))
    assert ("moved.tf" in text, "no changes" in text) == (has_moves, not has_moves)


def test_a_readme_lists_inputs_and_outputs(handed_over: dict[str, Path], synthesised: Callable[[str], Stacks]) -> None:
    stack = synthesised("example")["prd-codecommit"].json
    text = (handed_over["example"] / "222222222222" / "prd-codecommit" / "README.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert listed == [*sorted(stack["variable"]), *sorted(stack["output"])]


def test_keeps_the_protection_of_repositories(handed_over: dict[str, Path]) -> None:
    file = handed_over["everything"] / "222222222222" / "prd-codecommit" / "codecommit.tf"
    (repositories,) = hcl2.loads(file.read_text())["resource"]
    (arguments,) = (it for named in repositories.values() for it in named.values())
    assert arguments["for_each"] == "${local.repositories}"
    assert arguments["lifecycle"][0]["prevent_destroy"] is True


def test_keeps_the_reasons_for_accepted_findings_in_checkovs_form(handed_over: dict[str, Path]) -> None:
    text = (handed_over["example"] / "111111111111" / "dev-network" / "logs.tf").read_text()
    assert re.search(r"^  # checkov:skip=CKV_AWS_158: CloudWatch encrypts", text, re.MULTILINE)


def test_says_why_resources_and_statements_are_as_they_are(handed_over: dict[str, Path]) -> None:
    nat = (handed_over["example"] / "111111111111" / "dev-network" / "nat.tf").read_text()
    assert "created before the internet route is marked as failed.\nresource " in nat
    push = (handed_over["example"] / "222222222222" / "prd-codecommit" / "iam_push_user.tf").read_text()
    assert re.search(r"^  # .*that is compared, it is denied\.\n  statement \{$", push, re.MULTILINE)


def test_values_that_operations_change_are_variables(handed_over: dict[str, Path]) -> None:
    network = handed_over["everything"] / "111111111111" / "dev-network"
    assert (network / "terraform.tfvars").read_text() == (
        'flow_log_retention_days = 365\nnetwork_cidr            = "10.10.0.0/16"\n'
    )
    cidrs = {path: text.count('"10.10.') for path, text in hcl(network).items() if '"10.10.' in text}
    assert cidrs == {"locals.tf": 6}  # those of the subnets, in the list of zones


def test_moves_only_addresses_of_the_json(handed_over: dict[str, Path], synthesised: Callable[[str], Stacks]) -> None:
    for name, stack in synthesised("everything").terraform.items():
        for file in handed_over["everything"].glob(f"*/{name}/moved.tf"):
            old = re.findall(r"from = (\S+)", file.read_text())
            assert old
            assert set(old) <= set(stack.addresses())


def test_sha256sum_accepts_the_list_of_files(handed_over: dict[str, Path]) -> None:
    command = ["sha256sum", "--check", "--strict", "--quiet", ".handed-over.sha256"]
    assert subprocess.run(command, cwd=handed_over["example"], capture_output=True).returncode == 0


@pytest.mark.slow
def test_plans_of_random_deployments_are_equal(tmp_path: Path) -> None:
    compared = compare(range(4), tmp_path)
    assert compared.different == []
    assert compared.deployments >= 2
    assert compared.values > 1000
