"""The figures of the price in the documentation are those of what is deployed."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks import price
from settings import load
from settings.backlog import units
from tests.deployments import deployment_file
from tests.terraform import Stacks


def test_a_unit_has_the_alarms_and_the_schedule_that_are_counted(example: Stacks) -> None:
    prd = load(deployment_file("example")).prd
    assert prd is not None
    assert prd.backlog is not None
    number = len(units(prd.backlog))
    bridge = example["backlog-bridge"]
    assert len(bridge.resources("aws_cloudwatch_metric_alarm")) == number * price.ALARMS_OF_UNIT
    assert len(bridge.resources("aws_scheduler_schedule")) == number
    assert prd.backlog.reconcile == "rate(1 hour)"
    machines = {
        project["environment"]["compute_type"] for project in bridge.resources("aws_codebuild_project").values()
    }
    assert machines == {"BUILD_GENERAL1_SMALL"}


def test_a_hundred_mirrors_of_a_space_cost_at_most_ten_dollars_a_month() -> None:
    hundred = price.month(units=1, pushes=1000)
    assert hundred.price == Decimal("9.40")
    assert price.month_of_single_builds(100).price == 370


def test_the_readme_has_the_price_of_the_page(project: Path) -> None:
    (said,) = re.findall(r"100 for\s\[([0-9.]+) USD a month\]", (project / "README.md").read_text(encoding="utf-8"))
    assert Decimal(said) == price.month(units=1).price


def test_a_started_minute_counts_as_a_whole_one() -> None:
    assert price.month(units=1, minutes_of_reconcile=2).minutes == 2 * price.month(units=1).minutes


def test_prints_a_line_for_each_way(capsys: pytest.CaptureFixture[str]) -> None:
    price.main()
    lines = capsys.readouterr().out.splitlines()
    assert [re.split(r" {2,}", line) for line in lines[1:]] == [list(row) for row in price.rows()]
