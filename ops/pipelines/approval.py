"""The record of the plans that people approve, and the comparison of a new plan with it.

A record is JSON: the commit, and for each stack its canonical plan, its lock file, and what may change in it because of
the stacks that are applied before it. Sensitive values are in it as digests with a key that nobody guesses.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import Problem, RefusedError, refused
from ops.masking import Mask
from ops.pipelines.comparison import Comparison
from ops.pipelines.differences import Difference, shown
from terraform import output
from terraform.canonical_plan import canonical, lineage
from terraform.foretold import Foretold, foretold
from terraform.output import without_repetition
from terraform.plan import Plan, read

DIFFERENT = 3
"""The exit status for a plan that is not the approved one."""

_FORMAT = 1
_AGAIN = "run the pipeline again for this commit, and approve what it shows"
_MOST_SHOWN = 60


@dataclass(frozen=True, kw_only=True)
class _Planned:
    """One stack's plan, with the files beside it: `STACK.lock.hcl`, and `STACK.tfstate` from `terraform state pull`."""

    name: str
    plan: Plan
    canonical: dict[str, Any]
    lock: list[str]


def record(plans: Sequence[Path], folder: Path, commit: str) -> str:
    """The record of all plans of a run. They were made from the output in `folder`, and are in the order of applies.

    Raises RefusedError for what cannot be read, and for a stack of the output without a plan or the other way round.
    """
    stacks = {stack.name: stack for stack in output.read(folder)}
    planned = [_planned(file) for file in plans]
    _refuse_others({one.name for one in planned}, set(stacks), "the plans", str(folder))
    changes = foretold([one.plan for one in planned], {name: stack.locals for name, stack in stacks.items()})
    content = {
        "format": _FORMAT,
        "commit": commit,
        "stacks": {
            one.name: {"plan": one.canonical, "lock": one.lock, "foretold": _written(changes[one.name])}
            for one in planned
        },
    }
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def digest(text: str) -> str:
    """The digest of a record, by which it is approved."""
    return hashlib.sha256(text.encode()).hexdigest()


def compare(file: Path, approved: str, plans: Sequence[Path], folder: Path, commit: str) -> tuple[list[str], list[str]]:
    """How plans differ from the ones that were approved, as lines: not as foretold, and as foretold.

    Without a line of the first kind, applying them does what was approved.

    `approved` is the digest of the record in `file`. Raises RefusedError for what cannot be read, for another record
    than the approved one, and for one of another commit or of other stacks.
    """
    text = _text(file)
    if digest(text) != approved:
        raise refused(str(file), "it is not the record that was approved", _AGAIN)
    stacks = _stacks(text, str(file), commit)
    _refuse_others(set(stacks), {stack.name for stack in output.read(folder)}, str(file), str(folder))
    sources = {
        (name, output): change
        for name, stack in stacks.items()
        for output, change in (stack["plan"].get("output_changes") or {}).items()
        if output not in stack["foretold"]["outputs"]
    }
    found, followed = [], []
    for plan in plans:
        now = _planned(plan)
        if now.name not in stacks:
            raise refused(str(plan), f"there is no stack {now.name!r} in {file}", _AGAIN)
        stack = stacks[now.name]
        comparison = Comparison(stack["plan"], now.canonical, _foretold(stack["foretold"]), sources)
        differences = comparison.differences()
        if stack["lock"] != now.lock:
            differences.append(Difference(place=("providers",), approved=stack["lock"], now=now.lock))
        found += [f"{now.name}: {shown(difference)}" for difference in differences]
        followed += [f"{now.name}: {shown(difference)}" for difference in comparison.followed]
    return found, followed


def run_record(plans: Sequence[Path], folder: Path, commit: str, target: Path) -> int:
    """Write the record of `plans` to `target`, print its digest, and give the exit status."""
    text = record(plans, folder, commit)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    print(digest(text))
    return 0


def run_compare(file: Path, approved: str, plans: Sequence[Path], folder: Path, commit: str) -> int:
    """Print how plans differ from the approved ones. Exit status: 0 they do not, 3 they do."""
    lines, followed = compare(file, approved, plans, folder, commit)
    for line in followed:
        print(f"foretold: {line}")
    if not lines:
        return 0
    for line in lines[:_MOST_SHOWN]:
        print(line)
    if len(lines) > _MOST_SHOWN:
        print(f"… and {len(lines) - _MOST_SHOWN} more differences")
    problem = Problem(where=str(file), what="this plan does more or less than what was approved", hint=_AGAIN)
    raise RefusedError([problem], status=DIFFERENT)


def _planned(file: Path) -> _Planned:
    name, text = file.name.removesuffix(".json"), _text(file)
    state, lock = file.with_name(f"{name}.tfstate"), file.with_name(f"{name}.lock.hcl")
    key = lineage(_text(state), str(state)) if state.exists() else b""
    return _Planned(
        name=name,
        plan=read(name, text, str(file)),
        canonical=canonical(text, str(file), key=key, mask=Mask),
        lock=re.findall(r"^(?!\s*(?:#|$)).*$", _text(lock), re.MULTILINE) if lock.exists() else [],
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise refused(str(file), f"cannot be read: {error.strerror}", _AGAIN) from None
    except UnicodeDecodeError:
        raise refused(str(file), "it is not UTF-8", _AGAIN) from None


def _stacks(text: str, where: str, commit: str) -> dict[str, Any]:
    try:
        content = json.loads(text, object_pairs_hook=without_repetition)
        has_format = content["format"] == _FORMAT
        stacks: dict[str, Any] = content["stacks"]
        made_for = content["commit"]
    except (ValueError, LookupError, TypeError, RecursionError):
        has_format = False
    if not has_format:
        raise refused(where, "it is no record of approved plans", _AGAIN)
    if made_for != commit:
        raise refused(where, f"it is of the commit {made_for!r}, and this is {commit!r}", _AGAIN)
    return stacks


def _refuse_others(approved: set[str], synthesised: set[str], where: str, folder: str) -> None:
    hint = "write the pipeline again with `main.py ci`, which names the stacks"
    missing = [f"{name!r} is in {folder} alone" for name in sorted(synthesised - approved)]
    missing += [f"{name!r} is not in {folder}" for name in sorted(approved - synthesised)]
    if missing:
        raise RefusedError([Problem(where=where, what=f"the stack {one}", hint=hint) for one in missing])


def _written(one: Foretold) -> dict[str, Any]:
    def named(places: Any) -> Any:
        return {name: sorted(map(list, sources)) for name, sources in places.items()}

    return {
        "attributes": {address: named(attributes) for address, attributes in one.attributes.items()},
        "inputs": sorted(map(list, one.inputs)),
        "outputs": named(one.outputs),
    }


def _foretold(written: Any) -> Foretold:
    def named(places: Any) -> Any:
        return {name: frozenset(map(tuple, sources)) for name, sources in places.items()}

    return Foretold(
        attributes={address: named(attributes) for address, attributes in written["attributes"].items()},
        inputs=frozenset(map(tuple, written["inputs"])),
        outputs=named(written["outputs"]),
    )
