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
from modules.inputs import aws_id, mark
from modules.policies import servers
from modules.power_schedule import PowerSchedule, PowerScheduleProps
from modules.server_files import ServerConfiguration, ServerConfigurationProps, ServerFiles
from modules.terraform_text import readable, template
from modules.tls_load_balancer import TlsLoadBalancer, TlsLoadBalancerProps
from settings import Deployment
from settings.gitlab import GitlabSettings
from settings.proxy import ProxySettings
from stacks import first_steps, gitlab_files
from stacks.base import BaseStack, Output
from stacks.operations_variables import GitlabVariables

_VPC_ID = aws_id("vpc_id", "Id of the VPC that the server is in; a change replaces its security group.", kind="vpc")
_SUBNET_ID = aws_id("subnet_id", "Id of the subnet that the server is in; a change replaces the server.", kind="subnet")


@dataclass(frozen=True, kw_only=True)
class GitlabPlace:
    """The subnet that the server is in; with `s3_prefix_list_id`, its VPC has endpoints for S3 and Systems Manager."""

    vpc_id: str
    vpc_cidr: str
    subnet_id: str
    availability_zone: str
    s3_prefix_list_id: str | None


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
        variables = GitlabVariables(self, settings, deployment)
        place = self._place(settings, network)
        parameters = gitlab_files.parameters(deployment.name)
        proxy_url = self._proxy_url(proxy, built_proxy)
        gitlab_rb = gitlab_files.gitlab_rb(settings, proxy, proxy_url)
        self.files = {"gitlab.rb": readable(gitlab_rb)}

        storage = GitlabStorage(self, settings, variables, place)
        server_conf = gitlab_files.server_conf(
            settings,
            region=deployment.region,
            data_volume_id=render.Reference(f"{storage.data_volume.volume.fqn}.id", is_word=True),
            backup_bucket=storage.backup_bucket_name,
            parameters=parameters,
            proxy_url=proxy_url,
            has_vpc_endpoints=place.s3_prefix_list_id is not None,
        )
        files = ServerFiles(self, "files", gitlab_files.server_files(gitlab_rb, server_conf))
        server = GitlabServer(
            self, "gitlab", self._server_props(settings, proxy, variables, place, storage, files, parameters)
        )
        if settings.existing_network is not None:
            mark(server.security_group.group, {"vpc_id": _VPC_ID})
            mark(server.instance, {"subnet_id": _SUBNET_ID})
        ServerConfiguration(
            self,
            "configuration",
            ServerConfigurationProps(
                labels=self.labels,
                name="gitlab-configuration",
                description=gitlab_files.DESCRIPTION,
                instance_id=server.instance.id,
                files=files,
                then=gitlab_files.CONFIGURE,
                every=gitlab_files.EVERY,
            ),
        )
        front = GitlabFront(self, settings, variables, place, server)
        GitlabUpkeep(self, settings, variables, server)

        self.after_apply(
            *first_steps.gitlab(deployment.region, settings),
            *first_steps.gitlab_mirrors(deployment),
        )
        self.outputs(
            {
                "url": Output(value=settings.external_url, description="Where people reach GitLab."),
                **front.outputs,
                "public_ip": Output(value=server.address.public_ip, description="The server's own public address."),
                "private_ip": Output(value=server.instance.private_ip, description="The server's address in the VPC."),
                **storage.outputs,
                "parameters": Output(
                    value=parameters,
                    description="SSM parameters below this path: root-password, results of configure and backup.",
                ),
                "instance_id": Output(value=server.instance.id, description="Id of the EC2 instance."),
                "security_group_id": Output(
                    value=server.security_group.group.id, description="Id of the server's security group."
                ),
            }
        )

    def _proxy_url(self, proxy: ProxySettings | None, built: BaseStack | None) -> str | render.Reference | None:
        if built is not None:
            # By name instead of by token, because people read gitlab.rb in the output.
            state = self.state_of(built).friendly_unique_id
            return render.Reference(f"data.terraform_remote_state.{state}.outputs.url")
        return proxy.url if proxy is not None else None

    def _place(self, settings: GitlabSettings, network: BaseStack | None) -> GitlabPlace:
        existing = settings.existing_network
        if existing is not None:
            return GitlabPlace(
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
        return GitlabPlace(
            vpc_id=outputs.get_string("vpc_id"),
            vpc_cidr=outputs.get_string("vpc_cidr"),
            subnet_id=outputs.get_string(f'public_subnet_ids["{zone}"]'),
            availability_zone=f"{self.deployment.region}{zone}",
            s3_prefix_list_id=outputs.get_string("s3_prefix_list_id"),
        )

    def _server_props(
        self,
        settings: GitlabSettings,
        proxy: ProxySettings | None,
        variables: GitlabVariables,
        place: GitlabPlace,
        storage: "GitlabStorage",
        files: ServerFiles,
        parameters: str,
    ) -> GitlabServerProps:
        return GitlabServerProps(
            labels=self.labels,
            vpc_id=place.vpc_id,
            vpc_cidr=place.vpc_cidr,
            subnet_id=place.subnet_id,
            work_terminal_cidrs=variables.work_terminal_cidrs if settings.load_balancer is None else None,
            instance_type=variables.instance_type,
            architecture=settings.architecture,
            ami_id=variables.ami_id,
            ami_owner=settings.ami.owner,
            ami_name_pattern=variables.ami_name_pattern,
            key_pair=settings.key_pair,
            root_volume_gib=settings.root_volume_gib,
            data_volume=storage.data_volume,
            permissions=[
                servers.keep_backups(storage.backups.bucket.arn),
                *servers.tell_through_parameters(parameters, self.deployment.region, self.account.id),
            ],
            termination_protection=variables.termination_protection,
            user_data=template(render.gitlab_cloud_init(files.contents)),
            proxied=proxy is not None,
            proxy_cidrs=tuple(str(cidr) for cidr in proxy.cidrs) if proxy is not None else (),
            proxy_port=proxy.port if proxy is not None else None,
            s3_prefix_list_id=place.s3_prefix_list_id,
        )


class GitlabStorage:
    """What stays when the server is replaced, built in the stack: the data volume, and the bucket of backups."""

    def __init__(
        self, stack: BaseStack, settings: GitlabSettings, variables: GitlabVariables, place: GitlabPlace
    ) -> None:
        self.backup_bucket_name = stack.labels.backup_bucket(stack.account.id)
        self.data_volume = DataVolume(
            stack,
            "data_volume",
            DataVolumeProps(
                labels=stack.labels,
                name="gitlab-data",
                availability_zone=place.availability_zone,
                size_gib=variables.data_volume_gib,
                type=settings.data_volume.type,
                iops=settings.data_volume.iops,
                deletion_protected=settings.deletion_protected,
            ),
        )
        self.backups = BackupBucket(
            stack,
            "backups",
            BackupBucketProps(
                name=self.backup_bucket_name,
                keep_days=variables.keep_backup_days,
                deletion_protected=settings.deletion_protected,
            ),
        )
        self.outputs = {
            "data_volume_id": Output(
                value=self.data_volume.volume.id, description="Id of the volume that holds GitLab's data."
            ),
            "backup_bucket": Output(value=self.backups.bucket.id, description="Bucket that holds the daily backups."),
        }


class GitlabFront:
    """How people reach the server, built in the stack: a load balancer and a DNS record, if the file asks for them."""

    def __init__(
        self,
        stack: BaseStack,
        settings: GitlabSettings,
        variables: GitlabVariables,
        place: GitlabPlace,
        server: GitlabServer,
    ) -> None:
        balancer = None
        self.outputs: dict[str, Output] = {}
        if settings.load_balancer is not None:
            props = TlsLoadBalancerProps(
                labels=stack.labels,
                vpc_id=place.vpc_id,
                subnet_id=place.subnet_id,
                client_cidrs=variables.work_terminal_cidrs,
                certificate_arn=settings.load_balancer.certificate_arn,
                server=server.instance,
                server_group=server.security_group,
                http_port=WEB_AND_SSH["http"],
                ssh_port=WEB_AND_SSH["ssh"],
            )
            balancer = TlsLoadBalancer(stack, "load_balancer", props).load_balancer
            self.outputs["load_balancer_dns_name"] = Output(
                value=balancer.dns_name, description="What GitLab's host name leads to."
            )
        if settings.route53_zone_id is not None:
            address, zone_id = server.address.public_ip, settings.route53_zone_id
            record = DnsRecordProps(zone_id=zone_id, name=settings.host, address=address, load_balancer=balancer)
            DnsRecord(stack, "dns_record", record)


class GitlabUpkeep:
    """What runs on schedules, built in the stack: daily images, and starting and stopping the server, if wanted."""

    def __init__(
        self, stack: BaseStack, settings: GitlabSettings, variables: GitlabVariables, server: GitlabServer
    ) -> None:
        ImageBackups(
            stack,
            "image_backups",
            ImageBackupsProps(
                labels=stack.labels,
                account_id=stack.account.id,
                target_tags=server.backup_tags,
                at_utc=settings.images.at_utc,
                keep=variables.image_retention_count,
            ),
        )
        if settings.schedule is not None:
            PowerSchedule(
                stack,
                "power_schedule",
                PowerScheduleProps(
                    labels=stack.labels,
                    account_id=stack.account.id,
                    instance_id=server.instance.id,
                    instance_arn=server.instance.arn,
                    start=variables.start_schedule,
                    stop=variables.stop_schedule,
                    timezone=settings.schedule.timezone,
                ),
            )
