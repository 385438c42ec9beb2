"""The rehearsal itself: everything up, nothing drifts, something changes, everything down, nothing left."""

import json
import re
import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.handover import hand_over, moved_addresses, shipped
from ops.rehearse import variation
from ops.rehearse.emulator import Emulator
from ops.rehearse.environment import environment, write_profiles
from ops.rehearse.errors import RehearsalError
from ops.rehearse.existing import Existing
from ops.rehearse.progress import Progress, Step
from ops.rehearse.stacks import RehearsalStack
from terraform.cli import Finished, Terraform
from terraform.output import load

# Terraform's exit codes of `plan -detailed-exitcode`.
_NO_CHANGES, _CHANGES = 0, 2

# A deployment of API Gateway is a snapshot: the provider replaces it, new before old, whenever the API changes.
_REPLACED_BY_DESIGN = {"aws_api_gateway_deployment"}

_SHOWN = 30  # left-overs, of however many

_TERMINATION_PROTECTION = "termination_protection"

_NO_PROVIDER = re.compile(r"Failed to (?:query available provider packages|install provider)")
_MOVED = re.compile(r"^  # .* has moved to ", re.MULTILINE)
_ONLY_MOVES = re.compile(
    r"^Plan: 0 to add, 0 to change, 0 to destroy\.(?!.*^Changes to Outputs)", re.MULTILINE | re.DOTALL
)
_DONE = re.compile(r": (?:Creation|Modifications|Destruction) complete after")
_PLANNED = re.compile(r"^Plan: (?:\d+ to import, )?(\d+) to add, (\d+) to change, (\d+) to destroy")


@dataclass
class Findings:
    """What a rehearsal has to say at its end, besides that it worked."""

    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    changed: dict[str, list[str]] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    replaced: dict[str, str] = field(default_factory=dict)
    unlocked: dict[str, list[str]] = field(default_factory=dict)
    existed: list[str] = field(default_factory=list)
    handed_over: dict[str, int] = field(default_factory=dict)
    """How many addresses are others in the HCL, for each stack that was planned from it and back."""


class Rehearsal:
    """One deployment, from nothing and back. `scratch` is a folder of its own; nothing outside it is written."""

    def __init__(
        self,
        out: Path,
        *,
        stacks: list[RehearsalStack],
        aws: Emulator,
        terraform: Terraform,
        scratch: Path,
        inherited: Mapping[str, str],
        progress: Progress,
    ) -> None:
        self._out = out
        self._stacks = stacks
        self._aws = aws
        self._terraform = terraform
        self._scratch = scratch
        self._inherited = inherited
        self._progress = progress
        self._one_init = threading.Lock()  # Terraform's plugin cache is not made for two at a time
        self._one_change = threading.Lock()  # so that what is counted before and after is one stack's doing
        self._variables: dict[str, list[str]] = {stack.name: [] for stack in stacks}
        self._folders = {stack.name: self._copy(stack) for stack in stacks}
        self.findings = Findings()

    def run(self, existing: Existing) -> None:
        with self._progress.step("AWS", "prepare") as step:
            before = self._prepare(existing, step)
        hand_over(self._out, self._scratch / "handover")
        self._each(self.up)
        self._each(self._change)
        for stack in self._stacks:
            self.findings.outputs[stack.name] = self._outputs(stack)
        self._each(self.down, reverse=True)
        self.expect_nothing_left(before)
        self._expect_files_untouched()

    def _prepare(self, existing: Existing, step: Step) -> dict[str, set[str]]:
        self._aws.seed(existing)
        self.findings.existed.extend(existing.described())
        for bucket in sorted({bucket for stack in self._stacks for bucket in stack.buckets}, key=lambda b: b.name):
            self._aws.make_bucket(account=self._stacks[0].account, region=bucket.region, name=bucket.name)
            self.findings.existed.append(f"bucket {bucket.name} for state")
        accounts = sorted({stack.account for stack in self._stacks})
        step.tell(f"accounts {', '.join(accounts)} on {self._aws.url}")
        return self._aws.inventory(accounts, existing.region)

    def up(self, stack: RehearsalStack) -> None:
        with self._progress.step(stack.name, "init"):
            self._init(stack)
        with self._progress.step(stack.name, "apply") as step:
            self._run(stack, "apply", "-auto-approve", "-no-color", step=step)
        with self._progress.step(stack.name, "plan again") as step:
            self.expect_no_changes(stack)
            step.tell("no changes")

    def _init(self, stack: RehearsalStack) -> None:
        with self._one_init:
            try:
                self._run(stack, "init", "-no-color")
            except RehearsalError as error:
                if _NO_PROVIDER.search(error.said) is None:
                    raise
                raise RehearsalError(
                    f"{stack.name}: Terraform finds no AWS provider to install",
                    hint="let it reach registry.terraform.io, or name a mirror in the file of TF_CLI_CONFIG_FILE",
                ) from None

    def _change(self, stack: RehearsalStack) -> None:
        """Hand the state to the HCL that operations get, change something there, and take the state back."""
        moved = moved_addresses(load(stack.file, exact_numbers=True), name=stack.name, schemas=shipped())
        synthesised = self._folders[stack.name]
        with self._progress.step(stack.name, "hand over") as step:
            self._folders[stack.name] = self._scratch / "handover" / stack.account / stack.name
            self._init(stack)
            self.expect_no_changes(stack, moved=len(moved))
            step.tell(f"no changes, {len(moved)} addresses moved")
        self._vary(stack)
        # Terraform follows `moved` in one direction: this is the other, which only a rehearsal takes.
        back = [{"from": new, "to": old} for old, new in moved.items()]
        (synthesised / "moved_back.tf.json").write_text(json.dumps({"moved": back}))
        self._folders[stack.name] = synthesised
        with self._progress.step(stack.name, "take back") as step:
            self.expect_no_changes(stack, moved=len(moved))
            step.tell("no changes")
        self.findings.handed_over[stack.name] = len(moved)

    def _vary(self, stack: RehearsalStack) -> None:
        variations = variation.choose(stack, lambda marks: self._aws.counts(stack.account, marks))
        if not variations:
            self._progress.say(f"{stack.name}: no variable of retention or addresses, so nothing to change")
            self.findings.unchanged.append(stack.name)
            self._run(stack, "apply", "-auto-approve", "-no-color")  # what moved
            return
        with self._progress.step(stack.name, "change") as step:
            step.tell(", ".join(str(one) for one in variations))
            plan = self.plan_change(stack, {one.variable: one.after for one in variations})
            with self._one_change:
                before = self._aws.counts(stack.account, [one.mark for one in variations])
                self._run(stack, "apply", "-no-color", plan)
                after = self._aws.counts(stack.account, [one.mark for one in variations])
            for one, was, now in zip(variations, before, after, strict=True):
                if now <= was:
                    raise RehearsalError(
                        f"{stack.name}: {one} was applied, but account {stack.account} holds no {one.mark} more",
                        hint=f"see that {one.variable} reaches a resource",
                    )
        self.findings.changed[stack.name] = [str(one) for one in variations]

    def plan_change(self, stack: RehearsalStack, values: dict[str, Any]) -> str:
        """Plan with other values of variables, which stay for every later run; returns the plan's file.

        Only updates may come of it, and some must.
        """
        file = self._scratch / f"{stack.name}.tfvars.json"
        file.write_text(json.dumps(values))
        self._variables[stack.name] = [f"-var-file={file}"]
        plan = str(self._scratch / f"{stack.name}.tfplan")
        self._run(stack, "plan", f"-out={plan}", "-no-color")
        changes = json.loads(self._run(stack, "show", "-json", plan).text)["resource_changes"]
        replaced = {change["address"]: change["type"] for change in changes if "delete" in change["change"]["actions"]}
        lost = [address for address, kind in replaced.items() if kind not in _REPLACED_BY_DESIGN]
        if lost:
            raise RehearsalError(
                f"{stack.name}: another value of {', '.join(values)} would destroy {', '.join(lost)}",
                hint="a variable for operations must change things in place",
            )
        self.findings.replaced.update(dict.fromkeys(replaced, stack.name))
        if all(change["change"]["actions"] in (["no-op"], ["read"]) for change in changes):
            raise RehearsalError(
                f"{stack.name}: another value of {', '.join(values)} changes nothing",
                hint="use the variable in a resource, or remove it",
            )
        return plan

    def expect_no_changes(self, stack: RehearsalStack, *, moved: int = 0) -> None:
        """Plan, and fail when the plan is not empty, but for `moved` addresses: something drifts by itself."""
        plan = self._run(stack, "plan", "-detailed-exitcode", "-no-color", accept=(_NO_CHANGES, _CHANGES))
        only_moves = moved and _ONLY_MOVES.search(plan.text) and len(_MOVED.findall(plan.text)) == moved
        if not (only_moves if moved else plan.code == _NO_CHANGES):
            start = plan.text.find("Terraform will perform")
            raise RehearsalError(
                f"{stack.name}: the plan after an apply is not empty",
                hint="read the plan above: what it changes was not read back as it was written",
                said=plan.text[max(start, 0) :],
            )

    def _outputs(self, stack: RehearsalStack) -> dict[str, Any]:
        shown = json.loads(self._run(stack, "output", "-json").text)
        return {name: "(sensitive)" if it["sensitive"] else it["value"] for name, it in shown.items()}

    def down(self, stack: RehearsalStack) -> None:
        self._take_protection_off(stack)
        with self._progress.step(stack.name, "destroy") as step:
            self._run(stack, "destroy", "-auto-approve", "-no-color", step=step)
            left = self._run(stack, "state", "list").text.strip()
            if left:
                raise RehearsalError(
                    f"{stack.name}: its state still holds resources after a destroy",
                    hint="see why Terraform kept them: the log is beside the copy of the stack",
                    said=left,
                )

    def _take_protection_off(self, stack: RehearsalStack) -> None:
        """First what refuses to be destroyed must refuse; then it is unlocked, by the means there are.

        Termination protection of a server is a variable, switched as operators would. `prevent_destroy` is a word in
        the generated file, so from here on Terraform works in another copy of it, with that word changed and no other.
        """
        if stack.variables.get(_TERMINATION_PROTECTION, {}).get("default") is True:
            with self._progress.step(stack.name, "unlock") as step:
                step.tell(f"{_TERMINATION_PROTECTION} true → false")
                plan = self.plan_change(stack, self._values(stack) | {_TERMINATION_PROTECTION: False})
                self._run(stack, "apply", "-no-color", plan)
            self.findings.unlocked.setdefault(stack.name, []).append(f"{_TERMINATION_PROTECTION} = false")
        if stack.protected:
            with self._progress.step(stack.name, "unlock") as step:
                refused = self._run(stack, "plan", "-destroy", "-no-color", accept=(0, 1))
                if "prevent_destroy" not in refused.text:
                    raise RehearsalError(
                        f"{stack.name}: Terraform would destroy {', '.join(stack.protected)} despite prevent_destroy",
                        hint="look at the lifecycle of these resources",
                        said=refused.text[-2000:],
                    )
                step.tell(f"destroy refused, as it must be ({len(stack.protected)} protected); unlocked in a copy")
                self._folders[stack.name] = self._unprotected_copy(stack)
                self._init(stack)
            self.findings.unlocked.setdefault(stack.name, []).extend(
                f"{address} prevent_destroy = false" for address in stack.protected
            )

    def _values(self, stack: RehearsalStack) -> dict[str, Any]:
        file = self._scratch / f"{stack.name}.tfvars.json"
        values: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        return values

    def expect_nothing_left(self, before: dict[str, set[str]]) -> None:
        """Compare the accounts with what they held at first; both more and less is an error."""
        with self._progress.step("AWS", "compare") as step:
            region = self._stacks[0].region
            after = self._aws.inventory(sorted(before), region)
            # A state stays, with nothing in it (seen after each destroy); its lock must not.
            states = {f"s3.objects/{name}" for stack in self._stacks for name in stack.state_objects}
            found = [
                f"{account}: {path} is left" for account in before for path in after[account] - before[account] - states
            ]
            found += [
                f"{account}: {path} is missing" for account in before for path in before[account] - after[account]
            ]
            if found:
                raise RehearsalError(
                    "the accounts are not as they were before",
                    hint="what is left was made outside Terraform, or is forgotten by moto when its owner goes",
                    said="\n".join([*sorted(found)[:_SHOWN], f"{len(found)} in all"]),
                )
            step.tell("every account is as it was before")

    def _expect_files_untouched(self) -> None:
        for stack in self._stacks:
            copy = self._scratch / "cdktf.out" / stack.file.relative_to(self._out)
            if copy.read_bytes() != stack.file.read_bytes():
                raise RehearsalError(
                    f"{stack.name}: {stack.file} changed during the rehearsal", hint="rehearse it again"
                )

    def _copy(self, stack: RehearsalStack) -> Path:
        """The stack's folder, byte for byte, at the same place below the scratch folder.

        What Terraform keeps there (`.terraform`, state) stays behind: it belongs to the real accounts.
        """
        folder = self._scratch / "cdktf.out" / stack.folder.relative_to(self._out)
        ignored = shutil.ignore_patterns(".terraform", "*.tfstate", "*.tfstate.*", "*.tfplan", "plan")
        shutil.copytree(stack.folder, folder, ignore=ignored)
        for path in stack.state_files:
            if not (folder / path).resolve().is_relative_to(self._scratch.resolve()):
                raise RehearsalError(
                    f"{stack.name}: its state is at {path}, outside the folder of the deployment",
                    hint="give the backend a path relative to the stack, so that a copy has a state of its own",
                )
        return folder

    def _unprotected_copy(self, stack: RehearsalStack) -> Path:
        folder = self._scratch / "cdktf.unlocked" / stack.folder.relative_to(self._out)
        shutil.copytree(self._folders[stack.name], folder, ignore=shutil.ignore_patterns(".terraform"))
        (folder / stack.file.name).write_text(json.dumps(stack.without_protection(), indent=2))
        return folder

    def _run(
        self, stack: RehearsalStack, *arguments: str, accept: tuple[int, ...] = (0,), step: Step | None = None
    ) -> Finished:
        aws_folder = self._scratch / "aws" / stack.name
        write_profiles(stack, aws_folder)
        takes_variables = arguments[0] in {"plan", "apply", "destroy"} and not arguments[-1].endswith(".tfplan")
        try:
            return self._terraform.run(
                *arguments,
                *(self._variables[stack.name] if takes_variables else ()),
                folder=self._folders[stack.name],
                env=environment(
                    stack,
                    endpoint=self._aws.url,
                    aws_folder=aws_folder,
                    plugin_cache=self._scratch / "plugins",
                    inherited=self._inherited,
                ),
                log=stack.name,
                accept=accept,
                watch=_count(step) if step else lambda _: None,
            )
        except RehearsalError as error:
            raise self._explained(error) from None

    def _explained(self, error: RehearsalError) -> RehearsalError:
        """Add what only the emulator knows: that it was asked for something which nobody taught it."""
        unknown = self._aws.record().unknown
        if not unknown:
            return error
        return RehearsalError(
            f"{error.what}; the emulated AWS was asked what it does not know",
            hint=f"add a stand-in under ops/rehearse/stand_ins; {error.hint}",
            said="\n".join([error.said, *unknown]),
        )

    def _each(self, work: Callable[[RehearsalStack], None], *, reverse: bool = False) -> None:
        """Do `work` for every stack, two at a time, each after those it depends on (before them in reverse)."""
        needs = {stack.name: set(stack.dependencies) for stack in self._stacks}
        if reverse:
            needs = {name: {other for other in needs if name in needs[other]} for name in needs}
        waiting = {stack.name: stack for stack in self._stacks}
        running: dict[Future[None], str] = {}
        done: set[str] = set()
        with ThreadPoolExecutor(max_workers=2) as pool:
            try:
                while waiting or running:
                    for name in [name for name in waiting if needs[name] <= done]:
                        running[pool.submit(work, waiting.pop(name))] = name
                    finished, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in finished:
                        done.add(running.pop(future))
                        future.result()
            except BaseException:
                # Ctrl-C too: the state they would leave is thrown away, so they need not end in good order.
                self._terraform.stop()
                raise


def _count(step: Step) -> Callable[[str], None]:
    """Follow an apply or destroy by its lines: how many resources of how many are done."""
    total = done = 0

    def watch(line: str) -> None:
        nonlocal total, done
        if planned := _PLANNED.match(line):
            total = sum(int(number) for number in planned.groups())
        elif _DONE.search(line):
            done += 1
        if total:
            step.tell(f"{done} of {total} resources")

    return watch
