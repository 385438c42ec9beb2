"""Values that people may want to change in the HCL of a handover, which makes variables of them.

The deployment file decides these values, and the synthesised Terraform has them as they are. Values that operations may
change in that Terraform too are variables of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from cdktf import TerraformElement

_MARKS: WeakKeyDictionary[TerraformElement, dict[str, object]] = WeakKeyDictionary()


@dataclass(frozen=True, kw_only=True)
class Input:
    """A variable of the HCL. With `is_item` it is a list, and the value is one of its items: one resource for each.

    `checks` are conditions on the variable, with what is said where one is not met.
    """

    variable: str
    description: str
    is_item: bool = False
    checks: Sequence[tuple[str, str]] = ()

    @property
    def item(self) -> "Input":
        """One item of the same list."""
        return replace(self, is_item=True)


def whole_number(variable: str, description: str, *, low: int, high: int) -> Input:
    """A whole number from `low` to `high`."""
    name = f"var.{variable}"
    condition = f"{name} >= {low} && {name} <= {high} && floor({name}) == {name}"
    check = (condition, f"Write a whole number from {low} to {high}.")
    return Input(variable=variable, description=description, checks=[check])


def network(variable: str, description: str) -> Input:
    """An IPv4 network."""
    check = (f"can(cidrnetmask(var.{variable}))", "Write an IPv4 network, for example 10.0.0.0/16.")
    return Input(variable=variable, description=description, checks=[check])


def aws_id(variable: str, description: str, *, kind: str) -> Input:
    """An id that AWS gave, such as `vpc-…`. The handover refers to the variable wherever the id stands."""
    check = (f'can(regex("^{kind}-[0-9a-f]+$", var.{variable}))', f"Write an id, for example {kind}-0123456789abcdef0.")
    return Input(variable=variable, description=description, checks=[check])


def aws_ids(variable: str, description: str, *, kind: str) -> Input:
    """Ids that AWS gave, each another one."""
    pattern = f'can(regex("^{kind}-[0-9a-f]+$", id))'
    checks = [
        (f"alltrue([for id in var.{variable} : {pattern}])", f"Write ids, for example {kind}-0123456789abcdef0."),
        (f"length(distinct(var.{variable})) == length(var.{variable})", "Name each once."),
    ]
    return Input(variable=variable, description=description, checks=checks)


def mark(element: TerraformElement, inputs: Mapping[str, Input]) -> None:
    """Mark arguments of `element` as inputs, by their paths: `mark(server, {"root_block_device.volume_size": size})`.

    All places of one variable have the same value. Terraform ignores the marks, which are in the resource's `//`.
    Raises ValueError for an argument that is marked already.
    """
    marks = _MARKS.setdefault(element, {})
    if twice := sorted(marks.keys() & inputs.keys()):
        raise ValueError(f"{element.node.path}: marked already: {', '.join(twice)}")
    marks |= {argument: _written(it) for argument, it in inputs.items()}
    # An override's path is split at its dots, the keys of its value are not. It replaces an earlier one.
    element.add_override("//.inputs", marks)


def _written(input: Input) -> dict[str, object]:
    checks = [{"condition": f"${{{condition}}}", "error_message": message} for condition, message in input.checks]
    item = {"item": True} if input.is_item else {}
    validation = {"validation": checks} if checks else {}
    return {"variable": input.variable, "description": input.description, **item, **validation}
