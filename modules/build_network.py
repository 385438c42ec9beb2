"""Where builds run when they run in a VPC."""

from dataclasses import dataclass

from constructs import Construct

from modules.inputs import aws_id, aws_ids, mark
from modules.labels import Labels
from modules.network import ANYWHERE
from modules.security_group import SecurityGroup, SecurityGroupProps, SecurityGroupRule

_VPC_ID = aws_id("vpc_id", "Id of the VPC that the builds run in; a change replaces their security groups.", kind="vpc")
SUBNET_IDS = aws_ids(
    "subnet_ids", "Ids of the subnets that the builds run in, at most one in each zone.", kind="subnet"
)


@dataclass(frozen=True, kw_only=True)
class BuildNetworkProps:
    """A VPC that exists already, and its subnets for the builds."""

    labels: Labels
    vpc_id: str
    subnet_ids: tuple[str, ...]


class BuildNetwork(SecurityGroup):
    """The builds' security group, which lets nothing in and lets SSH and HTTPS out."""

    vpc_id: str
    subnet_ids: tuple[str, ...]

    def __init__(self, scope: Construct, id: str, props: BuildNetworkProps) -> None:
        super().__init__(
            scope,
            id,
            SecurityGroupProps(
                labels=props.labels,
                name="backlog-builds",
                description="Mirror builds",
                vpc_id=props.vpc_id,
                inbound={},
                outbound={
                    "ssh": SecurityGroupRule(description="SSH to Backlog", port=22, cidr=ANYWHERE),
                    "https": SecurityGroupRule(
                        description="HTTPS to AWS and to the package index", port=443, cidr=ANYWHERE
                    ),
                },
            ),
        )
        mark(self.group, {"vpc_id": _VPC_ID})
        self.vpc_id, self.subnet_ids = props.vpc_id, props.subnet_ids
