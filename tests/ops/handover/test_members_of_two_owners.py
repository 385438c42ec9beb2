"""Terraform refuses a member that people write into two owners, such as a mirror into two spaces."""

from pathlib import Path

import pytest

from ops.handover import convert, shipped
from tests.ops.handover.by_plan import planned, put
from tests.ops.handover.cases.owners import spaces


@pytest.mark.terraform
def test_a_member_that_two_owners_have_is_refused(tmp_path: Path) -> None:
    files = dict(convert(spaces(), name="bridge", schemas=shipped()).files)
    files["locals.tf"] = files["locals.tf"].replace("site = {", "red = {")
    put(files, tmp_path / "bridge")
    done = planned(tmp_path, {"bridge": spaces()})
    assert done.returncode != 0
    assert "hook => one(spaces)" in done.stderr
