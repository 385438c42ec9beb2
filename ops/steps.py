"""Says each change before it is made, or instead of making it."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Steps:
    """With `dry_run`, nothing is changed: every step is told as what would be done."""

    dry_run: bool

    def take(self, what: str) -> bool:
        """Tell a change, such as `delete credential X`; returns whether to make it."""
        print(f"would {what}" if self.dry_run else what, file=sys.stderr)
        return not self.dry_run
