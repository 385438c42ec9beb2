"""The development account's network."""

from constructs import Construct

from modules.endpoints import Endpoints, EndpointsProps
from modules.flow_logs import FlowLogs, FlowLogsProps
from modules.network import Network, NetworkProps, ZoneSubnets
from settings import Deployment
from settings.network import NetworkSettings
from stacks import other_stacks
from stacks.base import BaseStack, Output
from stacks.operations_variables import NetworkVariables


class DevNetworkStack(BaseStack):
    """The VPC, NAT gateways with fixed addresses, VPC endpoints, flow logs."""

    def __init__(self, scope: Construct, id: str, deployment: Deployment, settings: NetworkSettings) -> None:
        super().__init__(scope, id, deployment, "dev")
        variables = NetworkVariables(self, settings)
        subnets = settings.subnets()
        gitlab = deployment.dev.gitlab if deployment.dev is not None else None
        has_gitlab = gitlab is not None and gitlab.existing_network is None

        network = Network(
            self,
            "network",
            NetworkProps(
                labels=self.labels,
                region=deployment.region,
                cidr=settings.cidr,
                cidr_elsewhere=other_stacks.with_network_cidr(deployment),
                zones={
                    zone: ZoneSubnets(public=cidrs.public_cidr, private=cidrs.private_cidr)
                    for zone, cidrs in subnets.items()
                },
                nat_zones=settings.nat_zones(),
                nat_eip_allocation_ids=settings.nat.eip_allocation_ids,
            ),
        )
        endpoints = Endpoints(
            self,
            "endpoints",
            EndpointsProps(
                labels=self.labels,
                region=deployment.region,
                account_id=self.account.id,
                vpc_id=network.vpc.id,
                subnet_ids=[subnet.id for subnet in network.private_subnets.values()],
                client_cidrs={
                    name: cidr
                    for zone, cidrs in subnets.items()
                    for name, cidr in ((f"public_{zone}", cidrs.public_cidr), (f"private_{zone}", cidrs.private_cidr))
                },
                route_table_ids=[route_table.id for route_table in network.route_tables],
                backup_buckets=[self.labels.backup_bucket(self.account.id)] if has_gitlab else [],
            ),
        )
        FlowLogs(
            self,
            "flow_logs",
            FlowLogsProps(
                labels=self.labels,
                account_id=self.account.id,
                vpc_id=network.vpc.id,
                retention_days=variables.flow_log_retention_days,
            ),
        )

        self.other_stacks(*other_stacks.of_zones(deployment))
        self.outputs(
            {
                "vpc_id": Output(value=network.vpc.id, description="Id of the VPC."),
                "vpc_cidr": Output(value=network.vpc.cidr_block, description="Addresses of the VPC."),
                "public_subnet_ids": Output(
                    value={zone: subnet.id for zone, subnet in network.public_subnets.items()},
                    description="Ids of the public subnets, by zone.",
                ),
                "private_subnet_ids": Output(
                    value={zone: subnet.id for zone, subnet in network.private_subnets.items()},
                    description="Ids of the private subnets, by zone.",
                ),
                "private_subnet_cidrs": Output(
                    value={zone: subnet.cidr_block for zone, subnet in network.private_subnets.items()},
                    description="Addresses of the private subnets, by zone.",
                ),
                "nat_public_ips": Output(
                    value=dict(network.nat_public_ips),
                    description="Public addresses of the NAT gateways, by zone: what production sees of this network.",
                ),
                "s3_prefix_list_id": Output(
                    value=endpoints.s3.prefix_list_id,
                    description="Id of the list of S3's addresses, which the gateway endpoint leads to.",
                ),
            }
        )
