"""A file system that keeps one build's copy of a repository between runs."""

from collections.abc import Mapping
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.efs_file_system import EfsFileSystem, EfsFileSystemLifecyclePolicy
from cdktf_cdktf_provider_aws.efs_file_system_policy import EfsFileSystemPolicy
from cdktf_cdktf_provider_aws.efs_mount_target import EfsMountTarget
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.build_network import SUBNET_IDS
from modules.explained import explain
from modules.inputs import mark
from modules.labels import Labels
from modules.policies import file_systems
from modules.policies.statement import document
from modules.security_group import SecurityGroup, SecurityGroupProps, SecurityGroupRule

NFS_PORT = 2049


@dataclass(frozen=True, kw_only=True)
class CacheFileSystemProps:
    """`key` is the mirror's; `subnet_ids` by a name for each, one in each zone."""

    labels: Labels
    key: str
    vpc_id: str
    subnet_ids: Mapping[str, str]


class CacheFileSystem(Construct):
    """An encrypted EFS file system that only the builds of one mirror reach: those with the security group `clients`.

    It has no backups, because it has copies only.
    """

    file_system: EfsFileSystem
    mount_targets: list[EfsMountTarget]
    security_group: SecurityGroup
    clients: SecurityGroup
    policy: EfsFileSystemPolicy

    def __init__(self, scope: Construct, id: str, props: CacheFileSystemProps) -> None:
        super().__init__(scope, id)
        self.file_system = EfsFileSystem(
            self,
            "file_system",
            encrypted=True,
            throughput_mode="elastic",
            lifecycle_policy=[EfsFileSystemLifecyclePolicy(transition_to_ia="AFTER_30_DAYS")],
            tags=props.labels.named("backlog-cache", props.key),
        )
        acknowledge(
            self.file_system, CKV_AWS_184="EFS encrypts with a key of its own; only one mirror's security group gets in"
        )
        explain(self.file_system, "It has no backups, because it has copies only: a build makes missing ones again.")
        self.policy = EfsFileSystemPolicy(
            self,
            "policy",
            file_system_id=self.file_system.id,
            policy=document(self, "mounts", file_systems.mounted_by_builds(self.file_system.arn)),
        )
        self.clients = SecurityGroup(
            self,
            "clients",
            SecurityGroupProps(
                labels=props.labels,
                name=f"backlog-cache-{props.key}-clients",
                description=f"Builds of the mirror {props.key}",
                vpc_id=props.vpc_id,
                inbound={},
                outbound={},
            ),
        )
        explain(self.clients.group, "Whoever has this group reaches the file system: the builds of one mirror alone.")
        self.security_group = SecurityGroup(
            self,
            "security_group",
            SecurityGroupProps(
                labels=props.labels,
                name=f"backlog-cache-{props.key}",
                description=f"File system of the mirror {props.key}",
                vpc_id=props.vpc_id,
                inbound={
                    "builds": SecurityGroupRule(
                        description="NFS from the builds", port=NFS_PORT, group_id=self.clients.group.id
                    )
                },
                outbound={},
            ),
        )
        VpcSecurityGroupEgressRule(
            self,
            "from_builds",
            security_group_id=self.clients.group.id,
            description="NFS to the file system",
            ip_protocol="tcp",
            from_port=NFS_PORT,
            to_port=NFS_PORT,
            referenced_security_group_id=self.security_group.group.id,
        )
        self.mount_targets = [
            EfsMountTarget(
                self,
                f"mount_target_{name}",
                file_system_id=self.file_system.id,
                subnet_id=subnet_id,
                security_groups=[self.security_group.group.id],
            )
            for name, subnet_id in props.subnet_ids.items()
        ]
        for mount_target in self.mount_targets:
            mark(mount_target, {"subnet_id": SUBNET_IDS.item})
