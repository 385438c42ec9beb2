"""The rule about who gets in: what the access matrix allows after the apply and not before."""

from ops.review.rule import Rule

RULES: tuple[Rule, ...] = ()
