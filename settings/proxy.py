"""The forward proxy that GitLab's mirrors leave through, and the hosts that a proxy we build allows."""

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field, StrictInt, WithJsonSchema

from errors.shown import shown
from settings import data
from settings.cidrs import HostCidr
from settings.problems import refuse
from settings.types import Email, InstanceType, LogRetentionDays, Reason, Settings
from settings.urls import ProxyUrl

PORT = 3128
"""The TCP port of a proxy that we build."""

_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_ALLOWED_HOST = rf"\.?{_LABEL}(\.{_LABEL})*"
_DIRECT_HOST = rf"({_ALLOWED_HOST}(:[0-9]{{1,5}})?|[0-9]{{1,3}}(\.[0-9]{{1,3}}){{3}}/([0-9]|[12][0-9]|3[0-2]))"

# Second levels under which countries register names: anybody can register below .co.jp as below .com.
_REGISTRY = re.compile(r"((ac|ad|co|com|ed|edu|go|gov|gr|lg|ne|net|or|org)\.)?[a-z0-9-]+")


def _allowed_host(value: str) -> str:
    hint = "write a host, or a domain with a leading dot, for example .example.com"
    if not re.fullmatch(_ALLOWED_HOST, value) or len(value) > 253:
        raise refuse(f"{shown(value)} is not a host", hint)
    if re.fullmatch("0x[0-9a-f]*|[0-9]+", value.lower().rpartition(".")[2]):
        raise refuse(f"{shown(value)} is an address, which the proxy never allows", hint)
    if value.lower().rpartition(".")[2] == "invalid":
        # RFC 6761. A new proxy must refuse such a name before it is used (buildspec/forward_proxy_check.sh).
        raise refuse(f"{shown(value)} is in .invalid, in which no host can be", hint)
    # Host names ignore case, and Squid compares them in lower case.
    return value.lower()


def _direct_host(value: str) -> str:
    is_host = re.fullmatch(_DIRECT_HOST, value) and len(value) <= 253
    if not is_host or (":" in value and not 1 <= int(value.rpartition(":")[2]) <= 65535):
        hint = "write a host, an address, or a domain with a leading dot, for example .example.com"
        raise refuse(f"{shown(value)} is not a host to reach directly", hint)
    return value


class ProxyAlertsSettings(Settings):
    """Who is notified when proxies were not replaced as they should be."""

    emails: tuple[Email, ...] = Field(
        (), max_length=50, description="Addresses to notify; each has to confirm AWS's first message."
    )


class SquidSettings(Settings):
    """A forward proxy that we build in dev.network's private subnets; it leaves through their NAT gateways."""

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
        description="Hosts to allow besides the region's CodeCommit and what GitLab itself needs; "
        "an entry with a leading dot is a domain and everything below it.",
    )
    open_to_the_world_because: Reason | None = Field(
        None, description="The reason for allowing hosts in domains in which anybody can get one."
    )
    log_retention_days: LogRetentionDays = Field(90, description="How long CloudWatch keeps the access log.")
    alerts: ProxyAlertsSettings = Field(
        ProxyAlertsSettings(), description="Who is notified when proxies were not replaced as they should be."
    )


class ProxySettings(Settings):
    """The forward proxy through which GitLab's mirrors leave: one that exists already, or one that is built."""

    url: ProxyUrl | None = Field(
        None,
        description="An existing proxy, with its port; the scheme is http for both kinds of traffic.",
    )
    squid: SquidSettings | None = Field(
        None, description="Build a proxy in dev.network instead; {} takes the defaults."
    )
    cidrs: tuple[HostCidr, ...] = Field(
        (), description="Networks of a proxy outside GitLab's VPC (in a peered network)."
    )
    no_proxy: tuple[
        Annotated[
            str,
            AfterValidator(_direct_host),
            WithJsonSchema({"type": "string", "pattern": f"^{_DIRECT_HOST}$"}),
        ],
        ...,
    ] = Field((), description="Further hosts that GitLab reaches without the proxy; a domain starts with a dot.")

    @property
    def port(self) -> int:
        """The proxy's TCP port."""
        return PORT if self.url is None else int(self.url.rpartition(":")[2])


def default_hosts(region: str) -> tuple[str, ...]:
    """The hosts that a proxy in `region` always allows: production's repositories, and what GitLab itself needs."""
    return tuple(host.format(region=region) for host in data.names("proxy_default_hosts"))


def allow_list(region: str, allowed_hosts: Iterable[str]) -> tuple[str, ...]:
    """All hosts that a proxy allows, without entries that another entry covers: Squid warns about those."""
    entries = (*default_hosts(region), *allowed_hosts)
    return tuple(entry for entry in entries if not any(other != entry and covers(other, entry) for other in entries))


def covers(entry: str, other: str) -> bool:
    """Whether `entry` allows every host that `other` allows; both are a host, or a domain with a leading dot."""
    if not entry.startswith("."):
        return entry == other
    return other.removeprefix(".") == entry[1:] or other.endswith(entry)


def admits_anybodys_hosts(entry: str) -> bool:
    """Whether `entry` allows a host in a domain in which anybody can get one."""
    domain = entry.removeprefix(".")
    shared = {*data.names("shared_hosting_domains"), *data.names("private_suffixes")}
    if not shared.isdisjoint((domain, *data.parents(domain))):
        return True
    if not entry.startswith("."):
        return False
    wide = _REGISTRY.fullmatch(domain) and (domain.count(".") == 0 or len(domain.rpartition(".")[2]) == 2)
    return bool(wide) or any(name.endswith(entry) for name in shared)
