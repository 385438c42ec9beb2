"""The development account's GitLab."""

from dataclasses import dataclass

from constructs import Construct

from buildspec import render
from modules.gitlab_server import GitlabServer, GitlabServerProps
from modules.image_backups import ImageBackups, ImageBackupsProps
from modules.power_schedule import PowerSchedule, PowerScheduleProps
from modules.terraform_text import literal
from settings import Deployment
from settings.gitlab import Ami, Gitlab, Proxy
from stacks import variables
from stacks.base import BaseStack, Output

# What GitLab reaches directly even with a proxy: itself, and the instance metadata service.
_NEVER_PROXIED = ("localhost", "127.0.0.1", "169.254.169.254")


@dataclass(frozen=True, kw_only=True)
class _Place:
    vpc_id: str
    vpc_cidr: str
    subnet_id: str


class DevGitlabStack(BaseStack):
    """The GitLab server, its daily images, and its hours."""

    def __init__(
        self, scope: Construct, id: str, deployment: Deployment, settings: Gitlab, network: BaseStack | None
    ) -> None:
        super().__init__(scope, id, deployment, "dev")
        proxy = deployment.dev.proxy if deployment.dev is not None else None
        place = self._place(settings, network)
        config = render.GitlabConfig(
            external_url=settings.external_url,
            proxy_url=proxy.url if proxy is not None else None,
            no_proxy=[*_NEVER_PROXIED, settings.host, *(proxy.no_proxy if proxy is not None else ())],
        )
        self.files = {"gitlab.rb": render.gitlab_rb(config)}

        server = GitlabServer(self, "gitlab", self._server_props(settings, proxy, place, config))
        ImageBackups(
            self,
            "image_backups",
            ImageBackupsProps(
                labels=self.labels,
                account_id=self.account.id,
                target_tags=server.backup_tags,
                at_utc=settings.images.at_utc,
                keep=variables.whole_number(
                    self,
                    "image_retention_count",
                    "How many daily images of the server are kept.",
                    settings.images.keep,
                    low=1,
                    high=1000,
                ),
            ),
        )
        if settings.schedule is not None:
            PowerSchedule(
                self,
                "power_schedule",
                PowerScheduleProps(
                    labels=self.labels,
                    account_id=self.account.id,
                    instance_id=server.instance.id,
                    instance_arn=server.instance.arn,
                    start=variables.schedule(
                        self, "start_schedule", "When the server is started.", settings.schedule.start, rates=False
                    ),
                    stop=variables.schedule(
                        self, "stop_schedule", "When the server is stopped.", settings.schedule.stop, rates=False
                    ),
                    timezone=settings.schedule.timezone,
                ),
            )

        self.outputs(
            {
                "url": Output(value=settings.external_url, description="Where people reach GitLab."),
                "public_ip": Output(value=server.address.public_ip, description="The server's own public address."),
                "private_ip": Output(value=server.instance.private_ip, description="The server's address in the VPC."),
                "instance_id": Output(value=server.instance.id, description="Id of the EC2 instance."),
                "security_group_id": Output(
                    value=server.security_group.group.id, description="Id of the server's security group."
                ),
            }
        )

    def _place(self, settings: Gitlab, network: BaseStack | None) -> _Place:
        existing = settings.existing_network
        if existing is not None:
            return _Place(vpc_id=existing.vpc_id, vpc_cidr=str(existing.vpc_cidr), subnet_id=existing.subnet_id)
        if network is None or self.deployment.dev is None or self.deployment.dev.network is None:
            raise ValueError("GitLab needs dev.network or existing_network")
        zone = settings.zone or next(iter(self.deployment.dev.network.zones))
        outputs = self.state_of(network)
        return _Place(
            vpc_id=outputs.get_string("vpc_id"),
            vpc_cidr=outputs.get_string("vpc_cidr"),
            subnet_id=outputs.get_string(f'public_subnet_ids["{zone}"]'),
        )

    def _server_props(
        self, settings: Gitlab, proxy: Proxy | None, place: _Place, config: render.GitlabConfig
    ) -> GitlabServerProps:
        return GitlabServerProps(
            labels=self.labels,
            vpc_id=place.vpc_id,
            vpc_cidr=place.vpc_cidr,
            subnet_id=place.subnet_id,
            work_terminal_cidrs=variables.cidrs(
                self,
                "work_terminal_cidrs",
                "Where people and their Git clients come from.",
                settings.work_terminal_cidrs,
                public=False,
                may_open_to_the_world=settings.open_to_the_world_because is not None,
            ),
            instance_type=variables.text(
                self,
                "instance_type",
                "EC2 instance type of the server.",
                settings.instance_type,
                pattern="^[a-z0-9-]+\\\\.[a-z0-9-]+$",
                example="c7i.2xlarge",
            ),
            architecture=settings.architecture,
            ami_id=self._ami_id(settings.ami),
            ami_owner=settings.ami.owner,
            ami_name_pattern=self._ami_name_pattern(settings.ami),
            key_pair=settings.key_pair,
            root_volume_gib=settings.root_volume_gib,
            termination_protection=variables.flag(
                self,
                "termination_protection",
                "Whether EC2 refuses to terminate the server; false is needed to destroy it.",
                settings.termination_protection,
            ),
            user_data=literal(render.gitlab_cloud_init(config, settings.host)),
            proxied=proxy is not None,
            proxy_cidrs=tuple(str(cidr) for cidr in proxy.cidrs) if proxy is not None else (),
            proxy_port=proxy.port if proxy is not None else None,
        )

    def _ami_id(self, ami: Ami) -> str | None:
        if ami.id is None:
            return None
        description = "Image the server is first made from; a later change does nothing."
        pattern, example = "^ami-[0-9a-f]+$", "ami-0123456789abcdef0"
        return variables.text(self, "ami_id", description, ami.id, pattern=pattern, example=example)

    def _ami_name_pattern(self, ami: Ami) -> str:
        if ami.id is not None:
            return ami.name_pattern
        description = "The server is first made from the newest image of this name; a later change does nothing."
        return variables.text(
            self, "ami_name_pattern", description, ami.name_pattern, pattern="^.+$", example="GitLab CE 18.*"
        )
