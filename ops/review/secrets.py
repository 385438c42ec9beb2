"""Masks what is sensitive somewhere in the plans wherever the same value appears elsewhere."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from urllib.parse import quote

from iam.aws_managed import is_published

SENSITIVE = "(sensitive)"

_SHORTEST = 6  # characters; a shorter value is part of too many words
# Base64 of 12 bytes or more, as in user data, and its form for URLs.
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")


class Mask:
    """Replaces secrets in a text, also where they are written in JSON, in URLs or in Base64.

    Networks, and the names and ARNs of AWS's own policies, are not replaced: everybody knows them, and a review that
    hides `0.0.0.0/0` or `AdministratorAccess` hides what is open.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        texts = {part for secret in secrets for part in (secret, *secret.splitlines())}
        self._secrets = [text for text in texts if len(text.strip()) >= _SHORTEST and not _is_public(text)]
        forms = {form for secret in self._secrets for form in _forms(secret)}
        # The longest come first, because one secret may contain another.
        alternatives = "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
        self._pattern = re.compile(alternatives) if alternatives else None

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        return _ENCODED.sub(self._without_encoded, self.literally(text)) if self._secrets else text

    def literally(self, text: str) -> str:
        """The text without secrets that stand in it as they are: a text that will be decoded keeps its form."""
        return self._pattern.sub(SENSITIVE, text) if self._pattern is not None else text

    def _without_encoded(self, found: re.Match[str]) -> str:
        decoded = _decoded(found[0])
        return SENSITIVE if any(secret in decoded for secret in self._secrets) else found[0]


def _is_public(text: str) -> bool:
    if is_published(text.strip()):
        return True
    try:
        ip_network(text.strip(), strict=False)
    except ValueError:
        return False
    return True


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    # Half a character has no form in a URL.
    yield quote(secret, safe="", errors="replace")
    yield quote(secret, errors="replace")


def _decoded(text: str) -> str:
    padded = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(padded + "=" * (-len(padded) % 4)).decode("utf-8", "replace")
    except binascii.Error:
        return ""
