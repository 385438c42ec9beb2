"""What a review has found in all plans."""

from collections.abc import Sequence
from dataclasses import dataclass

from ops.review.access_table import AccessTable
from ops.review.acknowledgements import Acknowledgement
from ops.review.rule import Plans, ReviewFinding, ReviewRule


@dataclass(frozen=True, kw_only=True)
class Review:
    """The result of a review; `acknowledged` are findings that someone accepts, with the reason.

    `unused` are acknowledgements that match no finding, and `ended` those whose last day is over.
    """

    plans: Plans
    rules: Sequence[ReviewRule]
    dangerous: Sequence[ReviewFinding]
    acknowledged: Sequence[tuple[ReviewFinding, Acknowledgement]]
    notes: Sequence[ReviewFinding]
    unused: Sequence[Acknowledgement]
    ended: Sequence[Acknowledgement]
    access: AccessTable

    @property
    def fails(self) -> bool:
        """Whether somebody has to do something before this may be applied."""
        return bool(self.dangerous or self.unused or self.ended)
