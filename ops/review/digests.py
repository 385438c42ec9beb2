"""Digests of what a review found, so that an acknowledgement holds for exactly that."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ops.review.text import SENSITIVE, placeholder
from terraform.plan import Change

_LENGTH = 16  # hexadecimal digits
_SHORTEST_SECRET = 6  # characters; replacing a shorter one would replace parts of other words


def digest(what: Sequence[str], changes: Sequence[Change], arguments: frozenset[str], secrets: frozenset[str]) -> str:
    """The digest of a finding: its words, and the changes at its address before and after the apply.

    With `arguments`, only these of the changes count. `secrets` are left out, so that nobody can guess them from it.
    """
    seen = [*what, *(_seen(change, arguments) for change in changes)]
    text = json.dumps(seen, sort_keys=True, ensure_ascii=False, default=placeholder)
    for secret in sorted((one for one in secrets if len(one) >= _SHORTEST_SECRET), key=len, reverse=True):
        text = text.replace(json.dumps(secret, ensure_ascii=False)[1:-1], SENSITIVE)
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
