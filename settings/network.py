"""The development network, as the deployment file describes it."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from settings.addresses import overlaps
from settings.problems import Path, Problem, raise_all
from settings.types import AllocationId, LogRetentionDays, Part, Settings, SubnetCidr, ZoneLetter

ZONE_LETTERS = "abcdefgh"


class ZoneCidrs(Settings):
    """The two subnets of one availability zone."""

    public_cidr: SubnetCidr = Field(description="Subnet with a route to the internet gateway; NAT gateways stand here.")
    private_cidr: SubnetCidr = Field(description="Subnet that leaves through a NAT gateway.")


class Nat(Settings):
    """How private subnets reach the internet."""

    gateways: Literal["per_zone", "one"] = Field(
        "per_zone", description="One NAT gateway in every zone, or one in the first zone for all."
    )
    eip_allocation_ids: dict[ZoneLetter, AllocationId] | None = Field(
        None,
        description="Elastic IPs that exist already, by zone of their NAT gateway. The addresses that production "
        "allows then outlive this VPC.",
    )


def _form(zones: Any) -> str:
    return "given" if isinstance(zones, Mapping) else "divided"


class Network(Part):
    """A VPC with a public and a private subnet in each zone."""

    cidr: SubnetCidr = Field(description="The VPC's addresses, a network of /16 to /28.")
    zones: Annotated[
        Annotated[tuple[ZoneLetter, ...], Tag("divided")] | Annotated[dict[ZoneLetter, ZoneCidrs], Tag("given")],
        Discriminator(_form),
    ] = Field(description="A list of zone letters, to divide the VPC's CIDR among them, or a map of zones to CIDRs.")
    nat: Nat = Nat()
    flow_log_retention_days: LogRetentionDays = Field(90, description="How long CloudWatch keeps the VPC's flow logs.")

    @model_validator(mode="after")
    def _consistent(self) -> "Network":
        if not self.zones:
            raise_all([Problem(path=("zones",), what="no zone is named", hint="name at least one, for example [a, c]")])
        raise_all([*self._zone_problems(), *self._nat_problems()])
        return self

    def _zone_problems(self) -> list[Problem]:
        if isinstance(self.zones, tuple):
            problems = [
                Problem(path=("zones", index), what=f"{zone!r} is named twice", hint="remove one")
                for index, zone in enumerate(self.zones)
                if zone in self.zones[:index]
            ]
            if self.cidr.prefixlen > 24:
                problems.append(
                    Problem(
                        path=("cidr",),
                        what=f"'{self.cidr}' is too small to divide into 16 subnets of /28 or larger",
                        hint="use /24 or wider, or give each zone its CIDRs",
                    )
                )
            return problems
        return [*self._outside(), *self._overlapping()]

    def _given(self) -> list[tuple[Path, IPv4Network]]:
        assert not isinstance(self.zones, tuple)
        return [
            (("zones", zone, key), getattr(cidrs, key))
            for zone, cidrs in self.zones.items()
            for key in ("public_cidr", "private_cidr")
        ]

    def _outside(self) -> list[Problem]:
        return [
            Problem(
                path=path,
                what=f"'{cidr}' lies outside the VPC's '{self.cidr}'",
                hint="choose a part of dev.network.cidr",
            )
            for path, cidr in self._given()
            if not cidr.subnet_of(self.cidr)
        ]

    def _overlapping(self) -> list[Problem]:
        given = {".".join(map(str, path)): (path, cidr) for path, cidr in self._given()}
        pairs = overlaps([(name, cidr) for name, (_, cidr) in given.items()])
        return [
            Problem(
                path=given[second][0],
                what=f"'{given[second][1]}' overlaps '{given[first][1]}' of {first}",
                hint="give every subnet addresses of its own",
            )
            for first, second in pairs
        ]

    def _nat_problems(self) -> list[Problem]:
        given = self.nat.eip_allocation_ids
        if given is None:
            return []
        path = ("nat", "eip_allocation_ids")
        problems = []
        needed = set(self.nat_zones())
        if set(given) != needed:
            wanted = ", ".join(sorted(needed))
            has = ", ".join(sorted(given)) or "none"
            hint = "give one allocation id for every NAT gateway, by its zone"
            problems.append(
                Problem(path=path, what=f"NAT gateways stand in {wanted}, addresses are given for {has}", hint=hint)
            )
        by_id: dict[str, str] = {}
        for zone, allocation in given.items():
            if allocation in by_id:
                what = f"{allocation!r} is also the address of zone {by_id[allocation]}"
                problems.append(Problem(path=(*path, zone), what=what, hint="an Elastic IP serves one NAT gateway"))
            by_id[allocation] = zone
        return problems

    def nat_zones(self) -> tuple[str, ...]:
        """The zones a NAT gateway stands in."""
        zones = tuple(self.zones)
        return zones if self.nat.gateways == "per_zone" else zones[:1]

    def subnets(self) -> dict[str, ZoneCidrs]:
        """Each zone's two subnets, given or divided."""
        if not isinstance(self.zones, tuple):
            return dict(self.zones)
        return {zone: _divide(self.cidr, zone) for zone in self.zones}


def _divide(vpc: IPv4Network, zone: str) -> ZoneCidrs:
    """The subnets of `zone`: sixteenths of the VPC at places fixed by the letter.

    Public subnets fill the lower half and private ones the upper, so a zone that is added or removed moves no other.
    """
    sixteenths = list(vpc.subnets(prefixlen_diff=4))
    place = ZONE_LETTERS.index(zone)
    return ZoneCidrs(public_cidr=sixteenths[place], private_cidr=sixteenths[place + len(ZONE_LETTERS)])
