"""Compares Terraform's plans of random deployments as JSON and as HCL.

`python -m benchmarks.handover [--minutes N] [--first N] [--projects]`: a run may go on where an earlier one ended. With
--projects, the stacks are those of other people's programs.
Terraform plans both without AWS, and every planned value is compared. The exit status is 1 if one differs.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import bindings

bindings.install()

from tests.ops.handover.evaluation import compare, compare_projects  # noqa: E402 - the bindings must be lazy before this

_AT_ONCE = 12
"""Deployments in one run of Terraform. More are not faster; fewer mean more starts of Terraform."""


def main() -> int:
    """Compare random deployments until the time is over, and print the totals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--first", type=int, default=0, help="the number of the first random deployment")
    parser.add_argument("--projects", action="store_true", help="draw projects in place of deployments")
    arguments = parser.parse_args()
    minutes: float = arguments.minutes
    seed: int = arguments.first
    drawn = compare_projects if arguments.projects else compare
    began = time.monotonic()
    deployments = stacks = resources = values = 0
    different: list[str] = []
    while time.monotonic() - began < minutes * 60:
        with tempfile.TemporaryDirectory(prefix="kakehashi-") as folder:
            compared = drawn(range(seed, seed + _AT_ONCE), Path(folder))
        seed += _AT_ONCE
        deployments += compared.deployments
        stacks += compared.stacks
        resources += compared.resources
        values += compared.values
        different += compared.different
    taken = time.monotonic() - began
    what = "projects" if arguments.projects else "deployments"
    print(f"{deployments} {what}, {stacks} stacks, {resources} resources, {values} values in {taken:.0f} s")
    print("\n".join(different) or "all plans are equal")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())
