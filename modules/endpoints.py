"""VPC endpoints of the AWS services that manage servers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from cdktf_cdktf_provider_aws.vpc_endpoint import VpcEndpoint
from constructs import Construct

from modules.explained import explain
from modules.labels import Labels
from modules.policies import endpoints
from modules.policies.statement import document
from modules.security_group import SecurityGroup, SecurityGroupProps, SecurityGroupRule

# What Session Manager needs without internet access:
# https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html
INTERFACE_SERVICES = ("ssm", "ec2messages", "ssmmessages")

_POLICY = "Without a policy, anybody may send any request through an endpoint, to every account."


@dataclass(frozen=True, kw_only=True)
class EndpointsProps:
    """`client_cidrs` are the subnets that may use the interface endpoints, by a name for each.

    `backup_buckets` are the names of the account's own buckets that servers write to.
    """

    labels: Labels
    region: str
    account_id: str
    vpc_id: str
    subnet_ids: Sequence[str]
    client_cidrs: Mapping[str, IPv4Network]
    route_table_ids: Sequence[str]
    backup_buckets: Sequence[str]


class Endpoints(Construct):
    """Interface endpoints for Systems Manager, and the gateway endpoint for a few buckets of S3."""

    s3: VpcEndpoint

    def __init__(self, scope: Construct, id: str, props: EndpointsProps) -> None:
        super().__init__(scope, id)
        security_group = SecurityGroup(
            self,
            "security_group",
            SecurityGroupProps(
                labels=props.labels,
                name="endpoints",
                description="Interface endpoints for Systems Manager",
                vpc_id=props.vpc_id,
                inbound={
                    name: SecurityGroupRule(
                        description=f"HTTPS from subnet {name}",
                        port=443,
                        cidr=str(cidr),
                    )
                    for name, cidr in props.client_cidrs.items()
                },
                outbound={},
            ),
        )
        systems_manager = document(
            self, "systems_manager_policy", endpoints.systems_manager(props.region, props.account_id)
        )
        for service in INTERFACE_SERVICES:
            endpoint = VpcEndpoint(
                self,
                service,
                vpc_id=props.vpc_id,
                service_name=f"com.amazonaws.{props.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=list(props.subnet_ids),
                security_group_ids=[security_group.group.id],
                policy=systems_manager,
                tags=props.labels.named(service),
            )
            explain(endpoint, _POLICY)
        self.s3 = VpcEndpoint(
            self,
            "s3",
            vpc_id=props.vpc_id,
            service_name=f"com.amazonaws.{props.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=list(props.route_table_ids),
            policy=document(self, "s3_policy", endpoints.s3(props.region, props.account_id, props.backup_buckets)),
            tags=props.labels.named("s3"),
        )
        explain(self.s3, _POLICY)
