"""The self-hosted GitLab server."""

from collections.abc import Sequence
from dataclasses import dataclass

from cdktf import IResolvable, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.data_aws_ami import DataAwsAmi, DataAwsAmiFilter
from cdktf_cdktf_provider_aws.eip import Eip
from cdktf_cdktf_provider_aws.eip_association import EipAssociation
from cdktf_cdktf_provider_aws.iam_instance_profile import IamInstanceProfile
from cdktf_cdktf_provider_aws.instance import Instance, InstanceMetadataOptions, InstanceRootBlockDevice
from cdktf_cdktf_provider_aws.volume_attachment import VolumeAttachment
from constructs import Construct

from modules.data_volume import DataVolume
from modules.explained import explain
from modules.inputs import mark, whole_number
from modules.labels import Labels
from modules.network import ANYWHERE
from modules.policies import roles, servers
from modules.policies.statement import PolicyStatement
from modules.role import Role, RoleProps
from modules.security_group import SecurityGroup, SecurityGroupProps, SecurityGroupRule
from terraform.templates import escaped

# The volume's name in EC2. The instance itself finds the volume by its id.
_DEVICE = "/dev/sdf"

_KEPT = """\
A newer image must not replace the server: GitLab is upgraded in place. \
User data acts at the first boot only; Systems Manager brings later changes to the server."""

_ROOT_VOLUME_GIB = whole_number("root_volume_gib", "Size of the server's root volume, GiB.", low=20, high=16_384)

WEB_AND_SSH = {"ssh": 22, "http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class GitlabServerProps:
    """Values of type str, float and list may be references.

    Without `ami_id` the server uses the newest image of `ami_owner` that matches `ami_name_pattern`. With `proxied`,
    outbound traffic is allowed to the VPC, to `proxy_cidrs` on `proxy_port`, and to S3 if `s3_prefix_list_id` is given;
    otherwise to the VPC and the internet. Without `work_terminal_cidrs`, only the VPC reaches the server.
    `permissions` are those of its role besides Systems Manager's.
    """

    labels: Labels
    vpc_id: str
    vpc_cidr: str
    subnet_id: str
    work_terminal_cidrs: list[str] | None
    instance_type: str
    architecture: str
    ami_id: str | None
    ami_owner: str
    ami_name_pattern: str
    key_pair: str | None
    root_volume_gib: float
    data_volume: DataVolume
    permissions: Sequence[PolicyStatement]
    termination_protection: bool | IResolvable
    user_data: str
    proxied: bool
    proxy_cidrs: tuple[str, ...] = ()
    proxy_port: int | None = None
    s3_prefix_list_id: str | None = None


class GitlabServer(Construct):
    """GitLab on one EC2 instance with an address of its own, reachable from the work terminals and the VPC."""

    instance: Instance
    address: Eip
    security_group: SecurityGroup
    backup_tags: dict[str, str]

    def __init__(self, scope: Construct, id: str, props: GitlabServerProps) -> None:
        super().__init__(scope, id)
        labels = props.labels
        self.security_group = SecurityGroup(
            self,
            "security_group",
            SecurityGroupProps(
                labels=labels,
                name="gitlab",
                description="GitLab server",
                vpc_id=props.vpc_id,
                inbound=_inbound(props),
                outbound=_outbound(props),
            ),
        )
        role = Role(
            self,
            "role",
            RoleProps(
                name=labels.name("gitlab", limit=64),
                description="Lets the GitLab server be managed through Systems Manager, and keep its backups",
                trust=roles.assumed_by("ec2"),
                permissions=[*props.permissions, servers.be_managed()],
            ),
        )
        profile = IamInstanceProfile(self, "profile", name=labels.name("gitlab"), role=role.role.name)

        self.backup_tags = labels.named("gitlab")
        self.instance = Instance(
            self,
            "instance",
            ami=self._image(props),
            instance_type=props.instance_type,
            subnet_id=props.subnet_id,
            vpc_security_group_ids=[self.security_group.group.id],
            iam_instance_profile=profile.name,
            key_name=escaped(props.key_pair) if props.key_pair is not None else None,
            disable_api_termination=props.termination_protection,
            monitoring=True,
            ebs_optimized=True,
            metadata_options=InstanceMetadataOptions(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            root_block_device=InstanceRootBlockDevice(
                encrypted=True, volume_type="gp3", volume_size=props.root_volume_gib, tags=self.backup_tags
            ),
            user_data=props.user_data,
            user_data_replace_on_change=False,
            tags=self.backup_tags,
            lifecycle=TerraformResourceLifecycle(ignore_changes=["ami", "user_data"]),
        )
        explain(self.instance, _KEPT)
        mark(self.instance, {"root_block_device.volume_size": _ROOT_VOLUME_GIB})
        attachment = VolumeAttachment(
            self,
            "data_volume_attachment",
            device_name=_DEVICE,
            instance_id=self.instance.id,
            volume_id=props.data_volume.volume.id,
            stop_instance_before_detaching=True,
        )
        explain(attachment, "A volume cannot be detached while its file system is in use.")
        self.address = Eip(self, "address", domain="vpc", tags=labels.named("gitlab"))
        EipAssociation(
            self, "address_association", allocation_id=self.address.allocation_id, instance_id=self.instance.id
        )

    def _image(self, props: GitlabServerProps) -> str:
        if props.ami_id is not None:
            return props.ami_id
        newest = DataAwsAmi(
            self,
            "newest_image",
            most_recent=True,
            owners=[props.ami_owner],
            filter=[
                DataAwsAmiFilter(name="name", values=[props.ami_name_pattern]),
                DataAwsAmiFilter(name="architecture", values=[props.architecture]),
                DataAwsAmiFilter(name="state", values=["available"]),
            ],
        )
        return newest.id


def _inbound(props: GitlabServerProps) -> dict[str, SecurityGroupRule]:
    rules = {}
    for service, port in WEB_AND_SSH.items():
        if props.work_terminal_cidrs is not None:
            rules[f"terminals_{service}"] = SecurityGroupRule(
                description=f"{service.upper()} from the work terminals", port=port, cidrs=props.work_terminal_cidrs
            )
        rules[f"vpc_{service}"] = SecurityGroupRule(
            description=f"{service.upper()} from the VPC", port=port, cidr=props.vpc_cidr
        )
    return rules


def _outbound(props: GitlabServerProps) -> dict[str, SecurityGroupRule]:
    vpc = {"vpc": SecurityGroupRule(description="Anything inside the VPC", port=None, cidr=props.vpc_cidr)}
    if not props.proxied:
        internet = {
            f"internet_{service}": SecurityGroupRule(
                description=f"{service.upper()} to the internet", port=port, cidr=ANYWHERE
            )
            for service, port in WEB_AND_SSH.items()
        }
        return {**vpc, **internet}
    ways = vpc
    if props.s3_prefix_list_id is not None:
        ways["s3"] = SecurityGroupRule(
            description="S3 through the gateway endpoint", port=443, prefix_list_id=props.s3_prefix_list_id
        )
    if props.proxy_cidrs:
        ways["proxy"] = SecurityGroupRule(
            description="The forward proxy", port=props.proxy_port, cidrs=list(props.proxy_cidrs)
        )
    return ways
