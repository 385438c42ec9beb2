"""Announces each change before it is made; in a dry run, only announces it."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The changes of one command."""

    dry_run: bool

    def take(self, what: str) -> bool:
        """Print a change, such as `delete credential X`, and return whether to make it."""
        print(f"would {what}" if self.dry_run else what, file=sys.stderr)
        return not self.dry_run
