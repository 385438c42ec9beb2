"""The rules, in the order in which a review tells their findings."""

from ops.review.rule import Rule
from ops.review.rules import doors, guards, losses, state
from ops.review.rules import who_may as access

RULES: tuple[Rule, ...] = (*access.RULES, *doors.RULES, *losses.RULES, *guards.RULES, *state.RULES)
