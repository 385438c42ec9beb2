"""The forward proxy we build, as the deployment file describes it, and which hosts it may let out to."""

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field, StrictInt, WithJsonSchema

from errors.shown import shown
from settings.problems import refuse
from settings.types import InstanceType, LogRetentionDays, Reason, Settings

PORT = 3128
"""Where the proxy listens."""

_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_ALLOWED_HOST = rf"\.?{_LABEL}(\.{_LABEL})*"

# The server installs AWS's command line on its first boot, and GitLab is upgraded from its makers' packages. Nothing
# else that it does by itself leaves the VPC.
_GITLAB_NEEDS = ("awscli.amazonaws.com", "packages.gitlab.com")

_ANYBODYS_DOMAINS = (
    "amazonaws.com",
    "api.aws",
    "on.aws",
    "awsglobalaccelerator.com",
    "cloudfront.net",
    "github.io",
    "githubusercontent.com",
    "gitlab.io",
    "googleapis.com",
    "r2.dev",
    "workers.dev",
    "pages.dev",
    "windows.net",
    "azureedge.net",
    "azurewebsites.net",
    "herokuapp.com",
    "ngrok.io",
    "vercel.app",
    "netlify.app",
)
"""Domains in which anybody can have a host, and so a place to carry data to."""

# S3's hosts without a bucket in front take any bucket in the path.
_EVERY_BUCKET = re.compile(r"s3([.-][a-z0-9.-]+)?\.amazonaws\.com")

# Second levels under which countries register names: .co.jp is as wide as .com.
_REGISTRY = re.compile(r"((ac|ad|co|com|ed|edu|go|gov|gr|lg|ne|net|or|org)\.)?[a-z0-9-]+")


def _allowed_host(value: str) -> str:
    hint = "write a host, or a domain with a leading dot, for example .example.com"
    if not re.fullmatch(_ALLOWED_HOST, value) or len(value) > 253:
        raise refuse(f"{shown(value)} is not a host", hint)
    if re.fullmatch("0x[0-9a-f]*|[0-9]+", value.lower().rpartition(".")[2]):
        raise refuse(f"{shown(value)} is an address, which the proxy never lets through", hint)
    # Names of hosts are the same in upper and lower case, and Squid compares them in lower case.
    return value.lower()


class SquidSettings(Settings):
    """A forward proxy of our own in the private subnets of dev.network, which leaves through its NAT gateways."""

    instances: StrictInt = Field(2, ge=1, le=8, description="How many proxies run, divided among the zones.")
    instance_type: InstanceType = Field("t3.small", description="EC2 instance type of a proxy.")
    allowed_hosts: tuple[
        Annotated[
            str,
            AfterValidator(_allowed_host),
            WithJsonSchema({"type": "string", "pattern": f"^{_ALLOWED_HOST}$"}),
        ],
        ...,
    ] = Field(
        (),
        description="Further hosts the proxy lets out to, beside the region's CodeCommit and what GitLab itself needs; "
        "a domain and all below it starts with a dot.",
    )
    open_to_the_world_because: Reason | None = Field(
        None, description="Why the proxy may let out to domains in which anybody can have a host."
    )
    log_retention_days: LogRetentionDays = Field(90, description="How long CloudWatch keeps the access log.")


def default_hosts(region: str) -> tuple[str, ...]:
    """What a proxy in `region` always lets out to: production's repositories, and what GitLab itself needs."""
    return (f"git-codecommit.{region}.amazonaws.com", *_GITLAB_NEEDS)


def hosts_let_out(region: str, allowed_hosts: Iterable[str]) -> tuple[str, ...]:
    """The whole allow-list, none of whose entries holds another: Squid warns of those."""
    entries = (*default_hosts(region), *allowed_hosts)
    return tuple(entry for entry in entries if not any(other != entry and covers(other, entry) for other in entries))


def covers(entry: str, other: str) -> bool:
    """Whether `entry` lets out to everything that `other` does; both are a host, or a domain with a leading dot."""
    if not entry.startswith("."):
        return entry == other
    return other.removeprefix(".") == entry[1:] or other.endswith(entry)


def anybodys(entry: str) -> bool:
    """Whether anybody can have a host, or a place on the host, that `entry` lets out to."""
    if not entry.startswith("."):
        return _EVERY_BUCKET.fullmatch(entry) is not None and entry.count(".s3") == 0
    domain = entry[1:]
    wide = _REGISTRY.fullmatch(domain) and (domain.count(".") == 0 or len(domain.rpartition(".")[2]) == 2)
    return bool(wide) or any(covers(entry, f".{own}") or covers(f".{own}", entry) for own in _ANYBODYS_DOMAINS)
