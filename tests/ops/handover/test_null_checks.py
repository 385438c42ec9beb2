"""`nullable = false` is left out where Terraform refuses null without it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from ops.handover import convert, shipped

_REFUSING = {
    "string": ['can(regex("^(a|b)?$", VAR))', "can(cidrnetmask(VAR))", "can(cidrhost(VAR, 0))", 'contains(["a"], VAR)'],
    "number": ["VAR >= 1 && VAR <= 8 && floor(VAR) == VAR", "VAR > 0", "contains([1, 2], VAR)"],
    "list(string)": ["length(VAR) > 0", 'alltrue([for it in VAR : try(it == "a" || it == "b", false)])'],
    "map(string)": ["alltrue([for it in values(VAR) : can(cidrnetmask(it))])", "alltrue([for k, v in VAR : k == v])"],
}
_ALLOWING = {
    "string": [
        'VAR == null || can(regex("a", VAR))',
        'VAR != "a"',
        'can(regex("a", VAR)) || true',
        'try(VAR == "a", true)',
    ],
    "number": ["VAR > 0 || true", "VAR == null ? true : VAR > 0", "try(VAR > 0, true)"],
    "list(string)": ["alltrue([for it in coalesce(VAR, []) : true])", "alltrue([for it in [1] : true]) || VAR == null"],
}
_VALUES: dict[str, Any] = {"string": "a", "number": 1, "list(string)": ["a"], "map(string)": {"a": "a"}}


def variable(type: str, condition: str, name: str = "v") -> str:
    """The variable of a stack, in HCL."""
    check = {"condition": f"${{{condition.replace('VAR', f'var.{name}')}}}", "error_message": "Write another value."}
    declared = {"type": type, "default": _VALUES[type], "nullable": False, "validation": [check]}
    return convert({"variable": {name: declared}}, name="web", schemas=shipped()).files["variables.tf"]


def _pairs(by_type: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(of, condition) for of, conditions in by_type.items() for condition in conditions]


@pytest.mark.parametrize(("type", "condition"), _pairs(_REFUSING))
def test_leaves_it_out_where_a_check_refuses_null(type: str, condition: str) -> None:
    assert "nullable" not in variable(type, condition)


@pytest.mark.parametrize(("type", "condition"), _pairs(_ALLOWING))
def test_keeps_it_elsewhere(type: str, condition: str) -> None:
    assert "nullable = false" in variable(type, condition)


@pytest.mark.tool("terraform")
def test_terraform_refuses_null_where_it_is_left_out(tmp_path: Path) -> None:
    refusing = _pairs(_REFUSING)
    written = [variable(*it, name=f"v{number}") for number, it in enumerate(refusing)]
    (tmp_path / "main.tf").write_text("\n".join(written))
    (tmp_path / "terraform.tfvars").write_text("".join(f"v{number} = null\n" for number in range(len(refusing))))
    done = subprocess.run(
        ["terraform", "plan", "-input=false", "-no-color"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    shown = [{f'variable "v{number}"', f": v{number} = null"} for number in range(len(refusing))]
    assert [it for it, either in zip(refusing, shown, strict=True) if not any(x in done.stderr for x in either)] == []
