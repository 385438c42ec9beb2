"""A network load balancer that answers HTTPS for one server."""

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.instance import Instance
from cdktf_cdktf_provider_aws.lb import Lb
from cdktf_cdktf_provider_aws.lb_listener import LbListener, LbListenerDefaultAction
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup, LbTargetGroupHealthCheck
from cdktf_cdktf_provider_aws.lb_target_group_attachment import LbTargetGroupAttachment
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.inputs import Input, mark
from modules.labels import Labels
from modules.security_group import SecurityGroup, SecurityGroupProps, SecurityGroupRule

HTTPS_PORT = 443
# https://docs.aws.amazon.com/elasticloadbalancing/latest/network/describe-ssl-policies.html
_TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"

_CERTIFICATE = Input(variable="certificate_arn", description="ARN of the certificate of ACM that the listener uses.")


@dataclass(frozen=True, kw_only=True)
class TlsLoadBalancerProps:
    """`client_cidrs` may be a reference; `server_group`, the security group of `server`, gets rules for it."""

    labels: Labels
    vpc_id: str
    subnet_id: str
    client_cidrs: list[str]
    certificate_arn: str
    server: Instance
    server_group: SecurityGroup
    http_port: int
    ssh_port: int


class TlsLoadBalancer(Construct):
    """HTTPS with a certificate of ACM, forwarded as HTTP, and SSH; the server sees the clients' addresses."""

    load_balancer: Lb

    def __init__(self, scope: Construct, id: str, props: TlsLoadBalancerProps) -> None:
        super().__init__(scope, id)
        # The clients' port and the server's, by service.
        ports = {"https": (HTTPS_PORT, props.http_port), "ssh": (props.ssh_port, props.ssh_port)}
        security_group = SecurityGroup(
            self,
            "security_group",
            SecurityGroupProps(
                labels=props.labels,
                name="gitlab-front",
                description="Load balancer of the GitLab server",
                vpc_id=props.vpc_id,
                inbound={
                    f"terminals_{service}": SecurityGroupRule(
                        description=f"{service.upper()} from the work terminals", port=port, cidrs=props.client_cidrs
                    )
                    for service, (port, _) in ports.items()
                },
                outbound={
                    f"server_{service}": SecurityGroupRule(
                        description=f"{service.upper()} to the server",
                        port=port,
                        group_id=props.server_group.group.id,
                    )
                    for service, (_, port) in ports.items()
                },
            ),
        )
        self.load_balancer = Lb(
            self,
            "Default",
            name=props.labels.name("gitlab", limit=32),
            load_balancer_type="network",
            internal=False,
            subnets=[props.subnet_id],
            security_groups=[security_group.group.id],
        )
        acknowledge(
            self.load_balancer,
            CKV_AWS_91="GitLab's own log has every request, with the client's address",
            CKV_AWS_150="it holds nothing, and is made again in a minute; the server itself is protected",
            CKV_AWS_152="there is one server, in one zone",
        )
        for service, (client_port, server_port) in ports.items():
            self._pass_on(props, security_group, service, client_port, server_port)

    def _pass_on(
        self, props: TlsLoadBalancerProps, group: SecurityGroup, service: str, client_port: int, server_port: int
    ) -> None:
        to_server = VpcSecurityGroupIngressRule(
            self,
            f"to_server_{service}",
            security_group_id=props.server_group.group.id,
            description=f"{service.upper()} from the load balancer",
            ip_protocol="tcp",
            from_port=server_port,
            to_port=server_port,
            referenced_security_group_id=group.group.id,
        )
        # checkov takes a rule without addresses for one with all addresses.
        check = "CKV_AWS_24" if service == "ssh" else "CKV_AWS_260"
        acknowledge(to_server, **{check: "it lets the load balancer's security group through, and no address"})
        targets = LbTargetGroup(
            self,
            f"{service}_targets",
            name=props.labels.name("gitlab", service, limit=32),
            vpc_id=props.vpc_id,
            protocol="TCP",
            port=server_port,
            target_type="instance",
            health_check=LbTargetGroupHealthCheck(protocol="TCP"),
        )
        LbTargetGroupAttachment(
            self, f"{service}_target", target_group_arn=targets.arn, target_id=props.server.id, port=server_port
        )
        with_tls = service == "https"
        listener = LbListener(
            self,
            f"{service}_listener",
            load_balancer_arn=self.load_balancer.arn,
            port=client_port,
            protocol="TLS" if with_tls else "TCP",
            certificate_arn=props.certificate_arn if with_tls else None,
            ssl_policy=_TLS_POLICY if with_tls else None,
            default_action=[LbListenerDefaultAction(type="forward", target_group_arn=targets.arn)],
        )
        if with_tls:
            mark(listener, {"certificate_arn": _CERTIFICATE})
