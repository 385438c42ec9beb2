"""A file system that keeps builds' copies of repositories between runs."""

from collections.abc import Mapping
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.efs_file_system import EfsFileSystem, EfsFileSystemLifecyclePolicy
from cdktf_cdktf_provider_aws.efs_mount_target import EfsMountTarget
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.labels import Labels
from modules.security_group import SecurityGroup, SecurityGroupProps, SecurityGroupRule

NFS_PORT = 2049


@dataclass(frozen=True, kw_only=True)
class CacheFileSystemProps:
    """`subnet_ids` by a name for each, one in each zone; `client_group_id` is the security group of the builds, which
    may reach the file system.
    """

    labels: Labels
    vpc_id: str
    subnet_ids: Mapping[str, str]
    client_group_id: str


class CacheFileSystem(Construct):
    """An encrypted EFS file system that only the builds reach; it has no backups, because it has copies only."""

    file_system: EfsFileSystem
    mount_targets: list[EfsMountTarget]
    security_group: SecurityGroup

    def __init__(self, scope: Construct, id: str, props: CacheFileSystemProps) -> None:
        super().__init__(scope, id)
        self.file_system = EfsFileSystem(
            self,
            "file_system",
            encrypted=True,
            throughput_mode="elastic",
            lifecycle_policy=[EfsFileSystemLifecyclePolicy(transition_to_ia="AFTER_30_DAYS")],
            tags=props.labels.named("backlog-cache"),
        )
        acknowledge(
            self.file_system, CKV_AWS_184="EFS encrypts with a key of its own; only the builds' security group gets in"
        )
        self.security_group = SecurityGroup(
            self,
            "security_group",
            SecurityGroupProps(
                labels=props.labels,
                name="backlog-cache",
                description="File system of the mirror builds",
                vpc_id=props.vpc_id,
                inbound={
                    "builds": SecurityGroupRule(
                        description="NFS from the builds", port=NFS_PORT, group_id=props.client_group_id
                    )
                },
                outbound={},
            ),
        )
        VpcSecurityGroupEgressRule(
            self,
            "from_builds",
            security_group_id=props.client_group_id,
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
