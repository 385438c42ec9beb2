"""Writes the READMEs of the handover: the order of the stacks, their inputs and outputs, and the commands to run."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ops.handover.last_handover import MANIFEST
from ops.handover.stacks import HandoverStack
from terraform.output import Number

_NONE = "None.\n"

_MOVES = """
Similar resources are one block with `for_each` here. `moved.tf` has their old addresses, so that the first apply \
keeps the resources. After that apply, the file can be deleted.
"""

_FIRST_PLAN = {
    True: """\
changes only addresses, as listed in
`moved.tf`. After that is applied, `moved.tf` can be deleted.""",
    False: "has no changes.",
}
"""What the first plan of existing resources shows, by whether there is a `moved.tf`."""

_LOST = """\
## What the handover loses

* The deployment file, and its checks across several settings. A check of a single value stays as the `validation` of
  a variable.
* Everything that the deployment file computes: the number of subnets, the repositories, the permissions of policies.
  Change these by hand in the `.tf` files.
* The comparison with the project. The next handover lists every file that was changed here, and overwrites these only
  with `--force`. It leaves files that were added, and names them, except hidden ones and states.
"""


def overview(stacks: Sequence[HandoverStack], *, has_moves: bool) -> str:
    """The README for all stacks. `has_moves`: whether one of them has a `moved.tf`."""
    rows = [
        (
            str(number),
            f"[`{stack.target}`]({stack.target}/)",
            stack.account or "",
            str(len(list(stack.resources()))),
            ", ".join(f"`{other.name}`" for other in stacks if other.name in stack.dependencies),
        )
        for number, stack in enumerate(stacks, start=1)
    ]
    table = _table(("order", "stack", "account", "resources", "reads the state of"), rows)
    commands = "".join(
        f"$ terraform -chdir={stack.target} init\n$ terraform -chdir={stack.target} apply\n" for stack in stacks
    )
    return f"""\
# Terraform

One folder for each state. Apply them in this order, and destroy them in reverse order:

{table}
Any order in which a stack comes after those whose state it reads works as well.

## What to run

Log in to the account of the stack, then:

```console
{commands}```

If the resources exist already and the state stays the same, the first `plan` {_FIRST_PLAN[has_moves]}

`{MANIFEST}` lists the files of the handover, for `sha256sum --check`.

{_LOST}"""


def stack_readme(stack: HandoverStack, stacks: Sequence[HandoverStack], files: Collection[str]) -> str:
    """The README of one stack. `files` are the paths of its converted files."""
    inputs = _table(
        ("variable", "type", "value", "what"),
        [
            (f"`{name}`", _code(it.get("type", "any")), _value(it), _text(it.get("description", "")))
            for name, it in sorted(stack.variables.items())
        ],
    )
    results = _table(
        ("output", "what"),
        [(f"`{name}`", _text(it.get("description", ""))) for name, it in sorted(stack.outputs.items())],
    )
    account = f"Account {stack.account}. " if stack.account else ""
    needs = ", ".join(f"`{other.target}`" for other in stacks if other.name in stack.dependencies)
    after = f"Applied after {needs}. " if needs else ""
    contents = "".join(f"* `{path}`\n" for path in sorted(files))
    moves = _MOVES if "moved.tf" in files else ""
    return f"""\
# {stack.name}

{(account + after).strip()}

Its state is `{stack.state}`, set in `backend.tf`. A path is relative to this folder: if you move the folder, move the
state of existing resources to the path's new place.

```console
$ terraform init
$ terraform plan
$ terraform apply
```
{moves}
## Inputs

{inputs or _NONE}
Values are in `terraform.tfvars`.

## Outputs

{results or _NONE}
## Files

{contents}"""


def _value(variable: Mapping[str, Any]) -> str:
    if "default" not in variable:
        return "required"
    if variable.get("sensitive"):
        return "(sensitive)"
    return _code(_json(variable["default"]))


def _json(value: Any) -> str:
    """JSON with exact numbers."""
    match value:
        case dict():
            return f"{{{', '.join(f'{_json(key)}: {_json(it)}' for key, it in value.items())}}}"
        case list():
            return f"[{', '.join(map(_json, value))}]"
        case Number():
            return str(value)
    return json.dumps(value, ensure_ascii=False)


def _code(value: str) -> str:
    """A code span for a cell, with as many backticks as its text needs."""
    text = re.sub(r"\s+", " ", value).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{space}{text}{space}{fence}" if text else ""


def _text(value: str) -> str:
    """Text for a cell, with Markdown escaped."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", re.sub(r"\s+", " ", str(value)).strip())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, or nothing without rows."""
    lines = [head, ["---"] * len(head), *rows] if rows else []
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
