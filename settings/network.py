"""Settings of the development network."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from settings.cidrs import SubnetCidr
from settings.types import AllocationId, LogRetentionDays, Settings, ZoneLetter

ZONE_LETTERS = "abcdefgh"
SMALLEST_DIVIDED_PREFIX = 24
"""A smaller VPC cannot be divided: a sixteenth of it would be smaller than the /28 that AWS takes."""


class ZoneSettings(Settings):
    """The two subnets of one availability zone."""

    public_cidr: SubnetCidr = Field(description="Subnet with a route to the internet gateway, for NAT gateways.")
    private_cidr: SubnetCidr = Field(description="Subnet that leaves through a NAT gateway.")


class NatSettings(Settings):
    """How private subnets reach the internet."""

    gateways: Literal["per_zone", "one"] = Field(
        "per_zone", description="One NAT gateway in every zone, or one in the first zone for all."
    )
    eip_allocation_ids: dict[ZoneLetter, AllocationId] | None = Field(
        None,
        description="Existing Elastic IPs, by the zone of their NAT gateway. The addresses that production allows then "
        "stay when this VPC is replaced.",
    )


def _zones_form(zones: Any) -> str:
    return "given" if isinstance(zones, Mapping) else "divided"


class NetworkSettings(Settings):
    """A VPC with a public and a private subnet in each zone."""

    cidr: SubnetCidr = Field(description="The VPC's addresses, a network of /16 to /28.")
    zones: Annotated[
        Annotated[
            tuple[ZoneLetter, ...],
            Field(min_length=1, title="Zones", description="Letters of zones: the VPC's CIDR is divided for them."),
            Tag("divided"),
        ]
        | Annotated[
            dict[ZoneLetter, ZoneSettings],
            Field(
                min_length=1,
                title="Zones with CIDRs",
                description="Zones by letter, each with the CIDRs of its two subnets.",
            ),
            Tag("given"),
        ],
        Discriminator(_zones_form),
    ] = Field(
        description="Availability zones: a list of letters ([a, c]) to divide the VPC's CIDR among them, or a map of "
        "letters to CIDRs. Adding or removing a zone of a divided CIDR leaves the others unchanged.",
    )
    nat: NatSettings = Field(NatSettings(), description="How private subnets reach the internet.")
    flow_log_retention_days: LogRetentionDays = Field(90, description="How long CloudWatch keeps the VPC's flow logs.")

    def nat_zones(self) -> tuple[str, ...]:
        """The zones that have a NAT gateway."""
        zones = tuple(self.zones)
        return zones if self.nat.gateways == "per_zone" else zones[:1]

    def subnets(self) -> dict[str, ZoneSettings]:
        """Each zone's two subnets, given or divided."""
        if not isinstance(self.zones, tuple):
            return dict(self.zones)
        return {zone: _divide(self.cidr, zone) for zone in self.zones}


def _divide(vpc: IPv4Network, zone: str) -> ZoneSettings:
    """The subnets of `zone`: sixteenths of the VPC, at positions that depend on the letter alone.

    Public subnets are in the lower half, private ones in the upper. Adding or removing a zone moves no other zone.
    """
    sixteenths = list(vpc.subnets(prefixlen_diff=4))
    position = ZONE_LETTERS.index(zone)
    return ZoneSettings(public_cidr=sixteenths[position], private_cidr=sixteenths[position + len(ZONE_LETTERS)])
