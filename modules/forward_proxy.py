"""A forward proxy: Squid on an auto scaling group, behind an internal load balancer."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from cdktf import Op, Token
from cdktf_cdktf_provider_aws.autoscaling_group import (
    AutoscalingGroup,
    AutoscalingGroupInstanceRefresh,
    AutoscalingGroupInstanceRefreshPreferences,
    AutoscalingGroupLaunchTemplate,
    AutoscalingGroupTag,
)
from cdktf_cdktf_provider_aws.autoscaling_lifecycle_hook import AutoscalingLifecycleHook
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.data_aws_ssm_parameter import DataAwsSsmParameter
from cdktf_cdktf_provider_aws.iam_instance_profile import IamInstanceProfile
from cdktf_cdktf_provider_aws.launch_template import (
    LaunchTemplate,
    LaunchTemplateBlockDeviceMappings,
    LaunchTemplateBlockDeviceMappingsEbs,
    LaunchTemplateIamInstanceProfile,
    LaunchTemplateMetadataOptions,
    LaunchTemplateMonitoring,
    LaunchTemplateNetworkInterfaces,
    LaunchTemplateTagSpecifications,
)
from cdktf_cdktf_provider_aws.lb import Lb
from cdktf_cdktf_provider_aws.lb_listener import LbListener, LbListenerDefaultAction
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup, LbTargetGroupHealthCheck
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.explained import explain
from modules.inputs import mark, whole_number
from modules.labels import Labels
from modules.network import ANYWHERE
from modules.policies import roles, servers
from modules.role import Role, RoleProps
from modules.security_group import SecurityGroup, SecurityGroupProps, SecurityGroupRule

# https://docs.aws.amazon.com/linux/al2023/ug/ec2.html#launch-via-aws-cli
_NEWEST_IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}"

LAUNCH_HOOK = "works"
"""The hook that a new instance completes when its proxy works."""

_HOOK = """\
A new instance completes this hook when its proxy works. One that has not after ten minutes is terminated. \
It is not the group's initial hook, because adding one would replace the group."""

_REPLACEMENT = """\
An old proxy is stopped when a new one is in use, so the group may have twice as many. \
A failed replacement has no rollback: the provider gives the group its new template first, so a rollback would lead to \
that one again, without an end (https://github.com/hashicorp/terraform-provider-aws/issues/34189). \
The first apply waits until all are healthy."""

_VOLUME_GIB = whole_number("volume_gib", "Size of a proxy's volume, GiB.", low=8, high=16_384)


@dataclass(frozen=True, kw_only=True)
class ForwardProxyProps:
    """Values of type str, float and list may be references.

    `architecture` is that of `instance_type`: x86_64 or arm64. `tags` are set on the instances and their volumes, which
    do not get the provider's default tags. `user_data` must make Squid listen on `port`, send its access log to
    `log_group_name`, and complete LAUNCH_HOOK of the group `group_name`.
    """

    labels: Labels
    region: str
    account_id: str
    group_name: str
    tags: Mapping[str, str]
    vpc_id: str
    vpc_cidr: str
    subnet_ids: list[str]
    port: int
    instances: float
    instance_type: str
    architecture: str
    user_data: str
    log_group_name: str
    log_retention_days: float


class ForwardProxy(Construct):
    """Squid on an auto scaling group, a load balancer that the VPC reaches it through, and its access log."""

    load_balancer: Lb
    group: AutoscalingGroup
    security_group: SecurityGroup
    access_log: CloudwatchLogGroup

    def __init__(self, scope: Construct, id: str, props: ForwardProxyProps) -> None:
        super().__init__(scope, id)
        labels = props.labels
        self.access_log = CloudwatchLogGroup(
            self, "access_log", name=props.log_group_name, retention_in_days=props.log_retention_days
        )
        acknowledge(
            self.access_log,
            CKV_AWS_158="CloudWatch encrypts with a key of its own; the log holds hosts and addresses, no contents",
            CKV_AWS_338="the variable log_retention_days says how long",
        )
        self.security_group = SecurityGroup(
            self,
            "security_group",
            SecurityGroupProps(
                labels=labels,
                name="proxy",
                description="Forward proxy",
                vpc_id=props.vpc_id,
                inbound={
                    "vpc": SecurityGroupRule(
                        description="The VPC, health checks too", port=props.port, cidr=props.vpc_cidr
                    )
                },
                outbound={
                    "internet": SecurityGroupRule(
                        description="HTTPS to the internet",
                        port=443,
                        cidr=ANYWHERE,
                        why="Squid opens tunnels to this port only. Packages, logs and Systems Manager use HTTPS too.",
                    )
                },
            ),
        )
        template = _launch_template(self, props, self.access_log, self.security_group)

        front = ProxyFront(self, props)
        self.load_balancer = front.load_balancer
        self.group = AutoscalingGroup(
            self,
            "group",
            name=props.group_name,
            vpc_zone_identifier=props.subnet_ids,
            min_size=props.instances,
            desired_capacity=props.instances,
            max_size=Token.as_number(Op.mul(2, props.instances)),
            launch_template=AutoscalingGroupLaunchTemplate(
                id=template.id, version=Token.as_string(template.latest_version)
            ),
            target_group_arns=[front.target_group.arn],
            health_check_type="ELB",
            health_check_grace_period=300,
            min_elb_capacity=props.instances,
            instance_refresh=AutoscalingGroupInstanceRefresh(
                strategy="Rolling",
                preferences=AutoscalingGroupInstanceRefreshPreferences(
                    min_healthy_percentage=100, max_healthy_percentage=200
                ),
            ),
            tag=[
                AutoscalingGroupTag(key=key, value=value, propagate_at_launch=True)
                for key, value in {**props.tags, **labels.named("proxy")}.items()
            ],
        )
        explain(self.group, _REPLACEMENT)
        hook = AutoscalingLifecycleHook(
            self,
            "launch_hook",
            name=LAUNCH_HOOK,
            autoscaling_group_name=self.group.name,
            lifecycle_transition="autoscaling:EC2_INSTANCE_LAUNCHING",
            heartbeat_timeout=600,
            default_result="ABANDON",
        )
        explain(hook, _HOOK)


class ProxyFront:
    """The load balancer, and the targets behind it; both are built in the proxy's own scope."""

    load_balancer: Lb
    target_group: LbTargetGroup

    def __init__(self, scope: Construct, props: ForwardProxyProps) -> None:
        self.load_balancer = Lb(
            scope,
            "load_balancer",
            name=props.labels.name("proxy", limit=32),
            load_balancer_type="network",
            internal=True,
            subnets=props.subnet_ids,
            enable_cross_zone_load_balancing=True,
        )
        explain(
            self.load_balancer, "A zone whose proxy is being replaced uses another zone's: balancing crosses zones."
        )
        acknowledge(
            self.load_balancer,
            CKV_AWS_91="a network load balancer logs connections of TLS listeners only; Squid logs every request",
            CKV_AWS_150="it holds nothing, and is made again in minutes",
        )
        self.target_group = LbTargetGroup(
            scope,
            "target_group",
            name=props.labels.name("proxy", limit=32),
            vpc_id=props.vpc_id,
            port=props.port,
            protocol="TCP",
            preserve_client_ip="true",
            health_check=LbTargetGroupHealthCheck(
                protocol="TCP", interval=10, healthy_threshold=3, unhealthy_threshold=3
            ),
        )
        explain(self.target_group, "Squid's access rules need the clients' own addresses.")
        LbListener(
            scope,
            "listener",
            load_balancer_arn=self.load_balancer.arn,
            port=props.port,
            protocol="TCP",
            default_action=[LbListenerDefaultAction(type="forward", target_group_arn=self.target_group.arn)],
        )


def _launch_template(
    scope: Construct, props: ForwardProxyProps, access_log: CloudwatchLogGroup, security_group: SecurityGroup
) -> LaunchTemplate:
    labels = props.labels
    role = Role(
        scope,
        "role",
        RoleProps(
            name=labels.name("proxy", limit=64),
            description="Lets forward proxies write their access log, and be managed through Systems Manager",
            trust=roles.assumed_by("ec2"),
            permissions=[
                roles.write_logs(access_log.arn),
                servers.be_managed(),
                servers.complete_launch(props.group_name, props.region, props.account_id),
            ],
        ),
    )
    profile = IamInstanceProfile(scope, "profile", name=labels.name("proxy"), role=role.role.name)
    image = DataAwsSsmParameter(scope, "newest_image", name=_NEWEST_IMAGE.format(architecture=props.architecture))
    template = LaunchTemplate(
        scope,
        "launch_template",
        name=labels.name("proxy"),
        image_id=image.insecure_value,
        instance_type=props.instance_type,
        update_default_version=True,
        user_data=base64.b64encode(props.user_data.encode()).decode(),
        iam_instance_profile=LaunchTemplateIamInstanceProfile(arn=profile.arn),
        monitoring=LaunchTemplateMonitoring(enabled=True),
        metadata_options=LaunchTemplateMetadataOptions(
            http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
        ),
        network_interfaces=[
            LaunchTemplateNetworkInterfaces(
                associate_public_ip_address="false", security_groups=[security_group.group.id]
            )
        ],
        block_device_mappings=[
            LaunchTemplateBlockDeviceMappings(
                device_name="/dev/xvda",
                ebs=LaunchTemplateBlockDeviceMappingsEbs(
                    encrypted="true", volume_type="gp3", volume_size=10, delete_on_termination="true"
                ),
            )
        ],
        tag_specifications=[
            LaunchTemplateTagSpecifications(resource_type="volume", tags={**props.tags, **labels.named("proxy")})
        ],
    )
    mark(template, {"block_device_mappings.0.ebs.volume_size": _VOLUME_GIB})
    return template
