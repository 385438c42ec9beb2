"""The development account's GitLab."""

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.data_aws_subnet import DataAwsSubnet
from constructs import Construct

from buildspec import render
from modules.backup_bucket import BackupBucket, BackupBucketProps
from modules.data_volume import DataVolume, DataVolumeProps
from modules.dns_record import DnsRecord, DnsRecordProps
from modules.gitlab_server import WEB_AND_SSH, GitlabServer, GitlabServerProps
from modules.image_backups import ImageBackups, ImageBackupsProps
from modules.policies import servers
from modules.policies.statement import PolicyStatement
from modules.power_schedule import PowerSchedule, PowerScheduleProps
from modules.server_files import ServerConfiguration, ServerConfigurationProps, ServerFile, ServerFiles
from modules.terraform_text import readable, template
from modules.tls_load_balancer import TlsLoadBalancer, TlsLoadBalancerProps
from settings import Deployment
from settings.gitlab import AmiSettings, GitlabSettings
from settings.proxy import ProxySettings
from stacks import variables
from stacks.base import BaseStack, Output

# What is reached directly even with a proxy: the server itself, and the instance metadata service.
_NEVER_PROXIED = ("localhost", "127.0.0.1", "169.254.169.254")

_PROGRAM = "/opt/kakehashi/server"


@dataclass(frozen=True, kw_only=True)
class _Place:
    vpc_id: str
    vpc_cidr: str
    subnet_id: str
    availability_zone: str
    s3_prefix_list_id: str | None
    """With it, S3 and Systems Manager are reached inside the VPC."""


class DevGitlabStack(BaseStack):
    """The GitLab server, its data, backups and configuration, its daily images, and its hours."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        deployment: Deployment,
        settings: GitlabSettings,
        *,
        network: BaseStack | None,
        built_proxy: BaseStack | None,
    ) -> None:
        super().__init__(scope, id, deployment, "dev")
        proxy = deployment.dev.proxy if deployment.dev is not None else None
        place = self._place(settings, network)
        parameters = f"/kakehashi/{deployment.name}/dev/gitlab"
        config = render.GitlabConfig(
            external_url=settings.external_url,
            tls_in_front=settings.load_balancer is not None,
            proxy_url=self._proxy_url(proxy, built_proxy),
            no_proxy=[*_NEVER_PROXIED, settings.host, *(proxy.no_proxy if proxy is not None else ())],
        )
        gitlab_rb = render.gitlab_rb(config)
        self.files = {"gitlab.rb": readable(gitlab_rb)}

        data_volume = DataVolume(
            self,
            "data_volume",
            DataVolumeProps(
                labels=self.labels,
                name="gitlab-data",
                availability_zone=place.availability_zone,
                size_gib=variables.whole_number(
                    self,
                    "data_volume_gib",
                    "Size of the volume that holds GitLab's data, GiB; it can grow, not shrink.",
                    settings.data_volume.size_gib,
                    low=20,
                    high=16_384,
                ),
                type=settings.data_volume.type,
                iops=settings.data_volume.iops,
                deletion_protected=settings.deletion_protected,
            ),
        )
        backups = BackupBucket(
            self,
            "backups",
            BackupBucketProps(
                name=self.labels.name("gitlab-backups", self.account.id, limit=63),
                keep_days=variables.whole_number(
                    self,
                    "keep_backup_days",
                    "How long a daily backup is kept, days.",
                    settings.backups.keep_days,
                    low=1,
                    high=3650,
                ),
                deletion_protected=settings.deletion_protected,
            ),
        )
        files = ServerFiles(
            self,
            "files",
            {
                "gitlab_rb": ServerFile(path="/etc/kakehashi/gitlab.rb", mode="0600", text=gitlab_rb),
                "server_conf": ServerFile(
                    path="/etc/kakehashi/server.conf",
                    mode="0600",
                    text=render.gitlab_server_settings(
                        render.GitlabServerSettings(
                            region=deployment.region,
                            certificate_host=settings.host if settings.makes_its_certificate else None,
                            data_volume_id=render.Reference(f"{data_volume.volume.fqn}.id"),
                            backup_bucket=self.labels.name("gitlab-backups", self.account.id, limit=63),
                            backup_at_utc=settings.backups.at_utc,
                            parameters=parameters,
                            proxy_url=config.proxy_url,
                            no_proxy=[*_NEVER_PROXIED, *self._reached_inside(place)],
                        )
                    ),
                ),
                "server": ServerFile(path=_PROGRAM, mode="0700", text=render.gitlab_server_script()),
            },
        )
        terminals = variables.cidrs(
            self,
            "work_terminal_cidrs",
            "Where people and their Git clients come from.",
            settings.work_terminal_cidrs,
            public=False,
            may_open_to_the_world=settings.open_to_the_world_because is not None,
        )
        server = GitlabServer(
            self,
            "gitlab",
            self._server_props(
                settings,
                proxy,
                place,
                terminals=terminals if settings.load_balancer is None else None,
                data_volume=data_volume,
                permissions=[
                    servers.keep_backups(backups.bucket.arn),
                    servers.tell_through_parameters(parameters, deployment.region, self.account.id),
                ],
                user_data=template(render.gitlab_cloud_init(files.contents)),
            ),
        )
        ServerConfiguration(
            self,
            "configuration",
            ServerConfigurationProps(
                labels=self.labels,
                name="gitlab-configuration",
                description="Brings the GitLab server to what its deployment says, where it differs",
                instance_id=server.instance.id,
                files=files,
                then=f"exec {_PROGRAM} configure",
                every="rate(1 hour)",
            ),
        )
        balancer = self._load_balancer(settings, place, server, terminals)
        if settings.route53_zone_id is not None:
            DnsRecord(
                self,
                "dns_record",
                DnsRecordProps(
                    zone_id=settings.route53_zone_id,
                    name=settings.host,
                    address=server.address.public_ip,
                    load_balancer=balancer.load_balancer if balancer is not None else None,
                ),
            )
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
                **(
                    {
                        "load_balancer_dns_name": Output(
                            value=balancer.load_balancer.dns_name, description="What GitLab's host name leads to."
                        )
                    }
                    if balancer is not None
                    else {}
                ),
                "public_ip": Output(value=server.address.public_ip, description="The server's own public address."),
                "private_ip": Output(value=server.instance.private_ip, description="The server's address in the VPC."),
                "data_volume_id": Output(
                    value=data_volume.volume.id, description="Id of the volume that holds GitLab's data."
                ),
                "backup_bucket": Output(value=backups.bucket.id, description="Bucket that holds the daily backups."),
                "parameters": Output(
                    value=parameters,
                    description="SSM parameters below this path: root-password, what became of configure and backup.",
                ),
                "instance_id": Output(value=server.instance.id, description="Id of the EC2 instance."),
                "security_group_id": Output(
                    value=server.security_group.group.id, description="Id of the server's security group."
                ),
            }
        )

    def _proxy_url(self, proxy: ProxySettings | None, built: BaseStack | None) -> str | render.Reference | None:
        if built is not None:
            # Its name, not its token: beside the stack, gitlab.rb is written for people.
            state = self.state_of(built).friendly_unique_id
            return render.Reference(f"data.terraform_remote_state.{state}.outputs.url")
        return proxy.url if proxy is not None else None

    def _place(self, settings: GitlabSettings, network: BaseStack | None) -> _Place:
        existing = settings.existing_network
        if existing is not None:
            return _Place(
                vpc_id=existing.vpc_id,
                vpc_cidr=str(existing.vpc_cidr),
                subnet_id=existing.subnet_id,
                availability_zone=DataAwsSubnet(self, "subnet", id=existing.subnet_id).availability_zone,
                s3_prefix_list_id=None,
            )
        if network is None or self.deployment.dev is None or self.deployment.dev.network is None:
            raise ValueError("GitLab needs dev.network or existing_network")
        zone = settings.zone or next(iter(self.deployment.dev.network.zones))
        outputs = self.state_of(network)
        return _Place(
            vpc_id=outputs.get_string("vpc_id"),
            vpc_cidr=outputs.get_string("vpc_cidr"),
            subnet_id=outputs.get_string(f'public_subnet_ids["{zone}"]'),
            availability_zone=f"{self.deployment.region}{zone}",
            s3_prefix_list_id=outputs.get_string("s3_prefix_list_id"),
        )

    def _reached_inside(self, place: _Place) -> list[str]:
        """The hosts of AWS that have endpoints in the VPC."""
        if place.s3_prefix_list_id is None:
            return []
        region = self.deployment.region
        return [f"ssm.{region}.amazonaws.com", f".s3.{region}.amazonaws.com"]

    def _load_balancer(
        self, settings: GitlabSettings, place: _Place, server: GitlabServer, terminals: list[str]
    ) -> TlsLoadBalancer | None:
        if settings.load_balancer is None:
            return None
        return TlsLoadBalancer(
            self,
            "load_balancer",
            TlsLoadBalancerProps(
                labels=self.labels,
                vpc_id=place.vpc_id,
                subnet_id=place.subnet_id,
                client_cidrs=terminals,
                certificate_arn=settings.load_balancer.certificate_arn,
                server=server.instance,
                server_group=server.security_group,
                http_port=WEB_AND_SSH["http"],
                ssh_port=WEB_AND_SSH["ssh"],
            ),
        )

    def _server_props(
        self,
        settings: GitlabSettings,
        proxy: ProxySettings | None,
        place: _Place,
        *,
        terminals: list[str] | None,
        data_volume: DataVolume,
        permissions: list[PolicyStatement],
        user_data: str,
    ) -> GitlabServerProps:
        return GitlabServerProps(
            labels=self.labels,
            vpc_id=place.vpc_id,
            vpc_cidr=place.vpc_cidr,
            subnet_id=place.subnet_id,
            work_terminal_cidrs=terminals,
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
            data_volume=data_volume,
            permissions=permissions,
            termination_protection=variables.flag(
                self,
                "termination_protection",
                "Whether EC2 refuses to terminate the server; false is needed to destroy it.",
                settings.termination_protection,
            ),
            user_data=user_data,
            proxied=proxy is not None,
            proxy_cidrs=tuple(str(cidr) for cidr in proxy.cidrs) if proxy is not None else (),
            proxy_port=proxy.port if proxy is not None else None,
            s3_prefix_list_id=place.s3_prefix_list_id,
        )

    def _ami_id(self, ami: AmiSettings) -> str | None:
        if ami.id is None:
            return None
        description = "Image the server is first made from; a later change does nothing."
        pattern, example = "^ami-[0-9a-f]+$", "ami-0123456789abcdef0"
        return variables.text(self, "ami_id", description, ami.id, pattern=pattern, example=example)

    def _ami_name_pattern(self, ami: AmiSettings) -> str:
        if ami.id is not None:
            return ami.name_pattern
        description = "The server is first made from the newest image of this name; a later change does nothing."
        return variables.text(
            self, "ami_name_pattern", description, ami.name_pattern, pattern="^.+$", example="GitLab CE 18.*"
        )
