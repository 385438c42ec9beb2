"""The credentials of the role that a build runs as."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from .aws import AwsRefusedError, Provider, Renewed, credentials_of
from .calls import Connections
from .failures import UnreachableError
from .signing import Credentials

_CONTAINER = "http://169.254.170.2"
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
_CONTAINERS = frozenset(("169.254.170.2", "169.254.170.23", "fd00:ec2::23"))


def own_credentials(
    environment: Mapping[str, str], connections: Connections, *, container: str = _CONTAINER
) -> Provider:
    """Credentials from the environment, or from the address in it, as AWS's SDKs find them.

    `container` is where a relative address is asked. Only tests give it.
    """
    if environment.get("AWS_ACCESS_KEY_ID") and environment.get("AWS_SECRET_ACCESS_KEY"):
        given = Credentials(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            environment.get("AWS_SESSION_TOKEN") or None,
        )
        return lambda: given
    relative, full = (environment.get(f"AWS_CONTAINER_CREDENTIALS_{kind}_URI") for kind in ("RELATIVE", "FULL"))
    url = container + relative if relative else full
    if not url or (not relative and not _trusted(url)):
        raise AwsRefusedError("the build", "NoCredentials", "its environment has no credentials and no address of them")
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return Renewed(lambda: _ask(f"{parts.scheme}://{parts.netloc}", path, _authorization(environment), connections))


def _trusted(url: str) -> bool:
    """Whether credentials may come from there: encrypted, or from the machine itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    return parts.scheme == "https" or (parts.scheme == "http" and (loopback or host in _CONTAINERS))


def _authorization(environment: Mapping[str, str]) -> dict[str, str]:
    file = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    token = Path(file).read_text("utf-8").strip() if file else environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    return {"Authorization": token} if token else {}


def _ask(server: str, path: str, headers: Mapping[str, str], connections: Connections) -> Credentials:
    asked = {"Accept": "application/json", **headers}
    what = "asking for the build's credentials"
    status, answer = connections.patiently(what, lambda: connections.request("GET", server, asked, path=path))
    if status != 200:
        raise AwsRefusedError(what, str(status), "the container does not give them")
    try:
        return credentials_of(json.loads(answer), "Token")
    except (ValueError, TypeError):
        raise UnreachableError("the build's credentials are no JSON") from None
