"""Makes the plans that tests review: `python -m tests.ops.review.make_plans [SCENARIO…]`, about ten minutes.

The real Terraform applies deployment.yaml (and another project, elsewhere.tf.json) to the emulated AWS once, and then
plans every scenario from that state; a scenario with `bridge_of` starts from that bridge. The scenario `everything` is
the first deployment of deployments/everything.yaml. Only the timestamp is removed from a plan.
"""

import json
import lzma
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

import bindings
from errors import RefusedError
from ops.rehearse.emulator import Emulator
from ops.rehearse.environment import environment, write_profiles
from ops.rehearse.prerequisites_from_settings import prerequisites_of
from ops.rehearse.stacks import RehearsalStack, read
from settings import load
from terraform.cli import TerraformCli
from tests.ops.review.scenarios import SCENARIOS, Aws, Scenario
from tests.terraform import with_changes

_HERE = Path(__file__).parent
_DEPLOYMENTS = _HERE.parents[2] / "deployments"
PLANS = _HERE / "plans"
_INNER = {
    "variable": {"name": {"type": "string"}},
    "resource": {"aws_cloudwatch_log_group": {"logs": {"name": "/elsewhere/${var.name}", "retention_in_days": 30}}},
}


class AppliedStacks:
    """A folder in which all stacks of a deployment are applied to one emulated AWS."""

    def __init__(self, deployment: Path, scratch: Path, aws: Emulator) -> None:
        self._deployment = deployment
        self._scratch = scratch
        self._out = scratch / "cdktf.out"
        self._aws = aws
        self._terraform = TerraformCli()
        (scratch / "plugins").mkdir()
        self.synthesise({})
        self.stacks = {stack.name: stack for stack in read(self._out)}

    def apply(self, kept_as: str | None) -> None:
        """Apply every stack; its first plan is stored under the scenario `kept_as`."""
        self._aws.seed(prerequisites_of(load(self._deployment)))
        account = next(iter(self.stacks.values())).account
        for bucket in {bucket for stack in self.stacks.values() for bucket in stack.buckets}:
            self._aws.make_bucket(account=account, region=bucket.region, name=bucket.name)
        for stack in self.stacks:
            self.terraform(stack, "init", "-no-color")
            if kept_as is not None:
                self.plan(kept_as, stack)
            self.terraform(stack, "apply", "-auto-approve", "-no-color")
            print(f"{stack}: applied", flush=True)

    def synthesise(self, changes: Mapping[str, Any]) -> None:
        """Write the deployment's Terraform, with some settings changed."""
        from stacks.synthesis import synthesise

        file = self._scratch / "deployment.yaml"
        file.write_text(json.dumps(with_changes(self._deployment, changes)))
        synthesise(load(file), self._out)

    def add_elsewhere(self) -> None:
        """Add the other project."""
        folder = self._out / "elsewhere"
        (folder / "inner").mkdir(parents=True)
        shutil.copy(_HERE / "elsewhere.tf.json", folder / "main.tf.json")
        (folder / "inner" / "main.tf.json").write_text(json.dumps(_INNER))
        document = json.loads((_HERE / "elsewhere.tf.json").read_text())
        self.stacks["elsewhere"] = RehearsalStack(name="elsewhere", file=folder / "main.tf.json", document=document)

    def terraform(self, stack: str, *arguments: str, accept: tuple[int, ...] = (0,)) -> str:
        """Run Terraform in a stack's folder."""
        aws_folder = self._scratch / "aws" / stack
        write_profiles(self.stacks[stack], aws_folder)
        done = self._terraform.run(
            *arguments,
            folder=self.stacks[stack].folder,
            env=environment(
                self.stacks[stack],
                endpoint=self._aws.url,
                aws_folder=aws_folder,
                plugin_cache=self._scratch / "plugins",
                inherited=os.environ,
            ),
        )
        if done.returncode not in accept:
            raise done.failure(stack, "see what Terraform printed, above")
        return done.stdout

    def plan(self, scenario: str, stack: str, *arguments: str, fails: bool = False) -> None:
        """Plan a stack, and store the plan under the scenario."""
        file = self._scratch / "tfplan"
        file.unlink(missing_ok=True)
        accept = (0, 1) if fails else (0,)
        self.terraform(stack, "plan", f"-out={file}", "-lock=false", "-no-color", *arguments, accept=accept)
        plan = json.loads(self.terraform(stack, "show", "-json", str(file)))
        plan.pop("timestamp", None)
        kept = PLANS / scenario / f"{stack}.json.xz"
        kept.parent.mkdir(parents=True, exist_ok=True)
        # Each plan of the bridge has its whole program several times, too far apart for gzip.
        kept.write_bytes(lzma.compress(json.dumps(plan, separators=(",", ":")).encode()))
        print(f"{scenario}/{stack}: {kept.stat().st_size / 1024:.0f} KB", flush=True)

    def attempt(self, scenarios: Sequence[Scenario]) -> list[str]:
        """Run scenarios; returns the errors."""
        failed = []
        for scenario in scenarios:
            try:
                self._run(scenario)
            except (BotoCoreError, ClientError, RefusedError) as error:
                print(f"{scenario.name}: {error}", flush=True)
                failed.append(f"{scenario.name}: {error}")
        unknown = self._aws.record().unknown
        return failed + [f"the emulated AWS does not know this request: {what}" for what in unknown]

    def _run(self, scenario: Scenario) -> None:
        """Make the scenario's change, plan it, and revert it."""
        self.synthesise(scenario.settings)
        hand = Aws(self._client)
        if scenario.by_hand is not None:
            scenario.by_hand(hand)
        try:
            for number, stack in enumerate(scenario.stacks):
                with self._with_extra(stack, scenario.extra), self._with_state(stack, scenario):
                    arguments = scenario.arguments if number == 0 or "-destroy" in scenario.arguments else ()
                    self.plan(scenario.name, stack, *arguments, fails=scenario.fails)
        finally:
            if scenario.undone is not None:
                scenario.undone(hand)

    def _client(self, service: str, account: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self._aws.url,
            region_name="ap-northeast-1",
            aws_access_key_id=account,
            aws_secret_access_key="rehearsal",
        )

    @contextmanager
    def _with_extra(self, stack: str, extra: Mapping[str, Any]) -> Iterator[None]:
        file = self.stacks[stack].folder / "extra.tf.json"
        if extra:
            file.write_text(json.dumps(extra))
        try:
            yield
        finally:
            file.unlink(missing_ok=True)

    @contextmanager
    def _with_state(self, stack: str, scenario: Scenario) -> Iterator[None]:
        if scenario.state is None:
            yield
            return
        backend = self.stacks[stack].document["terraform"]["backend"]["local"]
        file = self.stacks[stack].folder / backend["path"]
        before = file.read_text()
        state = json.loads(before)
        scenario.state(state)
        file.write_text(json.dumps(state))
        try:
            yield
        finally:
            file.write_text(before)


def main(wanted: list[str]) -> None:
    """Make the plans of the named scenarios, or of all."""
    bindings.install()
    if not wanted or "everything" in wanted:
        with _applied(_DEPLOYMENTS / "everything.yaml") as applied:
            applied.apply(kept_as="everything")
    scenarios = [scenario for scenario in SCENARIOS if not wanted or scenario.name in wanted]
    failed: list[str] = []
    for file in dict.fromkeys(scenario.bridge_of for scenario in scenarios if scenario.bridge_of is not None):
        with _applied(_DEPLOYMENTS / file) as applied:
            applied.stacks = {"backlog-bridge": applied.stacks["backlog-bridge"]}
            applied.apply(kept_as=None)
            failed += applied.attempt([scenario for scenario in scenarios if scenario.bridge_of == file])
    scenarios = [scenario for scenario in scenarios if scenario.bridge_of is None]
    if scenarios or not wanted or "first-deployment" in wanted:
        with _applied(_HERE / "deployment.yaml") as applied:
            applied.add_elsewhere()
            applied.apply(kept_as="first-deployment" if not wanted or "first-deployment" in wanted else None)
            failed += applied.attempt(scenarios)
    if failed:
        sys.exit("\n".join(failed))


@contextmanager
def _applied(deployment: Path) -> Iterator[AppliedStacks]:
    scratch = Path(tempfile.mkdtemp(prefix="kakehashi-plans-"))
    try:
        with Emulator(log=scratch / "aws.log") as aws:
            yield AppliedStacks(deployment, scratch, aws)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
