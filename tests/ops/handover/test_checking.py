"""`--check` refuses what a handover would refuse."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.handover import hand_over
from tests.ops.handover.folders import written

pytestmark = pytest.mark.terraform


def data(value: int) -> dict[str, Any]:
    return {"resource": {"terraform_data": {"it": {"input": value}}}}


def check(out: Path, hcl: Path, *, run_providers: bool = True) -> None:
    hand_over(out, hcl, check=True, validate=True, run_providers=run_providers)


def test_check_refuses_a_folder_that_terraform_refuses(
    out: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hcl = tmp_path / "hcl"
    hand_over(out(web=data(1), mail=data(1)), hcl)
    check(out(web=data(1), mail=data(1)), hcl)
    assert capsys.readouterr().err == "validating 2 stacks with Terraform\n"
    added = hcl / "web" / "more.tf"
    added.write_text('resource "terraform_data" "it" {}\n')
    before = written(hcl)
    for value in (1, 2):  # whether or not the handover writes something
        with pytest.raises(RefusedError) as refused:
            check(out(web=data(value), mail=data(1)), hcl)
        problem = refused.value.problems[0]
        assert problem.what.startswith("Duplicate resource")
        assert problem.where.startswith(str(hcl / "web"))
    assert written(hcl) == before
    check(out(web=data(1), mail=data(1)), hcl, run_providers=False)


def test_check_validates_what_would_be_written(out: Callable[..., Path], tmp_path: Path) -> None:
    hcl = tmp_path / "hcl"
    hand_over(out(data(1)), hcl)
    added = hcl / "web" / "more.tf"
    added.write_text('output "it" {\n  value = terraform_data.it.input\n}\n')
    check(out(data(1)), hcl)
    other = {"resource": {"terraform_data": {"other": {"input": 1}}}}
    with pytest.raises(RefusedError, match=r"more\.tf:2: Reference to undeclared resource"):
        check(out(other), hcl)
    added.unlink()
    with pytest.raises(RefusedError, match="would be written differently"):
        check(out(other), hcl)
