"""The bridge from Backlog into the production account's CodeCommit."""

from constructs import Construct

from buildspec import render
from modules.build_alerts import BuildAlerts, BuildAlertsProps
from modules.cache_bucket import CacheBucket, CacheBucketProps
from modules.cache_file_system import CacheFileSystem, CacheFileSystemProps
from modules.mirror_build import BuildNetwork, MirrorBuild, MirrorBuildProps
from modules.network import ANYWHERE
from modules.reconciliation import Reconciliation, ReconciliationProps
from modules.repositories import Repositories, RepositoriesProps
from modules.security_group import Rule, SecurityGroup, SecurityGroupProps
from modules.webhook_api import WebhookApi, WebhookApiProps
from settings import Deployment
from settings.backlog import BacklogSettings, CreatedTargetSettings, MirrorSettings, source_url, target_name
from settings.codecommit import RepositorySettings
from stacks import variables
from stacks.base import BaseStack, Output
from stacks.prd_codecommit import repository_props


class BacklogBridgeStack(BaseStack):
    """A webhook, a build for each repository, and the cache they share."""

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
        self._settings = settings
        Repositories(
            self,
            "repositories",
            RepositoriesProps(
                repositories={
                    mirror.target.create: repository_props(mirror.target)
                    for mirror in settings.repositories.values()
                    if isinstance(mirror.target, CreatedTargetSettings)
                },
                deletion_protected=settings.deletion_protected,
            ),
        )
        network = self._network()
        bucket, file_system = self._cache(network)
        log_retention_days = variables.log_retention_days(
            self, "log_retention_days", "How long CloudWatch keeps the builds' logs, days.", settings.log_retention_days
        )
        timeout_minutes = variables.whole_number(
            self,
            "build_timeout_minutes",
            "After this a build is stopped, minutes.",
            settings.build_timeout_minutes,
            low=5,
            high=2160,
        )
        # A scope of their own: a mirror may be called `webhook` or `cache`.
        mirrors = Construct(self, "mirrors")
        projects = {
            key: MirrorBuild(
                mirrors,
                key,
                MirrorBuildProps(
                    labels=self.labels,
                    region=deployment.region,
                    account_id=self.account.id,
                    key=key,
                    description=f"Mirrors {mirror.project}/{mirror.repository} of Backlog into {target_name(mirror)}",
                    buildspec=render.mirror_buildspec(self._buildspec(key, mirror)),
                    target_arn=f"arn:aws:codecommit:{deployment.region}:{self.account.id}:{target_name(mirror)}",
                    target_key_arn=self._target(mirror).kms_key_arn,
                    ssh_key_parameter=settings.spaces[mirror.space].ssh_key_parameter,
                    ssh_key_kms_key_arn=settings.spaces[mirror.space].ssh_key_kms_key_arn,
                    log_retention_days=log_retention_days,
                    timeout_minutes=timeout_minutes,
                    cache_bucket=bucket,
                    cache_file_system=file_system,
                    network=network,
                ),
            ).project
            for key, mirror in settings.repositories.items()
        }
        webhook = WebhookApi(
            self,
            "webhook",
            WebhookApiProps(
                labels=self.labels,
                region=deployment.region,
                sender_cidrs=variables.cidrs(
                    self,
                    "webhook_sender_cidrs",
                    "Public addresses that Backlog's webhooks come from, as Nulab publishes them.",
                    settings.webhook.sender_cidrs,
                    public=True,
                    may_open_to_the_world=settings.webhook.open_to_the_world_because is not None,
                ),
                projects=projects,
            ),
        )

        Reconciliation(
            self,
            "reconciliation",
            ReconciliationProps(
                labels=self.labels,
                account_id=self.account.id,
                schedule=variables.schedule(
                    self,
                    "reconcile_schedule",
                    "When every mirror runs without being asked.",
                    settings.reconcile,
                    rates=True,
                ),
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
                silent_hours=variables.whole_number(
                    self,
                    "silent_hours",
                    "An alarm is raised when a mirror had no successful build for this long, hours.",
                    settings.alerts.silent_hours,
                    low=2,
                    high=168,
                ),
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

    def _target(self, mirror: MirrorSettings) -> RepositorySettings:
        if isinstance(mirror.target, CreatedTargetSettings):
            return mirror.target
        codecommit = self.deployment.prd.codecommit if self.deployment.prd is not None else None
        if codecommit is None:
            raise ValueError(f"{mirror.target.codecommit} needs prd.codecommit")
        return codecommit.repositories[mirror.target.codecommit] or RepositorySettings()

    def _buildspec(self, key: str, mirror: MirrorSettings) -> render.MirrorBuildspec:
        space = self._settings.spaces[mirror.space]
        return render.MirrorBuildspec(
            source_url=source_url(self._settings, mirror),
            target_url=f"codecommit::{self.deployment.region}://{target_name(mirror)}",
            known_hosts=space.known_hosts,
            ssh_key_parameter=space.ssh_key_parameter,
            key=key,
            cache=self._settings.cache.mode,
            lfs=self._settings.lfs,
            max_lost_percent=self._settings.max_lost_percent,
        )

    def _network(self) -> BuildNetwork | None:
        vpc = self._settings.vpc
        if vpc is None:
            return None
        security_group = SecurityGroup(
            self,
            "build_security_group",
            SecurityGroupProps(
                labels=self.labels,
                name="backlog-builds",
                description="Mirror builds",
                vpc_id=vpc.id,
                inbound={},
                outbound={
                    "ssh": Rule(description="SSH to Backlog", port=22, cidr=ANYWHERE),
                    "https": Rule(description="HTTPS to AWS and to the package index", port=443, cidr=ANYWHERE),
                },
            ),
        )
        return BuildNetwork(vpc_id=vpc.id, subnet_ids=vpc.subnet_ids, security_group_id=security_group.group.id)

    def _cache(self, network: BuildNetwork | None) -> tuple[CacheBucket | None, CacheFileSystem | None]:
        if self._settings.cache.mode == "s3":
            bucket = CacheBucket(
                self,
                "cache",
                CacheBucketProps(
                    name=self.labels.name("backlog-cache", self.account.id, limit=63),
                    expiration_days=variables.whole_number(
                        self,
                        "cache_retention_days",
                        "How long an unused cache is kept, days.",
                        self._settings.cache.expiration_days,
                        low=1,
                        high=3650,
                    ),
                ),
            )
            return bucket, None
        if self._settings.cache.mode == "none":
            return None, None
        if network is None:
            raise ValueError("cache mode efs needs a VPC")
        file_system = CacheFileSystem(
            self,
            "cache",
            CacheFileSystemProps(
                labels=self.labels,
                vpc_id=network.vpc_id,
                subnet_ids={subnet_id.replace("-", "_"): subnet_id for subnet_id in network.subnet_ids},
                client_group_id=network.security_group_id,
            ),
        )
        return None, file_system
