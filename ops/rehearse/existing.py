"""What a deployment says exists already: moto is given it first, under the same ids."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class ExistingVpc:
    account: str
    vpc_id: str
    cidr: IPv4Network


@dataclass(frozen=True, kw_only=True)
class ExistingSubnet:
    account: str
    subnet_id: str
    vpc_id: str
    cidr: IPv4Network
    availability_zone: str


@dataclass(frozen=True, kw_only=True)
class ExistingAddress:
    account: str
    allocation_id: str
    public_ip: IPv4Address


@dataclass(frozen=True, kw_only=True)
class ExistingImage:
    """A machine image that the account can see; `owner` is the account that publishes it."""

    account: str
    ami_id: str
    name: str
    owner: str
    architecture: str = "x86_64"


@dataclass(frozen=True, kw_only=True)
class ExistingKey:
    """A KMS key, by ARN; the account and the region are read from it."""

    arn: str


@dataclass(frozen=True, kw_only=True)
class ExistingCertificate:
    """A certificate of ACM, by ARN; the account and the region are read from it."""

    arn: str
    domain: str


@dataclass(frozen=True, kw_only=True)
class ExistingZone:
    """A public hosted zone of Route 53."""

    account: str
    zone_id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Existing:
    """The region, and everything in it that the deployment names but does not create.

    S3 buckets for state are not here: they are read from the generated files.
    """

    region: str
    vpcs: tuple[ExistingVpc, ...] = ()
    subnets: tuple[ExistingSubnet, ...] = ()
    addresses: tuple[ExistingAddress, ...] = ()
    images: tuple[ExistingImage, ...] = ()
    keys: tuple[ExistingKey, ...] = ()
    zones: tuple[ExistingZone, ...] = ()
    certificates: tuple[ExistingCertificate, ...] = ()

    def described(self) -> Iterator[str]:
        """A line for each thing, for people."""
        for vpc in self.vpcs:
            yield f"VPC {vpc.vpc_id} {vpc.cidr} in {vpc.account}"
        for subnet in self.subnets:
            yield f"subnet {subnet.subnet_id} {subnet.cidr} in {subnet.account}"
        for address in self.addresses:
            yield f"Elastic IP {address.allocation_id} {address.public_ip} in {address.account}"
        for image in self.images:
            yield f"image {image.ami_id} {image.name!r} of {image.owner}"
        for key in self.keys:
            yield f"key {key.arn}"
        for zone in self.zones:
            yield f"zone {zone.zone_id} {zone.name} in {zone.account}"
        for certificate in self.certificates:
            yield f"certificate {certificate.arn} for {certificate.domain}"

    def to_json(self) -> dict[str, Any]:
        return {
            name: [{key: str(field) for key, field in item.items()} for item in value] if name != "region" else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Undo `to_json`; this crosses from the rehearsal to the emulator's process."""
        return cls(
            region=data["region"],
            vpcs=tuple(ExistingVpc(**{**item, "cidr": IPv4Network(item["cidr"])}) for item in data["vpcs"]),
            subnets=tuple(ExistingSubnet(**{**item, "cidr": IPv4Network(item["cidr"])}) for item in data["subnets"]),
            addresses=tuple(
                ExistingAddress(**{**item, "public_ip": IPv4Address(item["public_ip"])}) for item in data["addresses"]
            ),
            images=tuple(ExistingImage(**item) for item in data["images"]),
            keys=tuple(ExistingKey(**item) for item in data["keys"]),
            zones=tuple(ExistingZone(**item) for item in data["zones"]),
            certificates=tuple(ExistingCertificate(**item) for item in data["certificates"]),
        )
