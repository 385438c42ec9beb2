"""A record of every connection in a VPC."""

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.flow_log import FlowLog
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.labels import Labels
from modules.policies import roles
from modules.role import Role, RoleProps


@dataclass(frozen=True, kw_only=True)
class FlowLogsProps:
    """`retention_days` is a number CloudWatch Logs takes, or a reference to one."""

    labels: Labels
    account_id: str
    vpc_id: str
    retention_days: float


class FlowLogs(Construct):
    """Accepted and rejected connections of a VPC, in a CloudWatch log group."""

    log_group: CloudwatchLogGroup

    def __init__(self, scope: Construct, id: str, props: FlowLogsProps) -> None:
        super().__init__(scope, id)
        self.log_group = CloudwatchLogGroup(
            self,
            "log_group",
            name=f"/vpc/{props.labels.name('flow-logs')}",
            retention_in_days=props.retention_days,
        )
        acknowledge(
            self.log_group,
            CKV_AWS_158="CloudWatch encrypts with a key of its own; the log holds addresses and ports, no contents",
            CKV_AWS_338="the variable flow_log_retention_days says how long",
        )
        role = Role(
            self,
            "role",
            RoleProps(
                name=props.labels.name("flow-logs", limit=64),
                description="Lets VPC flow logs write into their log group",
                trust=roles.assumed_by("vpc-flow-logs", account_id=props.account_id),
                permissions=roles.deliver_flow_logs(self.log_group.arn),
            ),
        )
        FlowLog(
            self,
            "Default",
            vpc_id=props.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=self.log_group.arn,
            iam_role_arn=role.role.arn,
            tags=props.labels.named("flow-logs"),
        )
