"""What the Backlog bridge costs a month, from minutes of builds, alarms and metrics.

Prices of ap-northeast-1 as seen in November 2026, in USD: https://aws.amazon.com/codebuild/pricing/ and
https://aws.amazon.com/cloudwatch/pricing/. Storage, requests and traffic are left out: they are cents.
"""

from dataclasses import dataclass
from decimal import Decimal

MINUTE = Decimal("0.005")
"""A minute of CodeBuild's small machine; a started one counts as a whole one."""
ALARM = Decimal("0.10")
METRIC = Decimal("0.30")

ALARMS_OF_UNIT = 2
METRICS_OF_UNIT = 2
HOURS = 720
"""Of a month: the default schedule runs once in each."""


@dataclass(frozen=True, kw_only=True)
class Month:
    """What is billed in a month."""

    minutes: int
    alarms: int
    metrics: int = 0

    @property
    def price(self) -> Decimal:
        """In USD."""
        return self.minutes * MINUTE + self.alarms * ALARM + self.metrics * METRIC


def month(*, units: int, pushes: int = 0, minutes_of_reconcile: int = 1, metrics_of_mirrors: int = 0) -> Month:
    """A month of `units` that are each reconciled once an hour, with builds of a minute for `pushes`.

    `minutes_of_reconcile` is how long a build of a unit takes, rounded up.
    """
    return Month(
        minutes=units * HOURS * minutes_of_reconcile + pushes,
        alarms=units * ALARMS_OF_UNIT,
        metrics=units * METRICS_OF_UNIT + metrics_of_mirrors,
    )


def month_of_single_builds(mirrors: int, pushes: int = 0) -> Month:
    """A month as it was before units: each mirror had a build an hour and one alarm, on a metric of AWS's own."""
    return Month(minutes=mirrors * HOURS + pushes, alarms=mirrors)


def rows() -> list[tuple[str, str, str, str, str]]:
    """Ways to mirror 100 repositories: what, minutes, alarms, metrics, and USD a month."""
    pushes = 500
    ways = {
        "one space": month(units=1),
        f"one space, {pushes} pushes": month(units=1, pushes=pushes),
        "one space, whose reconcile takes two minutes": month(units=1, minutes_of_reconcile=2),
        "two spaces": month(units=2),
        "one space, `metric_of_each_mirror`": month(units=1, metrics_of_mirrors=100),
        "`isolation: repository`": month(units=100),
        "before: a build for each repository": month_of_single_builds(100),
    }
    return [
        (what, f"{way.minutes:,}", str(way.alarms), str(way.metrics), f"{way.price:.2f}") for what, way in ways.items()
    ]


def main() -> None:
    """Print the rows as a table."""
    table = (("100 mirrors, every hour", "minutes", "alarms", "metrics", "USD a month"), *rows())
    for what, *figures in table:
        print(f"{what:<46}", *(f"{figure:>11}" for figure in figures))


if __name__ == "__main__":
    main()
