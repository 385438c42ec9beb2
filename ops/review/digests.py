"""Digests of what a review found, so that an acknowledgement holds for exactly that."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ops.masking import SENSITIVE, Mask
from ops.review.text import placeholder
from terraform.encoded_texts import decoded
from terraform.plan import Change
from terraform.plan_values import Sensitive

_LENGTH = 16  # hexadecimal digits
_SHORTEST_ENCODED = 24  # characters; a shorter text may be a word


def digest(words: Sequence[str], changes: Sequence[Change], arguments: frozenset[str], mask: Mask) -> str | None:
    """The digest of a finding: its words, and the changes at its address before and after the apply.

    With `arguments`, only these of the changes count. None where a secret is a part of it: with the secret, somebody
    could guess it from the digest; without it, a digest would hold for another secret too.
    """
    new_values = [_some(change.after, arguments) for change in changes if not change.is_removed]
    seen = [*words, *(_seen(change, arguments) for change in changes)]
    has_secret = _text(new_values, mask) != _text(new_values, str) or any(map(_has_new_secret, new_values))
    if has_secret or SENSITIVE in "".join(words):
        return None
    return hashlib.sha256(_text(seen, mask).encode("utf-8", errors="surrogatepass")).hexdigest()[:_LENGTH]


def _text(values: Sequence[Any], mask: Callable[[str], str]) -> str:
    # Each text is masked by itself, because JSON escapes it once more, and then the whole, because of numbers.
    return mask(json.dumps(_readable(values, mask), sort_keys=True, ensure_ascii=False, default=placeholder))


def _readable(value: Any, mask: Callable[[str], str]) -> Any:
    """A value with its texts decoded, so that a secret in one does not hide the rest of it, and then masked."""
    if isinstance(value, str):
        return mask((decoded(value) if len(value) >= _SHORTEST_ENCODED else None) or value)
    if isinstance(value, Mapping):
        return {mask(name): _readable(item, mask) for name, item in value.items()}
    return [_readable(item, mask) for item in value] if isinstance(value, list | tuple) else value


def _has_new_secret(value: Any) -> bool:
    if isinstance(value, Sensitive):
        return value.is_changed
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return any(map(_has_new_secret, items))


def _some(values: Mapping[str, Any], arguments: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if not arguments or name in arguments}


def _seen(change: Change, arguments: frozenset[str]) -> dict[str, Any]:
    unknown = change.after_unknown
    return {
        "action": change.action.value,
        "deposed": change.deposed,
        "before": _some(change.before, arguments),
        "after": _some(change.after, arguments),
        "after_unknown": _some(unknown, arguments) if isinstance(unknown, Mapping) else unknown,
        "replaced_for": [*change.replaced_for],
    }
