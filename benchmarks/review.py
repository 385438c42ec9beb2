"""Times a review of a plan with many users and repositories: `python -m benchmarks.review`.

`--users N` and `--repositories N` set how many.
"""

import argparse
import json
import time

from ops.review import PlanFile, review
from tests.ops.review.large_plans import large_plan


def main() -> None:
    """Review one plan and print how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=30)
    parser.add_argument("--repositories", type=int, default=300)
    size = parser.parse_args()
    text = json.dumps(large_plan(size.users, size.repositories))
    began, used = time.monotonic(), time.process_time()
    found = review([PlanFile(stack="stack", where="plan.json", text=text)], [])
    taken, worked = time.monotonic() - began, time.process_time() - used
    print(f"{size.users} users, {size.repositories} repositories, {len(found.access.rows)} rows of the access table")
    print(f"{taken:.1f} s, of which {worked:.1f} s of the processor")


if __name__ == "__main__":
    main()
