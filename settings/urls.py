"""URLs in a deployment file: GitLab's, its API's and a proxy's."""

import re
import unicodedata
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, WithJsonSchema

from errors.shown import shown
from settings.addresses import hostless_part
from settings.problems import refuse

_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"({_LABEL}(\.{_LABEL})*)(:[0-9]{{1,5}})?/?"
_WEB_URL = "https?://" + _HOST
_PROXY_URL = "http://" + _HOST


def _url(value: str, pattern: str, hint: str) -> str:
    if "@" in unicodedata.normalize("NFKC", value):
        # The value is not repeated, because it may be a password.
        raise refuse("the URL has a user name or password", f"a deployment file must have no secret; {hint}")
    match = re.fullmatch(pattern, value)
    if not match or not _is_host(match[1]):
        raise refuse(f"{shown(value)} is not a URL of this kind", hint)
    return value.rstrip("/")


def _is_host(name: str) -> bool:
    if not name.rpartition(".")[2].isdigit():
        return len(name) <= 253
    try:
        return bool(IPv4Address(name))
    except AddressValueError:
        return False


def _refuse_unreachable(url: str, value: str, hint: str) -> None:
    host = urlsplit(url).hostname or ""
    if host == "localhost" or (host.rpartition(".")[2].isdigit() and hostless_part(IPv4Network(host))):
        raise refuse(f"{shown(value)} is no address of a server that others reach", hint)


def _external_url(value: str) -> str:
    hint = "write it as https://gitlab.example.com"
    url = _url(value, _WEB_URL, hint)
    if url.startswith("http:"):
        # Also behind a proxy of one's own that ends TLS: people's address is https, and so are GitLab's links.
        tls = "without dev.gitlab.load_balancer, GitLab makes its own certificate"
        raise refuse(f"{shown(value)} would carry passwords and tokens in the clear", f"{hint}: {tls}")
    port = url.rpartition(":")[2]
    if port.isdigit() and port != "443":
        raise refuse(f"{shown(value)} has a port that people cannot reach: only 22, 80 and 443 are open", hint)
    _refuse_unreachable(url, value, hint)
    # GitLab looks for its certificate under the name as it is written here.
    return url.lower()


def _proxy_url(value: str) -> str:
    hint = "write it as http://proxy.example.com:3128"
    url = _url(value, _PROXY_URL, hint)
    port = url.rpartition(":")[2]
    if not port.isdigit():
        raise refuse(f"{shown(value)} has no port", hint)
    if not 1 <= int(port) <= 65535:
        raise refuse(f"{shown(value)} has no port of 1 to 65535", hint)
    _refuse_unreachable(url, value, hint)
    return url


def _api_url(value: str) -> str:
    hint = "write it as https://gitlab.example.com"
    url = _url(value, _WEB_URL, hint)
    parts = urlsplit(url)
    # urlsplit does not check the port's number.
    if url.rpartition(":")[2].isdigit() and not 1 <= int(url.rpartition(":")[2]) <= 65535:
        raise refuse(f"{shown(value)} has no port of 1 to 65535", hint)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise refuse(f"{shown(value)} would carry a token and passwords in the clear", hint)
    return url


ExternalUrl = Annotated[
    str, AfterValidator(_external_url), WithJsonSchema({"type": "string", "pattern": f"^https://{_HOST}$"})
]
ProxyUrl = Annotated[str, AfterValidator(_proxy_url), WithJsonSchema({"type": "string", "pattern": f"^{_PROXY_URL}$"})]
ApiUrl = Annotated[str, AfterValidator(_api_url), WithJsonSchema({"type": "string", "pattern": f"^{_WEB_URL}$"})]
