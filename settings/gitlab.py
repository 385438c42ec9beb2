"""Settings of the self-hosted GitLab."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StrictInt

from settings.cidrs import HostCidr, SubnetCidr
from settings.forms import Matching
from settings.schedules import Cron, TimeOfDay, TimeZone
from settings.types import (
    AccountId,
    AmiId,
    Flag,
    InstanceType,
    Reason,
    Settings,
    SubnetId,
    VpcId,
    ZoneLetter,
    architecture,
)
from settings.urls import ExternalUrl

GitlabProject = Annotated[
    str,
    Matching(
        r"(?!.*\.([Gg][Ii][Tt]|atom)$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}){1,20}",
        "the path of a GitLab project",
        "write it with its groups, as in the project's address, for example platform/infrastructure",
    ),
]


GITLABS_OWN_ACCOUNT = "782774275127"
"""It publishes GitLab's images."""


class AmiSettings(Settings):
    """The machine image that the server is created from: one image, or the newest of a name."""

    id: AmiId | None = Field(None, description="One image, by id; then owner and name_pattern are not needed.")
    owner: AccountId = Field(
        GITLABS_OWN_ACCOUNT, description="The account that publishes the images; the default is GitLab's own."
    )
    name_pattern: Annotated[
        str,
        Matching(
            r"[!-~]([ -~]{0,126}[!-~])?",
            "a pattern of image names",
            "use 1-128 plain characters, no space at either end, as in GitLab CE *",
        ),
    ] = Field("GitLab CE *", description="The first deployment uses the newest image whose name matches this.")


class ImagesSettings(Settings):
    """Daily images of the server, taken without a reboot."""

    at_utc: TimeOfDay = Field("17:00", description="When the daily image is taken, UTC.")
    keep: StrictInt = Field(7, ge=1, le=1000, description="How many daily images are kept.")


class DataVolumeSettings(Settings):
    """The encrypted volume with GitLab's data, which stays when the server is replaced."""

    size_gib: StrictInt = Field(100, ge=20, le=16384, description="Size of the volume, GiB; it can grow, not shrink.")
    type: Literal["gp3", "io2"] = Field("gp3", description="EBS volume type.")
    iops: StrictInt | None = Field(
        None, ge=100, le=256000, description="I/O operations a second; gp3 has 3,000 without it, io2 needs it."
    )


class BackupsSettings(Settings):
    """Daily backups of GitLab and of /etc/gitlab, to a bucket of their own."""

    at_utc: TimeOfDay = Field(
        "09:00",
        description="When the daily backup is taken, UTC; a server that was off takes it when it starts.",
    )
    keep_days: StrictInt = Field(35, ge=1, le=3650, description="How long a backup is kept, days.")


class LoadBalancerSettings(Settings):
    """A network load balancer that answers HTTPS with a certificate of ACM, and forwards SSH."""

    certificate_arn: Annotated[
        str,
        Matching(
            r"arn:aws:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
            "the ARN of a certificate of ACM",
            "for example arn:aws:acm:ap-northeast-1:111111111111:certificate/1234abcd-12ab-34cd-86ef-1234567890ab",
        ),
    ] = Field(description="The certificate, of the development account and the deployment's region.")


class ScheduleSettings(Settings):
    """When the server is started and stopped."""

    start: Cron = Field(description="EventBridge cron expression, for example cron(0 8 ? * MON-FRI *).")
    stop: Cron = Field(description="EventBridge cron expression, for example cron(0 22 ? * MON-FRI *).")
    timezone: TimeZone = Field("Asia/Tokyo", description="IANA name of the time zone of both.")


class ExistingNetworkSettings(Settings):
    """A VPC and a public subnet that exist already."""

    vpc_id: VpcId = Field(description="The VPC.")
    vpc_cidr: SubnetCidr = Field(description="The VPC's own CIDR: GitLab is reachable from it.")
    subnet_id: SubnetId = Field(description="A public subnet of that VPC.")


class GitlabSettings(Settings):
    """One GitLab server."""

    external_url: ExternalUrl = Field(description="The address people use, for example https://gitlab.example.com.")
    work_terminal_cidrs: tuple[HostCidr, ...] = Field(
        min_length=1, description="Networks of people and their Git clients (SSH, HTTP, HTTPS)."
    )
    open_to_the_world_because: Reason | None = Field(
        None, description="The reason for more public addresses than a /8; without it they are refused."
    )
    zone: ZoneLetter | None = Field(
        None, description="The server is in the public subnet of this zone of dev.network; by default the first zone."
    )
    existing_network: ExistingNetworkSettings | None = Field(
        None, description="A VPC and subnet to use instead of dev.network."
    )
    instance_type: InstanceType = Field(
        "c7i.2xlarge", description="EC2 instance type. GitLab asks for 8 vCPU and 16 GB for up to 1,000 users."
    )
    ami: AmiSettings = Field(
        AmiSettings(), description="The machine image of a new server; a later change does not replace the server."
    )
    key_pair: (
        Annotated[
            str,
            Matching(
                r"[!-~]([ -~]{0,253}[!-~])?",
                "the name of a key pair",
                "use 1-255 plain characters, no space at either end",
            ),
        ]
        | None
    ) = Field(None, description="Name of an EC2 key pair, if any; Session Manager needs none.")
    root_volume_gib: StrictInt = Field(100, ge=20, le=16384, description="Size of the encrypted root volume, GiB.")
    data_volume: DataVolumeSettings = Field(DataVolumeSettings(), description="The volume with GitLab's data.")
    backups: BackupsSettings = Field(BackupsSettings(), description="Daily backups to a bucket of their own.")
    deletion_protected: Flag = Field(
        True,
        description="Whether Terraform refuses plans that would delete the data volume or the backups; false deletes "
        "the bucket with every backup in it.",
    )
    load_balancer: LoadBalancerSettings | None = Field(
        None, description="HTTPS with a certificate of ACM; without it GitLab's own, self-signed at the first boot."
    )
    route53_zone_id: (
        Annotated[str, Matching(r"Z[A-Z0-9]{5,31}", "the id of a hosted zone", "write it like Z0123456789ABCDEFGHIJ")]
        | None
    ) = Field(None, description="The hosted zone in which the external URL's host gets its record; none by default.")
    termination_protection: Flag = Field(True, description="Whether EC2 refuses to terminate the server.")
    images: ImagesSettings = Field(ImagesSettings(), description="Daily images of the server, taken without a reboot.")
    schedule: ScheduleSettings | None = Field(
        None, description="When to start and stop the server; without it, the server always runs."
    )

    @property
    def architecture(self) -> str:
        """The processor of the instance type, as images name it."""
        return architecture(self.instance_type)

    @property
    def host(self) -> str:
        """The host name in the external URL."""
        return urlsplit(self.external_url).hostname or ""

    @property
    def makes_its_certificate(self) -> bool:
        """Whether the server answers HTTPS itself, with a certificate that it creates on its first boot."""
        return self.load_balancer is None
