"""What a rule of a review is, and what it finds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from terraform.plan import Change, Plan
from terraform.plan_references import Resolver


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing to know before the apply: `what` is Markdown of one line."""

    rule: str
    stack: str
    address: str
    what: str


@dataclass(frozen=True, eq=False)
class Plans:
    """All plans of one review."""

    plans: Sequence[Plan]

    @cached_property
    def resolvers(self) -> dict[str, Resolver]:
        """By stack."""
        return {plan.stack: Resolver(plan) for plan in self.plans}

    def changes(self) -> Iterator[Change]:
        """What happens to managed objects, in all stacks."""
        for plan in self.plans:
            yield from (change for change in plan.changes if change.is_managed)


Check = Callable[[Plans], Iterator[tuple[str, str, str]]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One question asked of every plan; `check` answers with stack, address and what was found.

    A finding of a `dangerous` rule needs an acknowledgement; of another, it is worth a look.
    """

    id: str
    what: str
    why: str
    check: Check
    dangerous: bool = True

    def findings(self, plans: Plans) -> list[Finding]:
        """What the rule finds, each once."""
        found = [
            Finding(rule=self.id, stack=stack, address=address, what=what) for stack, address, what in self.check(plans)
        ]
        return sorted(set(found), key=lambda finding: (finding.stack, finding.address, finding.what))
