"""The rehearsal: apply everything, change it as operations do, destroy it, and find nothing left."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from errors import refused
from errors.shown import counted
from ops.rehearse import checks, in_order, variation
from ops.rehearse.emulator import Emulator
from ops.rehearse.prerequisites import Prerequisites
from ops.rehearse.progress import Progress, Step
from ops.rehearse.stacks import RehearsalStack
from ops.rehearse.variation import Variation
from ops.rehearse.workspace import Runs, Workspace
from terraform import facts
from terraform.cli import TerraformCli
from terraform.facts import TerminationProtection
from terraform.output import Stack


@dataclass
class Findings:
    """What was done to each stack, by the stack's name."""

    existed: list[str] = field(default_factory=list)
    """The prerequisites, and the buckets for state."""
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    handed_over: dict[str, int] = field(default_factory=dict)
    """How many addresses differ in the HCL, for each stack that was planned from it and back."""
    changed: dict[str, list[str]] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    replaced: dict[str, str] = field(default_factory=dict)
    """Stacks by the addresses of resources that a change replaced, as the provider is meant to."""
    unlocked: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Handover:
    """How operations get a deployment's Terraform: the work of `ops.handover`, which the command passes in.

    write: writes an output folder as HCL below another folder, and returns the stacks' folders in order.
    moved_addresses: the addresses of a stack's resources that differ in the HCL, each with its new one.
    """

    write: Callable[[Path, Path], Sequence[Path]]
    moved_addresses: Callable[[Stack], Mapping[str, str]]


class Rehearsal:
    """One deployment, from nothing and back. `scratch` is a folder of its own; nothing outside it is written."""

    def __init__(
        self,
        out: Path,
        *,
        stacks: Sequence[RehearsalStack],
        handover: Handover,
        aws: Emulator,
        terraform: TerraformCli,
        scratch: Path,
        inherited: Mapping[str, str],
        progress: Progress,
    ) -> None:
        self._out = out
        self._handover = handover
        self._aws = aws
        self._terraform = terraform
        self._scratch = scratch
        self._progress = progress
        self._one_change = threading.Lock()  # so that what is counted before and after is one stack's doing
        runs = Runs(
            terraform=terraform, endpoint=aws.url, scratch=scratch, inherited=inherited, one_init=threading.Lock()
        )
        self.workspaces = {stack.name: Workspace(stack, out=out, runs=runs) for stack in stacks}
        self._handed_over: dict[str, Path] = {}
        self.findings = Findings()

    @property
    def _stacks(self) -> list[RehearsalStack]:
        return [workspace.stack for workspace in self.workspaces.values()]

    def run(self, prerequisites: Prerequisites) -> None:
        with self._progress.step("AWS", "prepare") as step:
            before = self._prepare(prerequisites, step)
        folders = self._handover.write(self._out, self._scratch / "handover")
        self._handed_over = dict(zip(self.workspaces, folders, strict=True))
        self._each(self.up)
        self._each(self._change)
        for name, workspace in self.workspaces.items():
            self.findings.outputs[name] = workspace.outputs()
        self._each(self.down, backwards=True)
        self.expect_nothing_left(before)
        self._expect_files_untouched()

    def _prepare(self, prerequisites: Prerequisites, step: Step) -> dict[str, set[str]]:
        self._aws.seed(prerequisites)
        self.findings.existed.extend(prerequisites.described())
        for bucket in sorted({bucket for stack in self._stacks for bucket in stack.buckets}, key=lambda b: b.name):
            self._aws.make_bucket(account=self._stacks[0].account, region=bucket.region, name=bucket.name)
            self.findings.existed.append(f"bucket {bucket.name} for state")
        accounts = sorted({stack.account for stack in self._stacks})
        step.note(f"accounts {', '.join(accounts)} on {self._aws.url}")
        return self._aws.inventory(accounts, prerequisites.region)

    def up(self, name: str) -> None:
        workspace = self.workspaces[name]
        with self._progress.step(name, "init"):
            workspace.init()
        with self._progress.step(name, "apply") as step:
            workspace.apply(report=step.note)
        with self._progress.step(name, "plan again") as step:
            checks.expect_no_changes(workspace)
            step.note("no changes")

    def _change(self, name: str) -> None:
        """Move the state to the HCL that operations get, change something there, and move the state back."""
        workspace = self.workspaces[name]
        moved = self._handover.moved_addresses(workspace.stack)
        synthesised = workspace.folder
        with self._progress.step(name, "hand over") as step:
            workspace.folder = self._handed_over[name]
            workspace.init()
            checks.expect_no_changes(workspace, moved=moved)
            step.note(f"no changes, {counted(len(moved), 'address', 'addresses')} moved")
        self._vary(workspace)
        with self._progress.step(name, "take back") as step:
            workspace.folder = synthesised
            # The HCL's `moved` blocks lead in one direction. The other is taken in rehearsals only.
            back = {new: old for old, new in moved.items()}
            workspace.move(back)
            checks.expect_no_changes(workspace, moved=back)
            step.note("no changes")
        self.findings.handed_over[name] = len(moved)

    def _vary(self, workspace: Workspace) -> None:
        stack = workspace.stack
        listed = variation.listed_networks(self._stacks)
        variations = variation.choose(stack, lambda marks: self._aws.counts(stack.account, marks), listed=listed)
        if not variations:
            self._progress.say(f"{stack.name}: no variable of retention or addresses, so nothing to change")
            self.findings.unchanged.append(stack.name)
            workspace.apply()  # what moved
            return
        with self._progress.step(stack.name, "change") as step:
            step.note(", ".join(map(str, variations)))
            plan, replaced = checks.plan_change(workspace, {one.variable: one.after for one in variations})
            self.findings.replaced |= dict.fromkeys(replaced, stack.name)
            with self._one_change:
                before = self._count(stack, variations)
                workspace.apply(plan)
                after = self._count(stack, variations)
            for one, was, now in zip(variations, before, after, strict=True):
                if now <= was:
                    what = f"{one} was applied, but account {stack.account} contains no {one.mark} more"
                    raise refused(stack.name, what, f"see that {one.variable} reaches a resource")
        self.findings.changed[stack.name] = list(map(str, variations))

    def _count(self, stack: RehearsalStack, variations: Sequence[Variation]) -> list[int]:
        return self._aws.counts(stack.account, [one.mark for one in variations])

    def down(self, name: str) -> None:
        workspace = self.workspaces[name]
        self._switch_termination_protection_off(workspace)
        self._switch_prevent_destroy_off(workspace)
        with self._progress.step(name, "destroy") as step:
            workspace.destroy(report=step.note)
            if left := workspace.addresses():
                what = "its state still has resources after a destroy"
                raise refused(name, what, "see in its log why Terraform kept them", details="\n".join(left))

    def _switch_termination_protection_off(self, workspace: Workspace) -> None:
        """A server's termination protection is a variable, switched off as operations do."""
        stack = workspace.stack
        recorded = facts.read(stack.name, stack.document)
        names = [fact.variable for fact in recorded if isinstance(fact, TerminationProtection)]
        for name in (name for name in names if stack.variables[name].get("default") is True):
            with self._progress.step(stack.name, "unlock") as step:
                step.note(f"{name} true → false")
                plan, replaced = checks.plan_change(workspace, {name: False})
                self.findings.replaced |= dict.fromkeys(replaced, stack.name)
                workspace.apply(plan)
            self.findings.unlocked.setdefault(stack.name, []).append(f"{name} = false")

    def _switch_prevent_destroy_off(self, workspace: Workspace) -> None:
        """Terraform must first refuse to destroy what is protected. Then it works in a copy without `prevent_destroy`.

        That copy's destroy proves that nothing else was in the way.
        """
        stack = workspace.stack
        if not stack.protected:
            return
        with self._progress.step(stack.name, "unlock") as step:
            if not workspace.refuses_to_be_destroyed():
                what = f"Terraform would destroy {', '.join(stack.protected)} despite prevent_destroy"
                raise refused(stack.name, what, "look at the lifecycle of these resources")
            step.note(f"destroy refused, as it must be ({len(stack.protected)} protected); unlocked in a copy")
            workspace.unlock()
        self.findings.unlocked.setdefault(stack.name, []).extend(
            f"{address} prevent_destroy = false" for address in stack.protected
        )

    def expect_nothing_left(self, before: dict[str, set[str]]) -> None:
        with self._progress.step("AWS", "compare") as step:
            after = self._aws.inventory(sorted(before), self._stacks[0].region)
            states = {name for stack in self._stacks for name in stack.state_objects}
            checks.expect_nothing_left(before, after, states=states)
            step.note("every account is as it was before")

    def _expect_files_untouched(self) -> None:
        for stack in self._stacks:
            copy = self._scratch / "cdktf.out" / stack.file.relative_to(self._out)
            if copy.read_bytes() != stack.file.read_bytes():
                raise refused(stack.name, f"{stack.file} changed during the rehearsal", "rehearse it again")

    def _each(self, work: Callable[[str], None], *, backwards: bool = False) -> None:
        dependencies = {stack.name: stack.dependencies for stack in self._stacks}
        # The states that they would leave are thrown away, so the runs need not end in good order.
        in_order.each(dependencies, work, backwards=backwards, on_failure=self._terraform.stop)
