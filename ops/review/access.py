"""Who gets in, before and after: the access matrix of what the plans find and of what they leave."""

from collections.abc import Sequence
from dataclasses import dataclass

from ops.review.rule import Plans


@dataclass(frozen=True, kw_only=True)
class AccessRow:
    """What one principal may do with some repositories, as Markdown; both matrices in one cell each."""

    principal: str
    repositories: Sequence[str]
    pull: str
    push: str
    is_changed: bool


@dataclass(frozen=True, kw_only=True)
class AccessTable:
    """The rows, and what could not be worked out."""

    rows: Sequence[AccessRow] = ()
    unreadable: Sequence[str] = ()


def table(plans: Plans) -> AccessTable:
    """The table of all plans together."""
    del plans
    return AccessTable()
