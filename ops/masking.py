"""Masks what is sensitive somewhere in plans wherever the same value appears elsewhere."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from urllib.parse import quote, quote_plus

from iam.aws_managed import is_published

SENSITIVE = "(sensitive)"

_SHORTEST = 6  # characters; a shorter value is part of too many words
# Base64 and its form for URLs, in one line or in several: as `base64` writes them, and as JSON does.
_ENCODED = re.compile(r"(?:[A-Za-z0-9+/_-]{60,}(?:\\[rn]|\s)+)+[A-Za-z0-9+/_-]+={0,2}|[A-Za-z0-9+/_-]{7,}={0,2}")
_BETWEEN_LINES = re.compile(r"\\[rn]|\s")
_FOR_URLS = str.maketrans("-_", "+/")


class Mask:
    """Replaces secrets in a text, also where they are written in JSON, in URLs or in Base64.

    Networks, and the names and ARNs of AWS's own policies, are not replaced: everybody knows them, and a review that
    hides `0.0.0.0/0` or `AdministratorAccess` hides what is open.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        texts = {part for secret in secrets for part in (secret, *secret.splitlines())}
        secrets = [text for text in texts if len(text.strip()) >= _SHORTEST and not _is_public(text)]
        forms = {form for secret in secrets for form in _forms(secret)}
        self._encoded = {part for secret in secrets for part in _encoded(secret)}
        # The longest come first, because one secret may contain another.
        alternatives = "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
        self._pattern = re.compile(alternatives) if alternatives else None

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        return _ENCODED.sub(self._without_encoded, self.literally(text)) if self._encoded else text

    def literally(self, text: str) -> str:
        """The text without secrets that stand in it as they are: a text that will be decoded keeps its form."""
        return self._pattern.sub(SENSITIVE, text) if self._pattern is not None else text

    def _without_encoded(self, found: re.Match[str]) -> str:
        text = _BETWEEN_LINES.sub("", found[0]).translate(_FOR_URLS)
        return SENSITIVE if any(part in text for part in self._encoded) else found[0]


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
    for once in _in_json(secret):
        yield once
        yield from _in_json(once)  # JSON as a text in JSON
    # Half a character has no form in a URL.
    yield quote(secret, safe="", errors="replace")
    yield quote(secret, errors="replace")
    yield quote_plus(secret, errors="replace")


def _in_json(text: str) -> Iterator[str]:
    for is_ascii in (True, False):
        written = json.dumps(text, ensure_ascii=is_ascii)[1:-1]
        yield written
        yield _as_jsonencode(written)


def _as_jsonencode(text: str) -> str:
    """With the escapes of Terraform's function: https://developer.hashicorp.com/terraform/language/functions/jsonencode."""
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _encoded(secret: str) -> Iterator[str]:
    """What is in Base64 of every text with the secret in it, whatever stands around it."""
    content = secret.encode(errors="surrogatepass")
    for before in range(3):  # three bytes are four characters
        text = base64.b64encode(b"x" * before + content).decode()
        yield text[-(-before * 8 // 6) : (before + len(content)) * 8 // 6]
