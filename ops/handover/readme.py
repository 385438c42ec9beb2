"""Writes the READMEs of the handover: the order of the stacks, their inputs and outputs, and the commands to run."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PureWindowsPath
from typing import Any

from ops.handover.conversion import Converted
from ops.handover.last_handover import MANIFEST, MEMORY
from ops.handover.markdown import cell, code, command, link, plain, table
from ops.handover.stacks import HandoverStack
from terraform.output import Number, objects

_NONE = "None.\n"

_REMOVES = """
`removed.tf` names what the first apply removes from the state. Where it says `destroy = false`, the resource itself
stays. After that apply, the file can be deleted.
"""

_MOVES = """
`moved.tf` has the addresses that resources had before, so that the first apply keeps the resources. After that apply,
the file can be deleted; the next handover does not bring these moves back.
"""

_FIRST_PLAN = {
    True: """\
changes only addresses, as listed in
`moved.tf`. After that is applied, `moved.tf` can be deleted.""",
    False: "has no changes.",
}
"""What the first plan of existing resources shows, by whether there is a `moved.tf`."""

_CHANGES = f"""\
## Changing it

Each folder's README says what is changed where. If the project hands over again into this folder, what you changed is
kept and merged with what is new, as `git merge` does:

* Lines that only you changed stay, and so do files that you added or removed. The handover names these files.
* Lines that both changed are shown, and nothing is written until somebody decides: `--mark-conflicts` writes both
  versions into the file, `--force` takes the new one everywhere.
* With `--check`, the handover only says whether it would change something, for example in CI.

`{MANIFEST}` lists the files as they were handed over, for `sha256sum --check`; `{MEMORY}` has a copy of each and the
addresses of resources. Keep both in version control: the next handover needs them.

## What the handover loses

* The project's settings, and its checks across several of them or across stacks. A check of a single value stays as the
  `validation` of a variable. If it compares with constants that are values of another stack, change both.
* Commands and reviews of the project: they read the project, and not what is changed here.
* What the project computes, for example how a network is divided into subnets. In the `.tf` files these are values:
  change them by hand.
* Blocks for what the project does not have yet, for example the first of a kind. Write them by hand, or add it to the
  project, and hand over again.
"""

_LATER = """
Repeat these steps for what a later apply adds, and undo them for what it removes.
"""

_ENTRIES = """\
A new entry in a `local` value needs every argument that the others there have: `null` where it has none, and `false`
where the others have `true` or `false`.

"""

_OTHERS = """\
in the `.tf` files. If the project hands over again, what you change is kept, or shown as a conflict.
"""


def overview(stacks: Sequence[HandoverStack], *, has_moves: bool) -> str:
    """The README for all stacks. `has_moves`: whether one of them has a `moved.tf`."""
    rows = [
        (
            str(number),
            link(f"{stack.target}/"),
            stack.account or "",
            str(len(list(stack.resources()))),
            ", ".join(cell(other.name) for other in stacks if other.name in stack.dependencies),
        )
        for number, stack in enumerate(stacks, start=1)
    ]
    order = table(("order", "stack", "account", "resources", "comes after"), rows)
    folders = [shlex.quote(f"-chdir={stack.target}") for stack in stacks]
    log_in = (
        "Log in to the account of the stack, then"
        if any(it.account for it in stacks)
        else "With credentials for the providers"
    )
    commands = "".join(f"$ terraform {folder} {it}\n" for folder in folders for it in ("init", "plan", "apply"))
    return f"""\
# Terraform

One folder for each state. Apply them in this order, and destroy them in reverse order:

{order}
Any other order in which a stack comes after those in its last column works as well.

## What to run

{log_in}:

```console
{commands}```

Read each plan before the apply. If the resources exist already, it must say `0 to add` and `0 to destroy`. If it does
not, apply nothing: Terraform probably reads another state. If it reads the state of these resources, the first `plan`
{_FIRST_PLAN[has_moves]}

{_CHANGES}"""


def stack_readme(stack: HandoverStack, stacks: Sequence[HandoverStack], converted: Converted) -> str:
    """The README of one stack."""
    files = converted.files
    inputs = table(
        ("variable", "type", "value when handed over", "what"),
        [
            (cell(name), cell(str(it.get("type", "any"))), _value(it), plain(str(it.get("description", ""))))
            for name, it in sorted(stack.variables.items())
            if name not in converted.left_out
        ],
    )
    results = table(
        ("output", "what"),
        [(cell(name), plain(str(it.get("description", "")))) for name, it in sorted(stack.outputs.items())],
    )
    account = f"Account {stack.account}. " if stack.account else ""
    needs = ", ".join(code(other.target) for other in stacks if other.name in stack.dependencies)
    after = f"Applied after {needs}. " if needs else ""
    contents = "".join(f"* {code(path)}\n" for path in sorted(files))
    moves = (_MOVES if "moved.tf" in files else "") + (_REMOVES if "removed.tf" in files else "")
    beginning = f"{(account + after).strip()}\n\n" if account or after else ""
    later = "".join(map(_step, _notes(stack, "after_apply")))
    elsewhere = "".join(f"* {plain(it)}\n" for it in _notes(stack, "other_stacks") if isinstance(it, str))
    others = f"Other stacks name some of this, too:\n\n{elsewhere}\n" if elsewhere else ""
    steps = f"\n## After the first apply\n\n{later}{_LATER}" if later else ""
    places = _places(converted)
    entries = _ENTRIES if any(it.name.startswith("local.") for it in converted.edit_places) else ""
    return f"""\
# {plain(stack.name)}

{beginning}{_state(stack, files)}

```console
$ terraform init
$ terraform plan
$ terraform apply
```
{moves}{steps}
## What to change where

{f"{places}{chr(10)}{entries}{others}Change everything else" if places else f"{others}Change it"} {_OTHERS}
## Inputs

{inputs or _NONE}
## Outputs

{results or _NONE}
## Files

{contents}"""


def _state(stack: HandoverStack, files: Mapping[str, str]) -> str:
    """Where the stack's state is, and what follows from that."""
    settings = list(objects(stack.document.get("terraform")))
    for cloud in (it for one in settings for it in objects(one.get("cloud"))):
        named = [cloud.get("organization"), *(it.get("name") for it in objects(cloud.get("workspaces")))]
        of = "/".join(it for it in named if isinstance(it, str))
        return f"Its state is in HCP Terraform{f' ({code(of)})' if of else ''}, set in `backend.tf`."
    if not any(one.get("backend") for one in settings):
        return "Its state is `terraform.tfstate` in this folder, because no backend is set."
    where = f"Its state is {code(str(stack.state))}, set in `backend.tf`."
    if stack.state.backend != "local":
        return where
    if PureWindowsPath(str(stack.state)).anchor:
        elsewhere = "On a machine without this file, Terraform begins an empty state"
        return f"{where}\n{elsewhere}, and plans every resource as new."
    relative = "A relative path starts at this folder. If you move the folder, change the path"
    if 'backend = "local"' in files.get("remote_state.tf", ""):
        return f"{where}\n{relative}, and those in `remote_state.tf`, so that they still lead to existing states."
    return f"{where}\n{relative}, so that it still leads to the state of existing resources."


def _notes(stack: HandoverStack, name: str) -> list[Any]:
    """What the stack has for people under `//`, by this name."""
    comment = stack.document.get("//")
    found = comment.get(name) if isinstance(comment, dict) else None
    return found if isinstance(found, list) else []


def _step(step: Any) -> str:
    """What to do: a text, or an object with the `text` and the `commands` for it. Nothing for anything else."""
    text, commands = (step.get("text"), step.get("commands")) if isinstance(step, dict) else (step, None)
    if not isinstance(text, str):
        return ""
    lines = [it for it in commands if isinstance(it, str)] if isinstance(commands, list) else []
    shown = "".join(f"  {command(it)}\n" for it in lines)
    return f"* {plain(text)}\n" + (f"\n  ```console\n{shown}  ```\n" if shown else "")


def _plural(words: str) -> str:
    """`networks` for `network`. Words in the plural stay."""
    if words.endswith("s") and not words.endswith("ss"):
        return words
    if re.search("[^aeiou]y$", words):
        return f"{words[:-1]}ies"
    return f"{words}{'es' if re.search('(ss|x|ch|sh)$', words) else 's'}"


def _places(converted: Converted) -> str:
    values = [("the values of the inputs", link("terraform.tfvars"))] if "terraform.tfvars" in converted.files else []
    lists = [
        (
            f"which {plain(_plural(it.what))} there are, and how they differ",
            f"{f'{cell(it.within)} of each entry of ' if it.within else ''}{cell(it.name)} in {link(it.file)}"
            f"{_listed('each is also in', it.also)}{_listed('some are also in', it.some)}",
        )
        for it in converted.edit_places
    ]
    return table(("what", "where"), [*values, *lists])


def _listed(words: str, paths: Sequence[str]) -> str:
    return f"; {words} {', '.join(map(cell, paths))}" if paths else ""


def _value(variable: Mapping[str, Any]) -> str:
    if "default" not in variable:
        return "required"
    if variable.get("sensitive"):
        return "(sensitive)"
    return cell(_json(variable["default"]))


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
