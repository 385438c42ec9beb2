"""Random stacks of other people's projects plan as before. `benchmarks/handover.py` compares more of them."""

from pathlib import Path

import pytest

from tests.ops.handover.evaluation import compare_projects


@pytest.mark.slow
@pytest.mark.terraform
def test_plans_of_random_projects_are_equal(tmp_path: Path) -> None:
    found = compare_projects(range(24), tmp_path / "plans")
    assert found.different == []
    assert found.resources > 250
