"""AWS's Signature Version 4: for calls of its APIs, and as the user and password of Git at CodeCommit.

https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class Credentials:
    """AWS credentials. `expires` is in seconds since 1970; None means that their end is not known."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires: float | None = None


def domain(region: str) -> str:
    """What the names of a region's servers end with."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def git_url(region: str, repository: str) -> str:
    """The address of a repository of CodeCommit for Git."""
    return f"https://git-codecommit.{region}.{domain(region)}/v1/repos/{repository}"


def git_credentials(credentials: Credentials, region: str, repository: str, now: datetime) -> tuple[str, str]:
    """The user and password with which Git reads and pushes, as git-remote-codecommit signs them.

    `now` is in UTC. CodeCommit takes a password for 15 minutes.
    https://github.com/aws/git-remote-codecommit
    """
    url = urlsplit(git_url(region, repository))
    moment = now.strftime("%Y%m%dT%H%M%S")
    request = f"GIT\n{url.path}\n\nhost:{url.netloc}\n\nhost\n"
    user = credentials.access_key + (f"%{credentials.token}" if credentials.token else "")
    return user, f"{moment}Z{_signature(credentials, region, 'codecommit', moment, request)[1]}"


def sign(
    credentials: Credentials,
    *,
    region: str,
    service: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> dict[str, str]:
    """The headers of a POST to a service's root, signed. `now` is in UTC."""
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    signed = {**headers, "Host": urlsplit(url).netloc, "X-Amz-Date": moment}
    if credentials.token:
        signed["X-Amz-Security-Token"] = credentials.token
    canonical = sorted((name.lower(), " ".join(value.split())) for name, value in signed.items())
    names = ";".join(name for name, _ in canonical)
    lines = "".join(f"{name}:{value}\n" for name, value in canonical)
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope, signature = _signature(credentials, region, service, moment, request)
    key = f"Credential={credentials.access_key}/{scope}"
    signed["Authorization"] = f"{_ALGORITHM} {key}, SignedHeaders={names}, Signature={signature}"
    return signed


def _signature(credentials: Credentials, region: str, service: str, moment: str, request: str) -> tuple[str, str]:
    """The scope and the signature of a canonical request."""
    parts = (moment[:8], region, service, "aws4_request")
    scope = "/".join(parts)
    text = f"{_ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = b"AWS4" + credentials.secret_key.encode()
    for part in parts:
        key = hmac.digest(key, part.encode(), "sha256")
    return scope, hmac.new(key, text.encode(), "sha256").hexdigest()
