"""One CodeBuild project that mirrors one Backlog repository."""

from collections.abc import Sequence
from dataclasses import dataclass

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.codebuild_project import (
    CodebuildProject,
    CodebuildProjectArtifacts,
    CodebuildProjectCache,
    CodebuildProjectEnvironment,
    CodebuildProjectFileSystemLocations,
    CodebuildProjectLogsConfig,
    CodebuildProjectLogsConfigCloudwatchLogs,
    CodebuildProjectLogsConfigS3Logs,
    CodebuildProjectSource,
    CodebuildProjectVpcConfig,
)
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.build_network import BuildNetwork
from modules.cache_bucket import CacheBucket
from modules.cache_file_system import CacheFileSystem
from modules.labels import Labels
from modules.policies import builds, git_users, roles
from modules.policies.statement import PolicyStatement
from modules.role import Role, RoleProps
from terraform.templates import escaped

# https://docs.aws.amazon.com/codebuild/latest/userguide/available-images.html
IMAGE = "aws/codebuild/amazonlinux-aarch64-standard:3.0"
FILE_SYSTEM_IDENTIFIER = "CACHE"


@dataclass(frozen=True, kw_only=True)
class MirrorBuildProps:
    """`buildspec` is plain text; `log_retention_days` and `timeout_minutes` may be references.

    The build keeps its copy of the repository in `cache`: a bucket, or a file system of its own, which needs `network`.
    """

    labels: Labels
    region: str
    account_id: str
    key: str
    description: str
    buildspec: str
    target_arn: str
    target_key_arn: str | None
    ssh_key_parameter: str
    ssh_key_kms_key_arn: str | None
    log_retention_days: float
    timeout_minutes: float
    cache: CacheBucket | CacheFileSystem | None
    network: BuildNetwork | None

    def __post_init__(self) -> None:
        if isinstance(self.cache, CacheFileSystem) and self.network is None:
            raise ValueError("a cache in a file system needs network")


class MirrorBuild(Construct):
    """A project without source, its log group and its role.

    It has no limit of concurrent builds: with one, CodeBuild refuses a start where without it would queue it, and the
    push that asked for it would be lost.
    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html
    """

    project: CodebuildProject

    def __init__(self, scope: Construct, id: str, props: MirrorBuildProps) -> None:
        super().__init__(scope, id)
        name = props.labels.name("backlog", props.key)
        log_group = CloudwatchLogGroup(
            self, "log_group", name=f"/aws/codebuild/{name}", retention_in_days=props.log_retention_days
        )
        acknowledge(
            log_group,
            CKV_AWS_158="CloudWatch encrypts with a key of its own; the one secret of a build is masked in its log",
            CKV_AWS_338="the deployment says how long, in log_retention_days",
        )
        role = Role(
            self,
            "role",
            RoleProps(
                name=props.labels.name("backlog-mirror", props.key, limit=64),
                description=escaped(props.description),
                trust=roles.assumed_by("codebuild", account_id=props.account_id),
                permissions=_permissions(props, log_group.arn),
            ),
        )
        self.project = CodebuildProject(
            self,
            "project",
            name=name,
            description=escaped(props.description),
            service_role=role.role.arn,
            build_timeout=props.timeout_minutes,
            source=CodebuildProjectSource(type="NO_SOURCE", buildspec=escaped(props.buildspec)),
            artifacts=CodebuildProjectArtifacts(type="NO_ARTIFACTS"),
            cache=_cache(props),
            environment=CodebuildProjectEnvironment(
                type="ARM_CONTAINER",
                compute_type="BUILD_GENERAL1_SMALL",
                image=IMAGE,
                # Only mounting a file system needs privileges.
                privileged_mode=isinstance(props.cache, CacheFileSystem),
            ),
            file_system_locations=_file_systems(props),
            vpc_config=_vpc(props),
            logs_config=CodebuildProjectLogsConfig(
                cloudwatch_logs=CodebuildProjectLogsConfigCloudwatchLogs(group_name=log_group.name),
                s3_logs=CodebuildProjectLogsConfigS3Logs(status="DISABLED"),
            ),
            depends_on=[*role.permissions, *_mounts(props)],
        )
        if isinstance(props.cache, CacheFileSystem):
            acknowledge(self.project, CKV_AWS_316="CodeBuild mounts a file system in privileged builds only")


def _permissions(props: MirrorBuildProps, log_group_arn: str) -> list[PolicyStatement]:
    here = f"{props.region}:{props.account_id}"
    parameter_arn = f"arn:aws:ssm:{here}:parameter{props.ssh_key_parameter}"
    statements = [
        roles.write_logs(log_group_arn),
        builds.mirror_into(props.target_arn),
        builds.read_parameter(parameter_arn),
    ]
    if props.target_key_arn is not None:
        statements += git_users.repository_keys([props.target_key_arn], props.region)
    if props.ssh_key_kms_key_arn is not None:
        statements.append(builds.decrypt_parameter(props.ssh_key_kms_key_arn, parameter_arn))
    if isinstance(props.cache, CacheBucket):
        statements.append(builds.keep_cache(props.cache.bucket.arn, props.key))
    if props.network is not None:
        subnet_arns = [f"arn:aws:ec2:{here}:subnet/{subnet_id}" for subnet_id in props.network.subnet_ids]
        statements += builds.build_in_vpc(subnet_arns, props.region, props.account_id)
    return statements


def _cache(props: MirrorBuildProps) -> CodebuildProjectCache | None:
    if not isinstance(props.cache, CacheBucket):
        return None
    return CodebuildProjectCache(type="S3", location=f"{props.cache.bucket.bucket}/{props.key}")


def _file_systems(props: MirrorBuildProps) -> list[CodebuildProjectFileSystemLocations] | None:
    if not isinstance(props.cache, CacheFileSystem):
        return None
    return [
        CodebuildProjectFileSystemLocations(
            type="EFS",
            identifier=FILE_SYSTEM_IDENTIFIER,
            location=f"{props.cache.file_system.dns_name}:/",
            mount_point="/mnt/cache",
        )
    ]


def _vpc(props: MirrorBuildProps) -> CodebuildProjectVpcConfig | None:
    if props.network is None:
        return None
    return CodebuildProjectVpcConfig(
        vpc_id=props.network.vpc_id,
        subnets=list(props.network.subnet_ids),
        security_group_ids=[
            props.network.group.id,
            *([props.cache.clients.group.id] if isinstance(props.cache, CacheFileSystem) else []),
        ],
    )


def _mounts(props: MirrorBuildProps) -> Sequence[ITerraformDependable]:
    return [*props.cache.mount_targets, props.cache.policy] if isinstance(props.cache, CacheFileSystem) else []
