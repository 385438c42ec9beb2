"""The self-hosted GitLab and its way out, as the deployment file describes them."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StrictInt, model_validator

from settings.problems import Problem, raise_all, refuse
from settings.types import (
    AmiId,
    Cron,
    Flag,
    InstanceType,
    Network,
    Part,
    Reason,
    Settings,
    SubnetCidr,
    SubnetId,
    TimeOfDay,
    VpcId,
    ZoneLetter,
    closed_unless_meant,
)

_HOST = r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"


def _url(value: str, *, schemes: tuple[str, ...], port_needed: bool, example: str) -> str:
    hint = f"write it as {example}"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise refuse(f"{value!r} is not a URL", hint) from None
    if parts.username is not None or parts.password is not None:
        # The value itself is not repeated: it holds a password.
        raise refuse("the URL holds a user name or password", f"a deployment file holds no secret; {hint}")
    plain = (
        parts.path in ("", "/") and not parts.query and not parts.fragment and re.fullmatch(_HOST, parts.hostname or "")
    )
    if parts.scheme not in schemes or not plain or (port_needed and port is None) or value != value.strip():
        raise refuse(f"{value!r} is not a URL of this kind", hint)
    return value.rstrip("/")


def _external_url(value: str) -> str:
    return _url(value, schemes=("https", "http"), port_needed=False, example="https://gitlab.example.com")


def _proxy_url(value: str) -> str:
    return _url(value, schemes=("http",), port_needed=True, example="http://proxy.example.com:3128")


class Ami(Settings):
    """Which machine image GitLab starts from: one image, or the newest of a name."""

    id: AmiId | None = Field(None, description="One image, by id.")
    owner: Annotated[str, Field(pattern=r"^[0-9]{12}$")] = Field(
        "782774275127", description="The account that publishes the images; the default is GitLab's own."
    )
    name_pattern: str = Field(
        "GitLab CE *",
        min_length=1,
        description="The newest image whose name matches this is taken on the first deployment.",
    )


class Images(Settings):
    """Daily images of the server, taken without a reboot."""

    at_utc: TimeOfDay = Field("17:00", description="When the daily image is taken, UTC.")
    keep: StrictInt = Field(7, ge=1, le=1000, description="How many daily images are kept.")


class Schedule(Settings):
    """When the server is started and stopped."""

    start: Cron = Field(description="EventBridge cron expression, for example cron(0 8 ? * MON-FRI *).")
    stop: Cron = Field(description="EventBridge cron expression, for example cron(0 22 ? * MON-FRI *).")
    timezone: str = Field("Asia/Tokyo", pattern=r"^[A-Za-z0-9_+/-]{1,50}$", description="IANA name of the time zone.")


class ExistingNetwork(Settings):
    """A VPC and a public subnet that exist already."""

    vpc_id: VpcId
    vpc_cidr: SubnetCidr = Field(description="The VPC's own CIDR: GitLab is reachable from it.")
    subnet_id: SubnetId = Field(description="A public subnet of that VPC.")


class Proxy(Part):
    """The forward proxy through which GitLab's mirrors leave."""

    url: Annotated[str, AfterValidator(_proxy_url)] = Field(
        description="The proxy that exists already, with its port; the scheme is http for both kinds of traffic."
    )
    cidrs: tuple[Network, ...] = Field(
        (), description="Where the proxy stands, when that is outside GitLab's VPC (a peered network)."
    )
    no_proxy: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9.:/_-]{1,253}$")], ...] = Field(
        (), description="Further hosts that GitLab reaches directly; a domain starts with a dot."
    )

    @property
    def port(self) -> int:
        """The proxy's TCP port."""
        port = urlsplit(self.url).port
        assert port is not None
        return port


class Gitlab(Part):
    """One GitLab server."""

    external_url: Annotated[str, AfterValidator(_external_url)] = Field(
        description="The address people use, for example https://gitlab.example.com."
    )
    work_terminal_cidrs: tuple[Network, ...] = Field(
        min_length=1, description="Where people and their Git clients come from (SSH, HTTP, HTTPS)."
    )
    open_to_the_world_because: Reason | None = Field(
        None, description="Why GitLab may be reached from networks wider than /8; without it they are refused."
    )
    zone: ZoneLetter | None = Field(
        None, description="The zone of dev.network whose public subnet holds the server; by default the first."
    )
    existing_network: ExistingNetwork | None = Field(
        None, description="A VPC and subnet to use in place of dev.network."
    )
    instance_type: InstanceType = Field(
        "c7i.2xlarge", description="EC2 instance type. GitLab asks for 8 vCPU and 16 GB for up to 1,000 users."
    )
    ami: Ami = Ami()
    key_pair: str | None = Field(None, min_length=1, max_length=255, description="Name of an EC2 key pair, if any.")
    root_volume_gib: StrictInt = Field(100, ge=20, le=16384, description="Size of the encrypted root volume, GiB.")
    termination_protection: Flag = Field(True, description="Whether EC2 refuses to terminate the server.")
    images: Images = Images()
    schedule: Schedule | None = Field(None, description="Start and stop the server by the clock.")

    @model_validator(mode="after")
    def _consistent(self) -> "Gitlab":
        if self.zone and self.existing_network:
            what = "'zone' chooses a subnet of dev.network, and existing_network names another"
            raise_all([Problem(path=("zone",), what=what, hint="keep one of the two")])
        closed_unless_meant("work_terminal_cidrs", self.work_terminal_cidrs, self.open_to_the_world_because)
        return self

    @property
    def host(self) -> str:
        """The host name in the external URL."""
        host = urlsplit(self.external_url).hostname
        assert host is not None
        return host
