"""One CodeBuild project that mirrors the Backlog repositories of a unit."""

from collections.abc import Sequence
from dataclasses import dataclass

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.codebuild_project import (
    CodebuildProject,
    CodebuildProjectArtifacts,
    CodebuildProjectCache,
    CodebuildProjectEnvironment,
    CodebuildProjectEnvironmentEnvironmentVariable,
    CodebuildProjectFileSystemLocations,
    CodebuildProjectLogsConfig,
    CodebuildProjectLogsConfigCloudwatchLogs,
    CodebuildProjectLogsConfigS3Logs,
    CodebuildProjectSource,
    CodebuildProjectVpcConfig,
)
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.build_network import SUBNET_IDS, BuildNetwork
from modules.cache_bucket import CacheBucket
from modules.cache_file_system import CacheFileSystem
from modules.explained import explain
from modules.inputs import Input, mark
from modules.labels import Labels
from modules.policies import builds, roles
from modules.policies.statement import PolicyStatement
from modules.program_bucket import ProgramBucket
from modules.role import Role, RoleProps
from modules.unit_state import UnitState
from terraform.templates import escaped

# https://docs.aws.amazon.com/codebuild/latest/userguide/available-images.html
IMAGE = "aws/codebuild/amazonlinux-aarch64-standard:3.0"
FILE_SYSTEM_IDENTIFIER = "CACHE"

_CONCURRENT = """\
It has no limit of concurrent builds: with one, CodeBuild refuses a start that it would queue without, and the push \
that asked for it is lost (https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html). \
A first build may start at once, so its permissions and what it fetches come before it."""

_MACHINE = {
    "environment.image": Input(variable="build_image", description="Image that builds run in, for ARM."),
    "environment.compute_type": Input(variable="build_compute_type", description="Size of the builds' machines."),
}


@dataclass(frozen=True, kw_only=True)
class MirrorBuildProps:
    """`unit` is the key of a space or of a mirror; `buildspec` is plain text.

    `mirroring_role` is the name of the role that works with the targets. It is the build's own, or with `builds_assume`
    another one, which the build becomes, each time for one target, because its own has no access to repositories.
    `programs` has what the build fetches. `notify_parameter` names a parameter with the URL of a chat.
    `log_retention_days` and `timeout_minutes` may be references.

    The build keeps its copy of the repository in `cache`: a bucket, or a file system of its own, which needs `network`.
    """

    labels: Labels
    region: str
    account_id: str
    unit: str
    description: str
    buildspec: str
    programs: ProgramBucket
    target_arns: Sequence[str]
    target_key_arns: Sequence[str]
    mirroring_role: str
    builds_assume: bool
    ssh_key_parameter: str
    ssh_key_kms_key_arn: str | None
    state_parameter: str
    notify_parameter: str | None
    log_retention_days: float
    timeout_minutes: float
    cache: CacheBucket | CacheFileSystem | None
    network: BuildNetwork | None

    def __post_init__(self) -> None:
        if isinstance(self.cache, CacheFileSystem) and self.network is None:
            raise ValueError("a cache in a file system needs network")
        if self.cache is not None and self.builds_assume:
            raise ValueError("a cache has the copy of one mirror")


def build_log(scope: Construct, project_name: str, retention_days: float) -> CloudwatchLogGroup:
    """Where CodeBuild writes what builds of a project say; `retention_days` may be a reference."""
    log_group = CloudwatchLogGroup(
        scope, "log_group", name=f"/aws/codebuild/{project_name}", retention_in_days=retention_days
    )
    acknowledge(
        log_group,
        CKV_AWS_158="CloudWatch encrypts with a key of its own; no secret is in a build's log",
        CKV_AWS_338="the variable log_retention_days says how long",
    )
    return log_group


class MirrorBuild(Construct):
    """A project without source, its log group, state and role; for several mirrors, also the role of its targets."""

    project: CodebuildProject

    def __init__(self, scope: Construct, id: str, props: MirrorBuildProps) -> None:
        super().__init__(scope, id)
        name = props.labels.name("backlog", props.unit)
        log_group = build_log(self, name, props.log_retention_days)
        UnitState(self, "state", props.state_parameter)
        role, permissions = self._roles(props, log_group.arn)
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
                environment_variable=[
                    CodebuildProjectEnvironmentEnvironmentVariable(name=name, value=version)
                    for name, version in props.programs.versions(props.unit).items()
                ],
            ),
            file_system_locations=_file_systems(props),
            vpc_config=_vpc(props),
            logs_config=CodebuildProjectLogsConfig(
                cloudwatch_logs=CodebuildProjectLogsConfigCloudwatchLogs(group_name=log_group.name),
                s3_logs=CodebuildProjectLogsConfigS3Logs(status="DISABLED"),
            ),
            depends_on=[*permissions, *props.programs.objects(props.unit), *_mounts(props)],
        )
        explain(self.project, _CONCURRENT)
        mark(self.project, _MACHINE if props.network is None else _MACHINE | {"vpc_config.subnets": SUBNET_IDS})
        if isinstance(props.cache, CacheFileSystem):
            acknowledge(self.project, CKV_AWS_316="CodeBuild mounts a file system in privileged builds only")

    def _roles(self, props: MirrorBuildProps, log_group_arn: str) -> tuple[Role, list[ITerraformDependable]]:
        """The build's role, and the permissions that a build needs."""
        targets = builds.mirror_into(
            props.target_arns,
            props.target_key_arns,
            unit=props.labels.name("backlog", props.unit),
            region=props.region,
            account_id=props.account_id,
        )
        own = _permissions(props, log_group_arn)
        if props.builds_assume:
            own.append(roles.assume(f"arn:aws:iam::{props.account_id}:role/{props.mirroring_role}"))
        else:
            own += targets
        role = Role(
            self,
            "role",
            RoleProps(
                name=props.labels.name("backlog-build", props.unit, limit=64)
                if props.builds_assume
                else props.mirroring_role,
                description=escaped(props.description),
                trust=roles.assumed_by("codebuild", account_id=props.account_id),
                permissions=own,
            ),
        )
        if not props.builds_assume:
            return role, [*role.permissions]
        mirror_role = Role(
            self,
            "mirror_role",
            RoleProps(
                name=props.mirroring_role,
                description=f"Targets of the mirrors of {props.unit}, one for each session",
                trust=roles.assumed_by_role(role.role.arn),
                permissions=targets,
            ),
        )
        return role, [*role.permissions, *mirror_role.permissions]


def _permissions(props: MirrorBuildProps, log_group_arn: str) -> list[PolicyStatement]:
    """What a build may do beside mirroring."""
    here = f"{props.region}:{props.account_id}"
    parameters = f"arn:aws:ssm:{here}:parameter"
    key_arn = f"{parameters}{props.ssh_key_parameter}"
    statements = [
        roles.write_logs(log_group_arn),
        builds.read_parameters("ReadSshKey", [key_arn]),
        builds.fetch_program(list(props.programs.objects(props.unit).values())),
        builds.keep_state(f"{parameters}{props.state_parameter}"),
        builds.report_mirrors(props.region, props.account_id),
    ]
    if props.notify_parameter is not None:
        statements.append(builds.read_parameters("ReadChatUrl", [f"{parameters}{props.notify_parameter}"]))
    if props.ssh_key_kms_key_arn is not None:
        statements.append(builds.decrypt_parameter(props.ssh_key_kms_key_arn, key_arn))
    if isinstance(props.cache, CacheBucket):
        statements.append(builds.keep_cache(props.cache.bucket.arn, props.unit))
    if props.network is not None:
        subnet_arns = [f"arn:aws:ec2:{here}:subnet/{subnet_id}" for subnet_id in props.network.subnet_ids]
        statements += builds.build_in_vpc(subnet_arns, props.region, props.account_id)
    return statements


def _cache(props: MirrorBuildProps) -> CodebuildProjectCache | None:
    if not isinstance(props.cache, CacheBucket):
        return None
    return CodebuildProjectCache(type="S3", location=f"{props.cache.bucket.bucket}/{props.unit}")


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
