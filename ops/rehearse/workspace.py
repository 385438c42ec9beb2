"""One stack in a rehearsal: the folder in which Terraform runs for it, and those runs."""

import json
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import refused
from errors.shown import counted
from ops.rehearse.environment import environment, write_profiles
from ops.rehearse.stacks import RehearsalStack
from terraform import plan
from terraform.cli import FinishedRun, TerraformCli, message
from terraform.plan import Plan
from terraform.plan_configuration import base_address

# Terraform's exit codes of `plan -detailed-exitcode`.
_NO_CHANGES, _CHANGES = 0, 2

# What Terraform keeps in a stack's folder for the real account.
_LEFT_OUT = shutil.ignore_patterns(".terraform", "*.tfstate", "*.tfstate.*", "*.tfplan", "plan")


@dataclass(frozen=True, kw_only=True)
class Runs:
    """What the Terraform runs of all workspaces share. `scratch` is a folder of the rehearsal's own."""

    terraform: TerraformCli
    endpoint: str
    scratch: Path
    inherited: Mapping[str, str]
    one_init: threading.Lock
    """Terraform's plugin cache must not be filled by two runs at a time."""


@dataclass(frozen=True, kw_only=True)
class WrittenPlan:
    """A plan that Terraform wrote, and whether it changes nothing."""

    path: Path
    is_empty: bool


class Workspace:
    """A copy of one stack's folder, at the same place below the scratch folder, and Terraform's runs in it.

    `folder` may be set to another copy. `values` are other values of the stack's variables, for every run from then on.
    """

    def __init__(self, stack: RehearsalStack, *, out: Path, runs: Runs) -> None:
        self.stack = stack
        self.values: dict[str, Any] = {}
        self._place = stack.folder.relative_to(out)
        self._runs = runs
        self.folder = runs.scratch / "cdktf.out" / self._place
        shutil.copytree(stack.folder, self.folder, ignore=_LEFT_OUT)
        for path in stack.state_files:
            if not (self.folder / path).resolve().is_relative_to(runs.scratch.resolve()):
                what = f"its state is at {path}, outside the folder of the deployment"
                hint = "give the backend a path relative to the stack, so that a copy has a state of its own"
                raise refused(stack.name, what, hint)

    def init(self) -> None:
        with self._runs.one_init:
            done = self._run("init", "-json")
        if done.returncode:
            providers = "let Terraform reach registry.terraform.io, or name a mirror in the file of TF_CLI_CONFIG_FILE"
            raise done.failure(self.stack.name, f"where a provider is missing, {providers}; the log is {self._log}")

    def plan(self) -> WrittenPlan:
        path = self._runs.scratch / f"{self.stack.name}.tfplan"
        done = self._run("plan", "-json", "-detailed-exitcode", f"-out={path}", *self._variables())
        self._expect(done, _NO_CHANGES, _CHANGES)
        return WrittenPlan(path=path, is_empty=done.returncode == _NO_CHANGES)

    def read(self, file: WrittenPlan) -> Plan:
        return plan.read(self.stack.name, self._succeed("show", "-json", str(file.path)).stdout, str(file.path))

    def shown(self, file: WrittenPlan) -> str:
        """The plan, for people."""
        return self._succeed("show", "-no-color", str(file.path)).stdout

    def apply(self, file: WrittenPlan | None = None, *, report: Callable[[str], None] = lambda _: None) -> None:
        """Apply the plan in `file`, or a new one; `report` is called with how far it is."""
        what = [str(file.path)] if file else ["-auto-approve", *self._variables()]
        self._succeed("apply", "-json", *what, on_line=ResourceCounter(report))

    def destroy(self, *, report: Callable[[str], None]) -> None:
        self._succeed("destroy", "-json", "-auto-approve", *self._variables(), on_line=ResourceCounter(report))

    def refuses_to_be_destroyed(self) -> bool:
        """Whether the configuration itself forbids it, as `prevent_destroy` does.

        An error of an AWS call has the address of its resource.
        """
        done = self._run("plan", "-json", "-destroy", *self._variables())
        self._expect(done, 0, 1)
        return bool(done.errors) and all(error.address is None for error in done.errors)

    def addresses(self) -> list[str]:
        """The resources in its state."""
        return self._succeed("state", "list").stdout.split()

    def outputs(self) -> dict[str, Any]:
        """The values of its outputs, but for sensitive ones."""
        outputs = json.loads(self._succeed("output", "-json").stdout)
        return {name: "(sensitive)" if it["sensitive"] else it["value"] for name, it in outputs.items()}

    def move(self, addresses: Mapping[str, str]) -> None:
        """Tell Terraform to move resources of its state: those at the keys to the addresses that are the values."""
        moved = [{"from": old, "to": new} for old, new in addresses.items()]
        (self.folder / "moved_back.tf.json").write_text(json.dumps({"moved": moved}), encoding="utf-8")

    def forget(self, addresses: Sequence[str]) -> None:
        """Take resources out of its state, and leave them in the account."""
        self._succeed("state", "rm", *addresses)

    def unlock(self) -> None:
        """Move to another copy, in which `prevent_destroy` is off and nothing else is changed."""
        folder = self._runs.scratch / "cdktf.unlocked" / self._place
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns(".terraform"))
        (folder / self.stack.file.name).write_text(
            json.dumps(self.stack.without_protection(), indent=2), encoding="utf-8"
        )
        self.folder = folder
        self.init()

    @property
    def _log(self) -> Path:
        return self._runs.scratch / f"{self.stack.name}.log"

    def _variables(self) -> list[str]:
        if not self.values:
            return []
        file = self._runs.scratch / f"{self.stack.name}.tfvars.json"
        file.write_text(json.dumps(self.values), encoding="utf-8")
        return [f"-var-file={file}"]

    def _succeed(self, *arguments: str, on_line: Callable[[str], None] = lambda _: None) -> FinishedRun:
        return self._expect(self._run(*arguments, on_line=on_line), 0)

    def _expect(self, done: FinishedRun, *codes: int) -> FinishedRun:
        if done.returncode not in codes:
            raise done.failure(self.stack.name, f"the whole log is in {self._log}")
        return done

    def _run(self, *arguments: str, on_line: Callable[[str], None] = lambda _: None) -> FinishedRun:
        aws_folder = self._runs.scratch / "aws" / self.stack.name
        write_profiles(self.stack, aws_folder)
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"$ terraform {' '.join(arguments)}\n")

            def follow(line: str) -> None:
                log.write(f"{_readable(line)}\n")
                on_line(line)

            done = self._runs.terraform.run(
                *arguments,
                folder=self.folder,
                env=environment(
                    self.stack,
                    endpoint=self._runs.endpoint,
                    aws_folder=aws_folder,
                    plugin_cache=self._runs.scratch / "plugins",
                    inherited=self._runs.inherited,
                ),
                on_line=follow,
            )
            log.write(done.stderr)
        return done


def _readable(line: str) -> str:
    """A line of Terraform's output as a log has it: the text of a message, with the detail of an error."""
    found = message(line)
    detail = found.get("diagnostic", {}).get("detail", "")
    return "\n".join(filter(None, (found.get("@message", line), detail)))


_STEPS = {"create": 1, "update": 1, "delete": 1, "replace": 2}
"""How many times Terraform reports an instance as complete, by what it has planned for it."""


class ResourceCounter:
    """Counts the resources that an apply or a destroy has finished, of those that it planned.

    A resource is what the configuration has, as in the table that a synthesis prints: one with `count` or `for_each` is
    finished with its last instance.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._left: Counter[str] = Counter()
        """How many steps each resource has left."""

    def __call__(self, line: str) -> None:
        match message(line):
            case {"type": "planned_change", "change": {"action": str(action), "resource": {"addr": str(address)}}}:
                self._left[base_address(address)] += _STEPS.get(action, 0)
                return
            case {"type": "change_summary", "changes": {"operation": "plan"}}:
                pass
            # A data source that is read during an apply completes too.
            case {
                "type": "apply_complete",
                "hook": {"action": "create" | "update" | "delete", "resource": {"addr": str(address)}},
            }:
                self._left[base_address(address)] -= 1
            case _:
                return
        if self._left:
            done = sum(left <= 0 for left in self._left.values())
            self._report(f"{done} of {counted(len(self._left), 'resource')}")
