"""Production's repositories, who pushes to them and which rooms pull, as the deployment file describes them."""

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from settings.cidrs import PublicCidr
from settings.forms import Matching
from settings.gitlab import GitlabProject
from settings.types import Description, Email, Flag, KmsKeyArn, Reason, RepositoryName, Settings, VpcEndpointId
from settings.urls import ApiUrl

# Part of an IAM user's name, and of the name of a Terraform variable.
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
    """One of prd.codecommit's repositories, and the GitLab project that is mirrored into it, if one is."""

    gitlab_project: GitlabProject | None = Field(
        None,
        description="Path of the GitLab project whose push mirror `gitlab-mirror apply` sets up, for example "
        "platform/infrastructure.",
    )
    only_protected_branches: Flag = Field(
        False, description="Whether that mirror carries the project's protected branches alone."
    )


class CredentialsSettings(Settings):
    """The users' Git credentials, which are issued outside Terraform."""

    max_age_days: StrictInt = Field(
        90, ge=1, le=3650, description="`credentials list` warns of a credential that is older."
    )
    kms_key_arn: KmsKeyArn | None = Field(
        None,
        description="Customer-managed key of the secrets that hold them, of the production account and in this region; "
        "by default AWS's own for Secrets Manager.",
    )


PushStack = Literal["dev-network", "dev-gitlab"]


class PushSettings(Settings):
    """Where the push user works from; with neither list nor stack, where the deployment's GitLab leaves from."""

    gitlab_url: ApiUrl | None = Field(
        None, description="Where GitLab's API answers; by default dev.gitlab.external_url."
    )

    from_cidrs: tuple[PublicCidr, ...] | None = Field(
        None, min_length=1, description="Public addresses the mirror leaves from."
    )
    from_stack: PushStack | None = Field(
        None,
        description="Take the addresses from that stack's outputs through remote state: the NAT gateways' of "
        "dev-network, or the server's own of dev-gitlab.",
    )
    open_to_the_world_because: Reason | None = Field(
        None, description="Why more addresses than a /8 holds may push; without it they are refused."
    )


class PullSettings(Settings):
    """Where a room's pull user works from: `from_cidrs` or `from_vpc_endpoints`."""

    from_cidrs: tuple[PublicCidr, ...] | None = Field(
        None, min_length=1, description="Public addresses the isolated room leaves from."
    )
    from_vpc_endpoints: tuple[VpcEndpointId, ...] | None = Field(
        None,
        min_length=1,
        description="Instead of addresses: the room's VPC endpoints for git-codecommit and codecommit, the only way "
        "in then. AWS documents this; it was not proved in the field, so try it before you rely on it.",
    )
    open_to_the_world_because: Reason | None = Field(
        None, description="Why more addresses than a /8 holds may pull; without it they are refused."
    )


class RoomSettings(PullSettings):
    """One of several isolated rooms: its own pull user, its own way in, its own repositories."""

    repositories: tuple[RepositoryName, ...] | None = Field(
        None,
        min_length=1,
        description="What the room may pull: keys of prd.codecommit.repositories, and what a Backlog mirror creates; "
        "by default all of them.",
    )


class DetectionSettings(Settings):
    """Who hears of Git used from elsewhere, and of new credentials."""

    emails: tuple[Email, ...] = Field(
        (), max_length=50, description="Addresses told of it; each has to confirm AWS's first message."
    )
    trail_retention_days: StrictInt | None = Field(
        None,
        ge=1,
        le=3650,
        description="Make a CloudTrail trail too, and keep its files for so many days; leave it out where the account "
        "has a trail already.",
    )


class CodeCommitSettings(Settings):
    """The repositories, and who pushes and pulls."""

    repositories: dict[RepositoryName, PushedRepositorySettings | None] = Field(
        min_length=1, description="Repositories by name; an empty value takes the defaults."
    )
    own_prefixes: tuple[RepositoryPrefix, ...] = Field(
        (),
        description="Beginnings of names that no repository of this account and region has but this deployment's: "
        "policies then say payments-* instead of each name, and more repositories fit into them.",
    )
    deletion_protected: Flag = Field(True, description="Whether Terraform refuses to delete a repository.")
    push: PushSettings | None = Field(
        None, description="Where GitLab pushes from; leave it out where only Backlog's bridge pushes."
    )
    pull: PullSettings | None = Field(
        None, description="Where the isolated room pulls from; with several rooms, see rooms."
    )
    rooms: dict[RoomName, RoomSettings] = Field(
        {}, description="Isolated rooms by name, each with a pull user of its own, beside pull or instead of it."
    )
    detection: DetectionSettings | None = Field(
        None,
        description="Tell people when somebody pushes or pulls from an address outside these lists, or makes a "
        "credential for Git. Needs a CloudTrail trail that logs management events, read and write.",
    )
    credentials: CredentialsSettings = Field(
        CredentialsSettings(), description="The users' Git credentials, which are issued outside Terraform."
    )
