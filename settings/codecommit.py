"""Settings of production's repositories: the push user and the rooms that pull."""

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from settings.cidrs import PublicCidr
from settings.forms import Matching
from settings.gitlab import GitlabProject
from settings.types import Description, Email, Flag, KmsKeyArn, Reason, RepositoryName, Settings, VpcEndpointId
from settings.urls import ApiUrl

# A room's name is part of its IAM user's name and of its Terraform variable's name.
RoomName = Annotated[
    str,
    Matching(r"[a-z][a-z0-9_]{0,29}", "the name of a room", "use 1-30 of a-z, 0-9 and '_', starting with a letter"),
]
RepositoryPrefix = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9._-]{1,99}",
        "the beginning of a repository's name",
        "write 1-99 letters, digits, '.', '_' and '-', for example payments-",
    ),
]


class RepositorySettings(Settings):
    """One CodeCommit repository."""

    description: Description = Field("", description="Shown in the console, at most 1,000 characters.")
    kms_key_arn: KmsKeyArn | None = Field(
        None,
        description="Customer-managed key of the production account, in this region; by default AWS's own for "
        "CodeCommit.",
    )


class PushedRepositorySettings(RepositorySettings):
    """One of prd.codecommit's repositories, and the GitLab project that is mirrored into it, if any."""

    gitlab_project: GitlabProject | None = Field(
        None,
        description="Path of the GitLab project whose push mirror `gitlab-mirror apply` sets up, for example "
        "platform/infrastructure.",
    )
    only_protected_branches: Flag = Field(
        False, description="Whether that mirror pushes the project's protected branches only."
    )


class CredentialsSettings(Settings):
    """The users' Git credentials, which are not issued by Terraform."""

    max_age_days: StrictInt = Field(
        90, ge=1, le=3650, description="`credentials list` warns about older credentials, days."
    )
    kms_key_arn: KmsKeyArn | None = Field(
        None,
        description="Customer-managed key of the credentials' secrets, of the production account and in this region; "
        "by default AWS's own for Secrets Manager.",
    )


PushStack = Literal["dev-network", "dev-gitlab"]


class PushSettings(Settings):
    """The addresses of the push user; with neither list nor stack, those that the deployment's GitLab leaves from."""

    gitlab_url: ApiUrl | None = Field(None, description="URL of GitLab's API; by default dev.gitlab.external_url.")

    from_cidrs: tuple[PublicCidr, ...] | None = Field(
        None, min_length=1, description="Public addresses the mirror leaves from."
    )
    from_stack: PushStack | None = Field(
        None,
        description="Take the addresses from that stack's outputs through remote state: the NAT gateways' of "
        "dev-network, or the server's own of dev-gitlab.",
    )
    open_to_the_world_because: Reason | None = Field(
        None, description="The reason for more addresses than a /8; without it they are refused."
    )


class PullSettings(Settings):
    """The addresses of a room's pull user: `from_cidrs` or `from_vpc_endpoints`."""

    from_cidrs: tuple[PublicCidr, ...] | None = Field(
        None, min_length=1, description="Public addresses the isolated room leaves from."
    )
    from_vpc_endpoints: tuple[VpcEndpointId, ...] | None = Field(
        None,
        min_length=1,
        description="Instead of addresses: the room's VPC endpoints for git-codecommit and codecommit, which the user "
        "can then only work through. AWS documents this, but it was not tested with real AWS: try it first.",
    )
    open_to_the_world_because: Reason | None = Field(
        None, description="The reason for more addresses than a /8; without it they are refused."
    )


class RoomSettings(PullSettings):
    """One of several isolated rooms, with its own pull user, addresses and repositories."""

    repositories: tuple[RepositoryName, ...] | None = Field(
        None,
        min_length=1,
        description="What the room may pull: keys of prd.codecommit.repositories, and repositories that a Backlog "
        "mirror creates; by default all.",
    )


class DetectionSettings(Settings):
    """Who is notified when Git is used from another address, and of new credentials."""

    emails: tuple[Email, ...] = Field(
        (), max_length=50, description="Addresses to notify; each has to confirm AWS's first message."
    )
    trail_retention_days: StrictInt | None = Field(
        None,
        ge=1,
        le=3650,
        description="Create a CloudTrail trail too, and keep its files for so many days; leave it out if the account "
        "has a trail already.",
    )


class CodeCommitSettings(Settings):
    """The repositories, the push user and the pull users."""

    repositories: dict[RepositoryName, PushedRepositorySettings | None] = Field(
        min_length=1, description="Repositories by name; an empty value takes the defaults."
    )
    own_prefixes: tuple[RepositoryPrefix, ...] = Field(
        (),
        description="Beginnings of names that only this deployment's repositories have in this account and region: "
        "policies then name payments-* instead of each repository, so that more repositories fit into them.",
    )
    deletion_protected: Flag = Field(
        True, description="Whether Terraform refuses to delete a repository, or the bucket with the trail's files."
    )
    push: PushSettings | None = Field(
        None, description="The push user's addresses; leave it out if only Backlog's bridge pushes."
    )
    pull: PullSettings | None = Field(None, description="The isolated room's addresses; with several rooms, see rooms.")
    rooms: dict[RoomName, RoomSettings] = Field(
        {}, description="Isolated rooms by name, each with its own pull user, in addition to pull or instead of it."
    )
    detection: DetectionSettings | None = Field(
        None,
        description="Notify people of a push or pull from an address outside these lists, and of a new Git credential. "
        "Needs a CloudTrail trail that logs management events, read and write.",
    )
    credentials: CredentialsSettings = Field(
        CredentialsSettings(), description="The users' Git credentials, which are not issued by Terraform."
    )
