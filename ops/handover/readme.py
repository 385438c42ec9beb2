"""The README of what is handed over: the order of the stacks, what goes in and comes out, what to run."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ops.handover.folder import MANIFEST
from ops.handover.stacks import HandoverStack
from terraform.output import Number

_NONE = "None.\n"

_MOVES = """
Resources that come several times are one block with `for_each` here; `moved.tf` says which address was which. \
Terraform follows it at the first apply; after that the file can be deleted.
"""

_DOES_NOT_SURVIVE = """\
## What does not survive the handover

* The deployment file and its checks that span several settings. What can be checked of one value stays, as a
  variable's `validation`.
* What the deployment file works out: how many subnets there are, which repositories, what policies allow. Here such
  changes are made in the `.tf` files by hand.
* The comparison of handed-over files with the project. Whoever writes them anew is told of every file that was changed
  here, and overwrites none without being asked to.
"""


def overview(stacks: Sequence[HandoverStack]) -> str:
    """The README above all stacks."""
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

One folder for each state. They are applied in this order, and destroyed in the reverse one:

{table}
## What to run

Log in to the account of the stack, then:

```console
{commands}```

Where resources exist already, under the same state, the first `plan` shows no change but new addresses
(`moved.tf`, in stacks that have one). After it was applied, `moved.tf` can be deleted.

`{MANIFEST}` lists what was written, for `sha256sum --check`.

{_DOES_NOT_SURVIVE}"""


def stack_readme(stack: HandoverStack, stacks: Sequence[HandoverStack], files: Collection[str]) -> str:
    """The README of one stack. `files` are the paths of its converted files."""
    outputs: Mapping[str, Any] = _named(stack.document, "output")
    inputs = _table(
        ("variable", "type", "value", "what"),
        [
            (f"`{name}`", _code(it.get("type", "any")), _value(it), _text(it.get("description", "")))
            for name, it in sorted(stack.variables.items())
        ],
    )
    results = _table(
        ("output", "what"),
        [(f"`{name}`", _text(it.get("description", ""))) for name, it in sorted(outputs.items())],
    )
    account = f"Account {stack.account}. " if stack.account else ""
    needs = ", ".join(f"`{other.target}`" for other in stacks if other.name in stack.dependencies)
    after = f"Applied after {needs}. " if needs else ""
    contents = "".join(f"* `{path}`\n" for path in sorted(files))
    moves = _MOVES if "moved.tf" in files else ""
    return f"""\
# {stack.name}

{(account + after).strip()}

Its state is `{stack.state}`, in `backend.tf`. A path is seen from this folder: where the folder moves, the state of
resources that exist has to be where it then points.

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


def _named(document: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    content = document.get(kind) or {}
    found: dict[str, dict[str, Any]] = {}
    for level in content if isinstance(content, list) else [content]:
        found |= {
            name: it[0] if isinstance(it, list) else it for name, it in level.items() if isinstance(it, dict | list)
        }
    found.pop("//", None)
    return found


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
    """Text for a cell, without Markdown's meaning."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", re.sub(r"\s+", " ", str(value)).strip())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, or nothing without rows."""
    lines = [head, ["---"] * len(head), *rows] if rows else []
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
