"""The rules, in the order in which a review tells their findings."""

from ops.review.rule import Rule
from ops.review.rules import access, doors, guards, losses, state

RULES: tuple[Rule, ...] = (*access.RULES, *doors.RULES, *losses.RULES, *guards.RULES, *state.RULES)
