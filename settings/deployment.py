"""The whole deployment file: names, accounts, state and the parts to build."""

from ipaddress import IPv4Network
from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from settings import consistency
from settings.backlog import BacklogSettings
from settings.codecommit import CodeCommitSettings, PushStack
from settings.forms import Matching
from settings.gitlab import GitlabSettings
from settings.network import NetworkSettings
from settings.proxy import ProxySettings
from settings.types import (
    AccountId,
    BucketName,
    DeploymentName,
    Flag,
    KmsKeyArn,
    Profile,
    Region,
    RoleArn,
    Settings,
    TagKey,
    TagText,
)

MAX_TAGS = 45
"""AWS allows 50 tags on a resource; the labels need some of them."""


class AccountSettings(Settings):
    """An AWS account, and the credentials for it."""

    id: AccountId = Field(description="The 12 digits. Terraform refuses to work with any other account's credentials.")
    assume_role_arn: RoleArn | None = Field(None, description="Role that Terraform assumes in the account.")
    profile: Profile | None = Field(None, description="Profile of the AWS configuration with the credentials.")


class S3StateSettings(Settings):
    """An existing bucket that keeps Terraform's state."""

    bucket: BucketName = Field(description="The bucket; it must exist already.")
    key_prefix: Annotated[
        str,
        Matching(
            r"(?=.{1,512}$)(?!(?:.*/)?\.{1,2}(?:/|$))[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*",
            "a prefix of S3 keys",
            "use up to 512 letters, digits and ! _ . * ' ( ) -, in parts between single slashes, for example kakehashi",
        ),
    ] = Field(description="States are kept as <key_prefix>/<stack>.tfstate.")
    region: Region = Field(description="The bucket's region.")
    use_lockfile: Flag = Field(
        True, description="Lock the state with a file next to it, so that only one run changes it at a time."
    )
    kms_key_arn: KmsKeyArn | None = Field(
        None, description="Key that encrypts the state, in the bucket's region; by default the bucket's own."
    )
    profile: Profile | None = Field(None, description="Profile of the AWS configuration that reaches the bucket.")
    assume_role_arn: RoleArn | None = Field(None, description="Role that Terraform assumes to reach the bucket.")


class StateSettings(Settings):
    """Where Terraform keeps its state; without `s3`, in files under terraform-state/."""

    s3: S3StateSettings | None = Field(None, description="An existing bucket that keeps Terraform's state.")


class DevSettings(Settings):
    """The development account."""

    account: AccountSettings = Field(description="The development account, and the credentials for it.")
    network: NetworkSettings | None = Field(None, description="A VPC with a public and a private subnet in each zone.")
    gitlab: GitlabSettings | None = Field(None, description="The self-hosted GitLab server.")
    proxy: ProxySettings | None = Field(
        None, description="A proxy for GitLab's mirrors; without it, they leave from GitLab's own address."
    )


class PrdSettings(Settings):
    """The production account."""

    account: AccountSettings = Field(description="The production account, and the credentials for it.")
    codecommit: CodeCommitSettings | None = Field(None, description="The repositories, and who pushes and pulls.")
    backlog: BacklogSettings | None = Field(None, description="The bridge that mirrors Backlog's repositories.")


class Deployment(Settings):
    """One deployment of Kakehashi: all settings of a deployment file."""

    model_config = ConfigDict(title="Kakehashi deployment")

    name: DeploymentName = Field(description="Starts every name and tag.")
    owner: TagText = Field(description="Value of the owner tag.", min_length=1)
    tags: dict[TagKey, TagText] = Field({}, max_length=MAX_TAGS, description="Further tags for everything.")
    region: Region = Field(description="Region of both accounts, for example ap-northeast-1.")
    state: StateSettings = Field(
        StateSettings(), description="Where Terraform keeps its state; by default in files under terraform-state/."
    )
    dev: DevSettings | None = Field(None, description="What to build in the development account.")
    prd: PrdSettings | None = Field(None, description="What to build in the production account.")

    @property
    def push_stack(self) -> PushStack | None:
        """The stack whose addresses may push, if the file does not list addresses.

        It is `from_stack`, or the stack that GitLab's mirrors leave from: dev-network with a proxy, dev-gitlab without.
        """
        push = self.prd.codecommit.push if self.prd is not None and self.prd.codecommit is not None else None
        if push is None or push.from_cidrs is not None:
            return None
        if push.from_stack is not None:
            return push.from_stack
        return "dev-gitlab" if self.dev is None or self.dev.proxy is None else "dev-network"

    @property
    def room_networks(self) -> list[IPv4Network]:
        """The networks of every isolated room."""
        codecommit = self.prd.codecommit if self.prd is not None else None
        rooms = [codecommit.pull, *codecommit.rooms.values()] if codecommit is not None else []
        return [network for room in rooms if room is not None for network in room.from_cidrs or ()]

    @property
    def work_terminals(self) -> list[IPv4Network]:
        """The networks from which people reach GitLab."""
        gitlab = self.dev.gitlab if self.dev is not None else None
        return list(gitlab.work_terminal_cidrs) if gitlab is not None else []

    @model_validator(mode="after")
    def _consistent(self) -> "Deployment":
        # By the names that the file has: `except` cannot name a field.
        given = self.model_dump(mode="json", exclude_unset=True, by_alias=True)
        if problems := list(consistency.problems(consistency.ValidValues(given))):
            raise ValueError("; ".join(problem.what for problem in problems))
        return self
