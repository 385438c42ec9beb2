"""The rule about who gets in: what somebody may do after the apply, and could not before."""

from collections.abc import Iterator

from ops.review.access_table import table
from ops.review.rule import Plans, Rule


def _widened(plans: Plans) -> Iterator[tuple[str, str, str]]:
    yield from table(plans).widened


def _unknown(plans: Plans) -> Iterator[tuple[str, str, str]]:
    yield from table(plans).unreadable


RULES = (
    Rule(
        id="access-widened",
        what="Somebody may pull or push what, or from where, they could not before.",
        why="It is the one question of this review; the table above has both sides.",
        check=_widened,
    ),
    Rule(
        id="access-unknown",
        what="What somebody may do cannot be worked out.",
        why="The table above is silent about them; read their policies.",
        check=_unknown,
        dangerous=False,
    ),
)
