"""The development network: a VPC whose private subnets leave through NAT gateways with fixed addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from cdktf import Postcondition, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.data_aws_eip import DataAwsEip
from cdktf_cdktf_provider_aws.default_security_group import DefaultSecurityGroup
from cdktf_cdktf_provider_aws.eip import Eip
from cdktf_cdktf_provider_aws.internet_gateway import InternetGateway
from cdktf_cdktf_provider_aws.nat_gateway import NatGateway
from cdktf_cdktf_provider_aws.route import Route
from cdktf_cdktf_provider_aws.route_table import RouteTable
from cdktf_cdktf_provider_aws.route_table_association import RouteTableAssociation
from cdktf_cdktf_provider_aws.subnet import Subnet
from cdktf_cdktf_provider_aws.vpc import Vpc
from constructs import Construct

from modules.explained import explain
from modules.inputs import Input, mark, network
from modules.labels import Labels

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True)
class ZoneSubnets:
    """The addresses of one availability zone's two subnets."""

    public: IPv4Network
    private: IPv4Network


@dataclass(frozen=True, kw_only=True)
class NetworkProps:
    """`zones` and `nat_zones` are letters (`a` of ap-northeast-1a); a private subnet without a NAT gateway in its own
    zone leaves through the first one. `cidr_elsewhere` says where else people change `cidr` in HCL.
    """

    labels: Labels
    region: str
    cidr: IPv4Network
    cidr_elsewhere: str | None = None
    zones: Mapping[str, ZoneSubnets]
    nat_zones: tuple[str, ...]
    nat_eip_allocation_ids: Mapping[str, str] | None = None


class Network(Construct):
    """A VPC with a public and a private subnet in each zone, and NAT gateways with fixed public addresses."""

    vpc: Vpc
    public_subnets: dict[str, Subnet]
    private_subnets: dict[str, Subnet]
    nat_public_ips: dict[str, str]
    route_tables: list[RouteTable]

    def __init__(self, scope: Construct, id: str, props: NetworkProps) -> None:
        super().__init__(scope, id)
        labels = props.labels

        self.vpc = Vpc(
            self,
            "vpc",
            cidr_block=str(props.cidr),
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=labels.named(),
        )
        mark(self.vpc, {"cidr_block": _cidr_input(props)})
        explain(self.vpc, "Private DNS names of endpoints need both DNS settings.")
        default = DefaultSecurityGroup(
            self, "default_security_group", vpc_id=self.vpc.id, tags=labels.named("default", "unused")
        )
        explain(
            default, "AWS's default group lets its members reach each other. Managed without rules, it allows nothing."
        )
        internet_gateway = InternetGateway(self, "internet_gateway", vpc_id=self.vpc.id, tags=labels.named())

        public_route_table = RouteTable(self, "public_route_table", vpc_id=self.vpc.id, tags=labels.named("public"))
        to_internet = Route(
            self,
            "public_to_internet",
            route_table_id=public_route_table.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=internet_gateway.id,
        )
        self.route_tables = [public_route_table]
        self.public_subnets = {}
        self.private_subnets = {}
        for zone, cidrs in props.zones.items():
            self.public_subnets[zone] = self._subnet(props, "public", zone, cidrs.public)
            self.private_subnets[zone] = self._subnet(props, "private", zone, cidrs.private)
            RouteTableAssociation(
                self,
                f"public_{zone}_routes",
                subnet_id=self.public_subnets[zone].id,
                route_table_id=public_route_table.id,
            )

        nat_gateways: dict[str, NatGateway] = {}
        self.nat_public_ips = {}
        for zone in props.nat_zones:
            allocation_id, self.nat_public_ips[zone] = self._nat_address(props, zone)
            nat_gateways[zone] = NatGateway(
                self,
                f"nat_{zone}",
                allocation_id=allocation_id,
                subnet_id=self.public_subnets[zone].id,
                tags=labels.named("nat", zone),
                depends_on=[to_internet],
            )
            explain(nat_gateways[zone], "A NAT gateway that is created before the internet route is marked as failed.")
        for zone, subnet in self.private_subnets.items():
            route_table = RouteTable(
                self, f"private_{zone}_route_table", vpc_id=self.vpc.id, tags=labels.named("private", zone)
            )
            to_nat = Route(
                self,
                f"private_{zone}_to_nat",
                route_table_id=route_table.id,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=nat_gateways.get(zone, nat_gateways[props.nat_zones[0]]).id,
            )
            if nat_gateways.keys() != self.private_subnets.keys():
                explain(to_nat, "A zone without a NAT gateway of its own leaves through that of the first zone.")
            RouteTableAssociation(self, f"private_{zone}_routes", subnet_id=subnet.id, route_table_id=route_table.id)
            self.route_tables.append(route_table)

    def _subnet(self, props: NetworkProps, kind: str, zone: str, cidr: IPv4Network) -> Subnet:
        subnet = Subnet(
            self,
            f"{kind}_{zone}",
            vpc_id=self.vpc.id,
            availability_zone=f"{props.region}{zone}",
            cidr_block=str(cidr),
            tags=props.labels.named(kind, zone),
            lifecycle=TerraformResourceLifecycle(
                postcondition=[_within_vpc(f"aws_vpc.{self.vpc.friendly_unique_id}.cidr_block")]
            ),
        )
        explain(subnet, "A change of its addresses replaces the subnet.")
        return subnet

    def _nat_address(self, props: NetworkProps, zone: str) -> tuple[str, str]:
        """The allocation id and the public address of a zone's NAT gateway: an existing Elastic IP, or a new one."""
        if props.nat_eip_allocation_ids is not None:
            existing = DataAwsEip(self, f"nat_{zone}_address", id=props.nat_eip_allocation_ids[zone])
            return existing.id, existing.public_ip
        address = Eip(self, f"nat_{zone}_address", domain="vpc", tags=props.labels.named("nat", zone))
        explain(address, "Allow-lists elsewhere name this address, and a released one does not come back.")
        return address.allocation_id, address.public_ip


def _within_vpc(cidr: str) -> Postcondition:
    """`cidr` is the reference to the VPC's addresses: in HCL, people may change them without those of a subnet."""
    return Postcondition(
        condition=f"${{{is_within('self.cidr_block', cidr)}}}",
        error_message=f"Subnet ${{self.cidr_block}} is not within the VPC's addresses, ${{{cidr}}}: change both.",
    )


def is_within(subnet: str, network: str) -> str:
    """A Terraform expression of whether a network is within another one: as long a prefix, which begins like it."""
    prefix = f'split("/", {network})[1]'
    begins = f'cidrhost("${{cidrhost({subnet}, 0)}}/${{{prefix}}}", 0) == cidrhost({network}, 0)'
    return f'split("/", {subnet})[1] >= {prefix} && {begins}'


def _cidr_input(props: NetworkProps) -> Input:
    """The variable of the VPC's addresses.

    The handover lists zones in one local value: several always, and one unless it knows no deployment file.
    """
    subnets = "the subnets in local.zones" if len(props.zones) > 1 else "the subnets' addresses"
    elsewhere = f", and {props.cidr_elsewhere}" if props.cidr_elsewhere is not None else ""
    return network(
        "network_cidr",
        "Addresses of the VPC; a change replaces the VPC and all that is in it. "
        f"In HCL, change {subnets}, too{elsewhere}.",
    )
