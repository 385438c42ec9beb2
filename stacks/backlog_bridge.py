"""The bridge from Backlog into the production account's CodeCommit."""

from cdktf_cdktf_provider_aws.codebuild_project import CodebuildProject
from constructs import Construct

from buildspec import render
from modules.build_alerts import BuildAlerts, BuildAlertsProps
from modules.build_network import BuildNetwork, BuildNetworkProps
from modules.cache_bucket import CacheBucket, CacheBucketProps
from modules.cache_file_system import CacheFileSystem, CacheFileSystemProps
from modules.mirror_build import MirrorBuild, MirrorBuildProps
from modules.reconciliation import Reconciliation, ReconciliationProps
from modules.repositories import Repositories, RepositoriesProps
from modules.webhook_api import WebhookApi, WebhookApiProps
from settings import Deployment
from settings.backlog import BacklogSettings, CreatedTargetSettings, MirrorSettings, source_url, target_name
from settings.codecommit import RepositorySettings
from stacks.base import BaseStack, Output
from stacks.operations_variables import BacklogVariables
from stacks.prd_codecommit import repository_props
from terraform.facts import MirrorUnit


class BacklogBridgeStack(BaseStack):
    """A webhook, a build for each repository, and their caches."""

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
        created = {
            mirror.target.create: repository_props(mirror.target)
            for mirror in settings.repositories.values()
            if isinstance(mirror.target, CreatedTargetSettings)
        }

        Repositories(
            self,
            "repositories",
            RepositoriesProps(repositories=created, deletion_protected=settings.deletion_protected),
        )
        projects = self._projects(settings, variables)
        for key, project in projects.items():
            targets = [target_name(settings.repositories[key])]
            self.record(MirrorUnit(unit=key, build=project.friendly_unique_id, targets=targets))
        webhook = WebhookApi(
            self,
            "webhook",
            WebhookApiProps(
                labels=self.labels,
                region=deployment.region,
                sender_cidrs=variables.webhook_sender_cidrs,
                projects=projects,
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
        alerts = BuildAlerts(
            self,
            "alerts",
            BuildAlertsProps(
                labels=self.labels,
                account_id=self.account.id,
                emails=settings.alerts.emails,
                silent_hours=variables.silent_hours,
                projects=projects,
            ),
        )

        self.outputs(
            {
                "webhook_urls": Output(
                    value=webhook.urls, description="The URL to register as webhook in Backlog, by repository."
                ),
                "alerts_topic_arn": Output(
                    value=alerts.topic.arn, description="ARN of the topic that hears of failed and silent mirrors."
                ),
                "build_projects": Output(
                    value={key: project.name for key, project in projects.items()},
                    description="Names of the CodeBuild projects, by repository.",
                ),
            }
        )

    def _projects(self, settings: BacklogSettings, variables: BacklogVariables) -> dict[str, CodebuildProject]:
        """The build of each mirror, with its cache."""
        network = self._network(settings)
        bucket = self._bucket(settings, variables)
        # Scopes of their own: a mirror may be called `webhook` or `cache`.
        mirrors, caches = Construct(self, "mirrors"), Construct(self, "caches")
        return {
            key: MirrorBuild(
                mirrors,
                key,
                self._build_props(
                    settings,
                    variables,
                    key,
                    mirror,
                    network=network,
                    cache=self._file_system(caches, key, network) if settings.cache.mode == "efs" else bucket,
                ),
            ).project
            for key, mirror in settings.repositories.items()
        }

    def _network(self, settings: BacklogSettings) -> BuildNetwork | None:
        if settings.vpc is None:
            return None
        props = BuildNetworkProps(labels=self.labels, vpc_id=settings.vpc.id, subnet_ids=settings.vpc.subnet_ids)
        return BuildNetwork(self, "build_security_group", props)

    def _bucket(self, settings: BacklogSettings, variables: BacklogVariables) -> CacheBucket | None:
        if settings.cache.mode != "s3":
            return None
        bucket_name = self.labels.name("backlog-cache", self.account.id, limit=63)
        bucket = CacheBucketProps(name=bucket_name, expiration_days=variables.cache_retention_days)
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
        key: str,
        mirror: MirrorSettings,
        *,
        network: BuildNetwork | None,
        cache: CacheBucket | CacheFileSystem | None,
    ) -> MirrorBuildProps:
        region, target, space = self.deployment.region, target_name(mirror), settings.spaces[mirror.space]
        return MirrorBuildProps(
            labels=self.labels,
            region=region,
            account_id=self.account.id,
            key=key,
            description=f"Mirrors {mirror.project}/{mirror.repository} of Backlog into {target}",
            buildspec=mirror_buildspec(region, settings, key),
            target_arn=f"arn:aws:codecommit:{region}:{self.account.id}:{target}",
            target_key_arn=_target_repository(self.deployment, mirror).kms_key_arn,
            ssh_key_parameter=space.ssh_key_parameter,
            ssh_key_kms_key_arn=space.ssh_key_kms_key_arn,
            log_retention_days=variables.log_retention_days,
            timeout_minutes=variables.build_timeout_minutes,
            cache=cache,
            network=network,
        )


def mirror_buildspec(region: str, settings: BacklogSettings, key: str) -> str:
    """The buildspec of a mirror, by its key in the settings."""
    mirror = settings.repositories[key]
    space = settings.spaces[mirror.space]
    return render.mirror_buildspec(
        render.MirrorBuildspec(
            source_url=source_url(settings, mirror),
            target_url=f"codecommit::{region}://{target_name(mirror)}",
            known_hosts=space.known_hosts,
            ssh_key_parameter=space.ssh_key_parameter,
            key=key,
            cache=settings.cache.mode,
            lfs=settings.lfs,
            max_lost_percent=settings.max_lost_percent,
        )
    )


def _target_repository(deployment: Deployment, mirror: MirrorSettings) -> RepositorySettings:
    if isinstance(mirror.target, CreatedTargetSettings):
        return mirror.target
    codecommit = deployment.prd.codecommit if deployment.prd is not None else None
    if codecommit is None:
        raise ValueError(f"{mirror.target.codecommit} needs prd.codecommit")
    return codecommit.repositories[mirror.target.codecommit] or RepositorySettings()
