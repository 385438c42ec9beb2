"""The whole deployment file: names, accounts, state and the parts to build."""

from typing import Annotated

from pydantic import Field

from settings.backlog import Backlog
from settings.codecommit import CodeCommit
from settings.gitlab import Gitlab, Proxy
from settings.network import Network
from settings.types import (
    AccountId,
    BucketName,
    DeploymentName,
    Flag,
    KmsKeyArn,
    Region,
    RoleArn,
    Settings,
    TagKey,
    TagText,
)

MAX_TAGS = 45
"""AWS takes 50 tags; the labels need a few of them."""


class Account(Settings):
    """An AWS account, and how to get into it."""

    id: AccountId = Field(description="The 12 digits. Terraform refuses to work with any other account's credentials.")
    assume_role_arn: RoleArn | None = Field(None, description="Role that Terraform assumes in the account.")
    profile: Annotated[str, Field(pattern=r"^[\w.@+-]{1,128}$")] | None = Field(
        None, description="Profile of the AWS configuration that holds the credentials."
    )


class S3State(Settings):
    """An existing bucket that keeps Terraform's state."""

    bucket: BucketName
    key_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*$", max_length=512)] = (
        Field(description="States are kept as <key_prefix>/<stack>.tfstate.")
    )
    region: Region
    use_lockfile: Flag = Field(
        True, description="Lock the state with a file beside it, so that two runs cannot collide."
    )
    kms_key_arn: KmsKeyArn | None = Field(None, description="Key that encrypts the state; by default the bucket's own.")
    profile: Annotated[str, Field(pattern=r"^[\w.@+-]{1,128}$")] | None = Field(
        None, description="Profile of the AWS configuration that reaches the bucket."
    )
    assume_role_arn: RoleArn | None = Field(None, description="Role that Terraform assumes to reach the bucket.")


class State(Settings):
    """Where Terraform keeps its state; without `s3`, in files under terraform-state/."""

    s3: S3State | None = None


class Dev(Settings):
    """The development account."""

    account: Account
    network: Network | None = None
    gitlab: Gitlab | None = None
    proxy: Proxy | None = Field(None, description="Without it, GitLab's mirrors leave from its own address.")


class Prd(Settings):
    """The production account."""

    account: Account
    codecommit: CodeCommit | None = None
    backlog: Backlog | None = None


class Deployment(Settings):
    """One deployment of Kakehashi: everything a deployment file can say."""

    name: DeploymentName = Field(description="Starts every name and tag.")
    owner: TagText = Field(description="Value of the owner tag.", min_length=1)
    tags: dict[TagKey, TagText] = Field({}, max_length=MAX_TAGS, description="Further tags for everything.")
    region: Region = Field(description="Region of both accounts, for example ap-northeast-1.")
    state: State = State()
    dev: Dev | None = None
    prd: Prd | None = None
