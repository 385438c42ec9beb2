"""Digests of what a review found, so that an acknowledgement holds for exactly that."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ops.review.text import placeholder
from terraform.plan import Change

_LENGTH = 16  # hexadecimal digits


def digest(
    what: Sequence[str], changes: Sequence[Change], arguments: frozenset[str], mask: Callable[[str], str]
) -> str:
    """The digest of a finding: its words, and the changes at its address before and after the apply.

    With `arguments`, only these of the changes count. `mask` leaves secrets out, so that nobody can guess them from it.
    """
    seen = [*what, *(_seen(change, arguments) for change in changes)]
    text = mask(json.dumps(seen, sort_keys=True, ensure_ascii=False, default=placeholder))
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()[:_LENGTH]


def _seen(change: Change, arguments: frozenset[str]) -> dict[str, Any]:
    def some(values: Any) -> Any:
        if not arguments or not isinstance(values, Mapping):
            return values
        return {name: value for name, value in values.items() if name in arguments}

    return {
        "action": change.action.value,
        "deposed": change.deposed,
        "before": some(change.before),
        "after": some(change.after),
        "after_unknown": some(change.after_unknown),
        "replaced_for": [*change.replaced_for],
    }
