"""The bridge from Backlog into the production account's CodeCommit."""

from cdktf_cdktf_provider_aws.codebuild_project import CodebuildProject
from constructs import Construct

from buildspec import render
from modules.build_alerts import AlertedUnit, BuildAlerts, BuildAlertsProps
from modules.build_network import BuildNetwork, BuildNetworkProps
from modules.cache_bucket import CacheBucket, CacheBucketProps
from modules.cache_file_system import CacheFileSystem, CacheFileSystemProps
from modules.mirror_build import MirrorBuild, MirrorBuildProps, build_log
from modules.program_bucket import ProgramBucket, ProgramBucketProps
from modules.reconciliation import Reconciliation, ReconciliationProps
from modules.repositories import Repositories, RepositoriesProps
from modules.webhook_api import WebhookApi, WebhookApiProps
from settings import Deployment
from settings.backlog import BacklogSettings, CreatedTargetSettings, mirrors, target_name
from stacks import backlog_moves, first_steps, other_stacks
from stacks.backlog_units import (
    PROGRAM_KEY,
    BridgeUnit,
    bridge_units,
    cache_bucket,
    collections,
    config_checks,
    hooks,
    mirroring_units,
    program_bucket,
    target_keys,
    unit_buildspec,
    unit_config,
    unit_fact,
)
from stacks.base import CONFIRM_MAILS, BaseStack, Output
from stacks.operations_variables import BacklogVariables
from stacks.prd_codecommit import repository_props


class BacklogBridgeStack(BaseStack):
    """A webhook, a build for each space or each repository, and their caches."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        deployment: Deployment,
        settings: BacklogSettings,
        *,
        codecommit: BaseStack | None,
    ) -> None:
        super().__init__(scope, id, deployment, "prd")
        if codecommit is not None:
            self.add_dependency(codecommit)
        variables = BacklogVariables(self, settings)
        units = bridge_units(deployment, settings)
        filled_by = mirroring_units(deployment)
        created = {
            mirror.target.create: repository_props(mirror.target, filled_by[mirror.target.create])
            for mirror in mirrors(settings).values()
            if isinstance(mirror.target, CreatedTargetSettings)
        }

        Repositories(
            self,
            "repositories",
            RepositoriesProps(repositories=created, deletion_protected=settings.deletion_protected),
        )
        projects = self._projects(settings, variables, units)
        webhook = WebhookApi(
            self,
            "webhook",
            WebhookApiProps(
                labels=self.labels,
                region=deployment.region,
                sender_cidrs=variables.webhook_sender_cidrs,
                projects=projects,
                hooks=hooks(deployment, settings),
            ),
        )
        Reconciliation(
            self,
            "reconciliation",
            ReconciliationProps(
                labels=self.labels,
                account_id=self.account.id,
                schedule=variables.reconcile_schedule,
                projects=projects,
            ),
        )
        alerts = self._alerts(settings, variables, units)
        self._record(settings, units, projects, variables)

        self.after_apply(*first_steps.bridge(deployment.region, settings), CONFIRM_MAILS)
        self.other_stacks(*other_stacks.of_mirrors(deployment))
        self.outputs(
            {
                "webhook_urls": Output(
                    value=webhook.urls,
                    description="The URL to register as webhook in Backlog, by repository, or for all of a project.",
                ),
                "alerts_topic_arn": Output(
                    value=alerts.topic.arn,
                    description="ARN of the topic that receives alerts about failed, differing and silent mirrors.",
                ),
                "build_projects": Output(
                    value={key: projects[unit.key].name for unit in units.values() for key in unit.mirrors},
                    description="Names of the CodeBuild projects, by repository.",
                ),
            }
        )

    def _alerts(
        self, settings: BacklogSettings, variables: BacklogVariables, units: dict[str, BridgeUnit]
    ) -> BuildAlerts:
        """Whom failed builds, and mirrors that differ or are silent, are told to."""
        return BuildAlerts(
            self,
            "alerts",
            BuildAlertsProps(
                labels=self.labels,
                account_id=self.account.id,
                emails=settings.alerts.emails,
                silent_hours=variables.silent_hours,
                silent_seconds=variables.silent_seconds,
                units={
                    key: AlertedUnit(name=unit.name, state_parameter=unit.state_parameter)
                    for key, unit in units.items()
                },
            ),
        )

    def _record(
        self,
        settings: BacklogSettings,
        units: dict[str, BridgeUnit],
        projects: dict[str, CodebuildProject],
        variables: BacklogVariables,
    ) -> None:
        """Leave what the checks have to know of the units, and what becomes of earlier ones."""
        self._keep_logs(settings, variables)
        self.record(
            *(
                unit_fact(self.deployment, settings, unit, projects[key].friendly_unique_id)
                for key, unit in units.items()
            )
        )
        for kind, blocks in backlog_moves.blocks(settings).items():
            self.add_override(kind, blocks)
        if settings.isolation == "space":
            self.add_override("//.collections", collections(settings))

    def _keep_logs(self, settings: BacklogSettings, variables: BacklogVariables) -> None:
        """The log groups of builds that a change of isolation replaces."""
        gone = Construct(self, backlog_moves.SCOPES[backlog_moves.OTHER[settings.isolation]])
        for key in backlog_moves.kept(settings):
            build_log(Construct(gone, key), self.labels.name("backlog", key), variables.log_retention_days)

    def _projects(
        self, settings: BacklogSettings, variables: BacklogVariables, units: dict[str, BridgeUnit]
    ) -> dict[str, CodebuildProject]:
        """The build of each unit, with its cache."""
        network = self._network(settings)
        bucket = self._bucket(settings, variables)
        programs = ProgramBucket(
            self,
            "program",
            ProgramBucketProps(
                name=program_bucket(self.deployment),
                program_key=PROGRAM_KEY,
                program=render.mirror_program(),
                configs={
                    key: (unit.config_key, unit_config(self.deployment, settings, unit)) for key, unit in units.items()
                },
                checks=config_checks(),
            ),
        )
        # Scopes of their own: a mirror may be called `webhook` or `cache`.
        scope, caches = Construct(self, backlog_moves.SCOPES[settings.isolation]), Construct(self, "caches")
        return {
            key: MirrorBuild(
                scope,
                key,
                self._build_props(
                    settings,
                    variables,
                    unit,
                    programs=programs,
                    network=network,
                    cache=self._file_system(caches, key, network) if settings.cache.mode == "efs" else bucket,
                ),
            ).project
            for key, unit in units.items()
        }

    def _network(self, settings: BacklogSettings) -> BuildNetwork | None:
        if settings.vpc is None:
            return None
        props = BuildNetworkProps(labels=self.labels, vpc_id=settings.vpc.id, subnet_ids=settings.vpc.subnet_ids)
        return BuildNetwork(self, "build_security_group", props)

    def _bucket(self, settings: BacklogSettings, variables: BacklogVariables) -> CacheBucket | None:
        if settings.cache.mode != "s3":
            return None
        bucket = CacheBucketProps(name=cache_bucket(self.deployment), expiration_days=variables.cache_retention_days)
        return CacheBucket(self, "cache", bucket)

    def _file_system(self, scope: Construct, key: str, network: BuildNetwork | None) -> CacheFileSystem:
        if network is None:
            raise ValueError("cache mode efs needs a VPC")
        return CacheFileSystem(
            scope,
            key,
            CacheFileSystemProps(
                labels=self.labels,
                key=key,
                vpc_id=network.vpc_id,
                subnet_ids={subnet_id.replace("-", "_"): subnet_id for subnet_id in network.subnet_ids},
            ),
        )

    def _build_props(
        self,
        settings: BacklogSettings,
        variables: BacklogVariables,
        unit: BridgeUnit,
        *,
        programs: ProgramBucket,
        network: BuildNetwork | None,
        cache: CacheBucket | CacheFileSystem | None,
    ) -> MirrorBuildProps:
        region = self.deployment.region
        targets = map(target_name, unit.mirrors.values())
        return MirrorBuildProps(
            labels=self.labels,
            region=region,
            account_id=self.account.id,
            unit=unit.key,
            description=_description(settings, unit),
            buildspec=unit_buildspec(self.deployment, settings, unit),
            programs=programs,
            target_arns=[f"arn:aws:codecommit:{region}:{self.account.id}:{target}" for target in targets],
            target_key_arns=target_keys(self.deployment, unit),
            mirroring_role=unit.mirroring_role,
            builds_assume=unit.builds_assume,
            ssh_key_parameter=unit.space.ssh_key_parameter,
            ssh_key_kms_key_arn=unit.space.ssh_key_kms_key_arn,
            state_parameter=unit.state_parameter,
            notify_parameter=settings.alerts.webhook_parameter,
            log_retention_days=variables.log_retention_days,
            timeout_minutes=variables.build_timeout_minutes,
            cache=cache,
            network=network,
        )


def _description(settings: BacklogSettings, unit: BridgeUnit) -> str:
    if settings.isolation == "space":
        return f"Mirrors repositories of the Backlog space {unit.key}"
    (mirror,) = unit.mirrors.values()
    return f"Mirrors {mirror.project}/{mirror.repository} of Backlog into {target_name(mirror)}"
