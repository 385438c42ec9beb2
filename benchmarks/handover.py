"""Compares Terraform's plans of random deployments as JSON and as HCL.

`python -m benchmarks.handover [--minutes N] [--first N]`: a run may go on where an earlier one ended.
Terraform plans both without AWS, and every planned value is compared. The exit status is 1 if one differs.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import bindings

bindings.install()

from tests.ops.handover.evaluation import compare  # noqa: E402 - the bindings must be lazy before this

_AT_ONCE = 12
"""Deployments in one run of Terraform. More are not faster; fewer mean more starts of Terraform."""


def main() -> int:
    """Compare random deployments until the time is over, and print the totals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--first", type=int, default=0, help="the number of the first random deployment")
    arguments = parser.parse_args()
    minutes: float = arguments.minutes
    seed: int = arguments.first
    began = time.monotonic()
    deployments = stacks = resources = values = 0
    different: list[str] = []
    while time.monotonic() - began < minutes * 60:
        with tempfile.TemporaryDirectory(prefix="kakehashi-") as folder:
            compared = compare(range(seed, seed + _AT_ONCE), Path(folder))
        seed += _AT_ONCE
        deployments += compared.deployments
        stacks += compared.stacks
        resources += compared.resources
        values += compared.values
        different += compared.different
    taken = time.monotonic() - began
    print(f"{deployments} deployments, {stacks} stacks, {resources} resources, {values} values in {taken:.0f} s")
    print("\n".join(different) or "all plans are equal")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())
