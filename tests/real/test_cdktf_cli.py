"""The real cdktf-cli synthesises, shows, deploys and destroys a deployment, against an emulated AWS."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.rehearse.emulator import Emulator
from ops.rehearse.prerequisites import ExistingImage, Prerequisites
from tests.terraform import with_changes

pytestmark = [pytest.mark.tool("cdktf"), pytest.mark.terraform, pytest.mark.slow]

DEV, PRD = "111111111111", "222222222222"
REGION = "ap-northeast-1"
IMAGE = ExistingImage(account=DEV, ami_id="ami-0123456789abcdef0", name="GitLab CE 18.0.0", owner="782774275127")
DEV_ALONE = {
    "name": "kakehashi",
    "owner": "platform-team",
    "region": REGION,
    "dev": {
        "account": {"id": DEV},
        "network": {"cidr": "10.10.0.0/24", "zones": ["a"], "nat": {"gateways": "one"}},
        "gitlab": {
            "external_url": "https://gitlab.dev.example.com",
            "work_terminal_cidrs": ["198.51.100.128/28"],
            "ami": {"id": IMAGE.ami_id},
            "termination_protection": False,
            "deletion_protected": False,
        },
    },
}


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A copy of the project with one deployment file, and the emulated AWS it is deployed to."""

    folder: Path
    aws: Emulator

    def deploy(self, deployment: Mapping[str, object]) -> None:
        """Write `deployment` as the deployment file."""
        (self.folder / "deployment.yaml").write_text(json.dumps(deployment))

    def cdktf(self, *arguments: str, account: str, fails: bool = False, deployment: str = "deployment.yaml") -> str:
        """Run the command with an account's credentials; returns its output on one line, without colours."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TF_", "CDKTF_"))}
        if "TF_CLI_CONFIG_FILE" in os.environ:
            kept["TF_CLI_CONFIG_FILE"] = os.environ["TF_CLI_CONFIG_FILE"]
        ran = subprocess.run(
            ["cdktf", *arguments],
            cwd=self.folder,
            env={
                **kept,
                "HOME": str(self.folder / "home"),
                "CI": "1",
                "CHECKPOINT_DISABLE": "1",
                "DEPLOYMENT": deployment,
                "TF_PLUGIN_CACHE_DIR": str(self.folder / "plugins"),
                "AWS_ENDPOINT_URL": self.aws.url,
                "AWS_ACCESS_KEY_ID": account,
                "AWS_SECRET_ACCESS_KEY": "of-the-tests",
                "AWS_REGION": REGION,
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        printed = re.sub(r"\x1b\[[0-9;]*m", "", ran.stdout)
        assert (ran.returncode != 0) == fails, printed
        return " ".join(printed.split())


@pytest.fixture(scope="module")
def checkout(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    tmp_path = tmp_path_factory.mktemp("cdktf")
    folder = tmp_path / "checkout"
    for name in (
        "bindings",
        "buildspec",
        "errors",
        "iam",
        "limits",
        "modules",
        "ops",
        "settings",
        "stacks",
        "terraform",
    ):
        shutil.copytree(project / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("cdktf.json", "main.py"):
        shutil.copy(project / name, folder)
    for name in ("home", "plugins"):
        (folder / name).mkdir()
    (folder / ".venv").symlink_to(sys.prefix)
    with Emulator(log=tmp_path / "aws.log") as aws:
        aws.seed(Prerequisites(region=REGION, images=(IMAGE,)))
        yield Checkout(folder=folder, aws=aws)
        assert aws.record().unknown == []


def test_a_stack_is_synthesised_shown_deployed_and_destroyed_by_its_name(project: Path, checkout: Checkout) -> None:
    minimal = project / "deployments" / "minimal.yaml"
    checkout.deploy(with_changes(minimal, {}))
    generated = "Generated Terraform code for the stacks: prd-codecommit"
    assert generated in checkout.cdktf("synth", account=PRD)

    infra = checkout.folder.parent / "infra"
    infra.mkdir()
    shutil.copy(checkout.folder / "deployment.yaml", infra / "prd.yaml")
    beside = ("synth", "--output", "../infra/cdktf.out")
    assert generated in checkout.cdktf(*beside, account=PRD, deployment="../infra/prd.yaml")
    assert (infra / "cdktf.out" / "stacks" / "prd-codecommit" / "cdk.tf.json").is_file()

    def run(*arguments: str, fails: bool = False) -> str:
        return checkout.cdktf(*arguments, "prd-codecommit", "--skip-provider-lock", account=PRD, fails=fails)

    assert "Plan: 11 to add, 0 to change, 0 to destroy." in run("diff")
    printed = run("deploy", "--auto-approve")
    assert "Apply complete! Resources: 11 added, 0 changed, 0 destroyed." in printed
    assert "push_user_name = kakehashi-prd-push" in printed

    # The command cuts off Terraform's last lines, so the test sees only that the protected repository still exists.
    assert "Invoking Terraform CLI failed with exit code 1" in run("destroy", "--auto-approve", fails=True)
    assert "No changes. Your infrastructure matches the configuration." in run("diff")
    checkout.deploy(with_changes(minimal, {"prd.codecommit.deletion_protected": False}))
    assert "Destroy complete! Resources: 11 destroyed." in run("destroy", "--auto-approve")


def test_an_account_is_deployed_and_destroyed_by_the_pattern_of_its_stacks(checkout: Checkout) -> None:
    checkout.deploy(DEV_ALONE)

    def run(*arguments: str, account: str = DEV, fails: bool = False) -> str:
        return checkout.cdktf(*arguments, "--skip-provider-lock", "--auto-approve", account=account, fails=fails)

    assert "AWS account ID not allowed: 222222222222" in run("deploy", "dev-*", account=PRD, fails=True)
    assert "dependencies are not included in the stacks to run: dev-network." in run("deploy", "dev-gitlab", fails=True)
    assert re.findall(r"Apply complete! Resources: (\d+) added", run("deploy", "dev-*")) == ["24", "31"]
    assert "No changes." in run("deploy", "dev-gitlab", "--ignore-missing-stack-dependencies")
    assert re.findall(r"Destroy complete! Resources: (\d+) destroyed", run("destroy", "dev-*")) == ["31", "24"]
