"""A security group and its rules, each rule a resource with a description."""

from collections.abc import Mapping
from dataclasses import dataclass

from cdktf import TerraformIterator, Token
from cdktf_cdktf_provider_aws.security_group import SecurityGroup as AwsSecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from modules.explained import explain
from modules.labels import Labels


@dataclass(frozen=True, kw_only=True)
class SecurityGroupRule:
    """Allowed traffic: TCP to one port, or all traffic if `port` is None. `why` explains what `description` does not.

    The peer is exactly one of `cidr`, `cidrs` (a list, or a reference to one; a rule for each), `group_id` and
    `prefix_list_id`.
    """

    description: str
    port: int | None
    cidr: str | None = None
    cidrs: list[str] | None = None
    group_id: str | None = None
    prefix_list_id: str | None = None
    why: str | None = None

    def __post_init__(self) -> None:
        peers = (self.cidr, self.cidrs, self.group_id, self.prefix_list_id)
        if sum(peer is not None for peer in peers) != 1:
            raise ValueError(f"rule {self.description!r} needs exactly one of cidr, cidrs, group_id, prefix_list_id")


@dataclass(frozen=True, kw_only=True)
class SecurityGroupProps:
    """`inbound` and `outbound` are rules by a name for each, which is part of the rule's address."""

    labels: Labels
    name: str
    description: str
    vpc_id: str
    inbound: Mapping[str, SecurityGroupRule]
    outbound: Mapping[str, SecurityGroupRule]


class SecurityGroup(Construct):
    """A security group that allows only what its rules allow."""

    group: AwsSecurityGroup

    def __init__(self, scope: Construct, id: str, props: SecurityGroupProps) -> None:
        super().__init__(scope, id)
        name = props.labels.name(props.name, limit=255)
        self.group = AwsSecurityGroup(
            self,
            "Default",
            name=name,
            description=props.description,
            vpc_id=props.vpc_id,
            tags={"Name": name},
        )
        for role, rule in props.inbound.items():
            self._add(VpcSecurityGroupIngressRule, f"from_{role}", rule)
        for role, rule in props.outbound.items():
            self._add(VpcSecurityGroupEgressRule, f"to_{role}", rule)

    def _add(
        self,
        kind: type[VpcSecurityGroupIngressRule] | type[VpcSecurityGroupEgressRule],
        id: str,
        rule: SecurityGroupRule,
    ) -> None:
        each = TerraformIterator.from_list(rule.cidrs) if rule.cidrs is not None else None
        made = kind(
            self,
            id,
            for_each=each,
            security_group_id=self.group.id,
            description=rule.description,
            ip_protocol="-1" if rule.port is None else "tcp",
            from_port=rule.port,
            to_port=rule.port,
            cidr_ipv4=Token.as_string(each.value) if each is not None else rule.cidr,
            referenced_security_group_id=rule.group_id,
            prefix_list_id=rule.prefix_list_id,
        )
        if rule.why is not None:
            explain(made, rule.why)
