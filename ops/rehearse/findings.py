"""What a rehearsal found out, for its report."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Findings:
    """What was done to each stack, by the stack's name."""

    existed: list[str] = field(default_factory=list)
    """The prerequisites, and the buckets for state."""
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    handed_over: dict[str, int] = field(default_factory=dict)
    """How many addresses differ in the HCL, for each stack that was planned from it and back."""
    changed: dict[str, list[str]] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    replaced: dict[str, str] = field(default_factory=dict)
    """Stacks by the addresses of resources that a change replaced, as the provider is meant to."""
    unlocked: dict[str, list[str]] = field(default_factory=dict)
