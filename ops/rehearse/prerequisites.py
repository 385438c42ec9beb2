"""What must exist in the accounts before a deployment: moto gets it first, under the same ids."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from pydantic import BaseModel, ConfigDict


class ExistingResource(BaseModel):
    """Something that the deployment names and does not create. It travels to the emulator's process as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ExistingVpc(ExistingResource):
    account: str
    vpc_id: str
    cidr: IPv4Network

    def __str__(self) -> str:
        return f"VPC {self.vpc_id} {self.cidr} in {self.account}"


class ExistingSubnet(ExistingResource):
    account: str
    subnet_id: str
    vpc_id: str
    cidr: IPv4Network
    availability_zone: str

    def __str__(self) -> str:
        return f"subnet {self.subnet_id} {self.cidr} in {self.account}"


class ExistingAddress(ExistingResource):
    account: str
    allocation_id: str
    public_ip: IPv4Address

    def __str__(self) -> str:
        return f"Elastic IP {self.allocation_id} {self.public_ip} in {self.account}"


class ExistingImage(ExistingResource):
    """A machine image that the account can see; `owner` is the account that publishes it."""

    account: str
    ami_id: str
    name: str
    owner: str
    architecture: str = "x86_64"

    def __str__(self) -> str:
        return f"image {self.ami_id} {self.name!r} of {self.owner}"


class ExistingKey(ExistingResource):
    """A KMS key, by ARN; the account and the region are read from it."""

    arn: str

    def __str__(self) -> str:
        return f"key {self.arn}"


class ExistingCertificate(ExistingResource):
    """A certificate of ACM, by ARN; the account and the region are read from it."""

    arn: str
    domain: str

    def __str__(self) -> str:
        return f"certificate {self.arn} for {self.domain}"


class ExistingZone(ExistingResource):
    """A public hosted zone of Route 53."""

    account: str
    zone_id: str
    name: str

    def __str__(self) -> str:
        return f"zone {self.zone_id} {self.name} in {self.account}"


class Prerequisites(ExistingResource):
    """The region, and everything in it that must exist. Buckets for state are not here: the Terraform names them."""

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
        kinds = (
            self.vpcs,
            self.subnets,
            self.addresses,
            self.images,
            self.keys,
            self.zones,
            self.certificates,
        )
        for resources in kinds:
            yield from map(str, resources)
