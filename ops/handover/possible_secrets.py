"""Names the values in a handover that may be secret: everybody who reads the folder or its history reads them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ops.handover.stacks import HandoverStack
from terraform.output import objects

_VALUES = (".tfvars", ".tfvars.json")
_NO = (None, False, "false")
_EMPTY: Sequence[Any] = (None, "", [], {})


def possible_secrets(stacks: Sequence[HandoverStack], destination: Path, *, keep_defaults: bool) -> Iterator[str]:
    """A line with all files of values that were copied, and one with all sensitive variables that have a default."""
    folders = {stack.target: destination / stack.target for stack in stacks}
    files = [str(folders[it.target] / path) for it in stacks for path in it.files_read if path.endswith(_VALUES)]
    if files:
        yield f"copied with their values, which may be secret: {', '.join(sorted(files))}"
    file = "variables.tf" if keep_defaults else "terraform.tfvars"
    defaults = [f"{name} in {folders[it.target] / file}" for it in stacks for name in _sensitive_defaults(it)]
    if defaults:
        yield f"written with the defaults of sensitive variables: {', '.join(sorted(defaults))}"


def _sensitive_defaults(stack: HandoverStack) -> Iterator[str]:
    for level in objects(stack.document.get("variable")):
        for name, content in level.items():
            for variable in objects(content):
                if variable.get("sensitive") not in _NO and variable.get("default") not in _EMPTY:
                    yield name
