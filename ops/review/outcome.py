"""What a review has found in all plans."""

from collections.abc import Sequence
from dataclasses import dataclass

from ops.review.access_table import AccessTable
from ops.review.acknowledgements import Acknowledgement
from ops.review.rule import Plans, ReviewFinding, ReviewRule


@dataclass(frozen=True, kw_only=True)
class Review:
    """The result of a review; `acknowledged` are findings that someone accepts, with the reason."""

    plans: Plans
    rules: Sequence[ReviewRule]
    dangerous: Sequence[ReviewFinding]
    acknowledged: Sequence[tuple[ReviewFinding, Acknowledgement]]
    notes: Sequence[ReviewFinding]
    unused: Sequence[Acknowledgement]
    access: AccessTable
