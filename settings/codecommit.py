"""Production's repositories and the two users of them, as the deployment file describes them."""

from typing import Literal

from pydantic import Field

from settings.types import Description, Flag, KmsKeyArn, PublicNetwork, Reason, RepositoryName, Settings


class Repository(Settings):
    """One CodeCommit repository."""

    description: Description = Field("", description="Shown in the console, at most 1,000 characters.")
    kms_key_arn: KmsKeyArn | None = Field(
        None,
        description="Customer-managed key of the production account, in this region; by default AWS's own for "
        "CodeCommit.",
    )


class Push(Settings):
    """Where the push user works from."""

    from_cidrs: tuple[PublicNetwork, ...] | None = Field(
        None, min_length=1, description="Public addresses the mirror leaves from."
    )
    from_stack: Literal["dev-network", "dev-gitlab"] | None = Field(
        None,
        description="Take the addresses from that stack's outputs through remote state: the NAT gateways' of "
        "dev-network, or the server's own of dev-gitlab.",
    )
    open_to_the_world_because: Reason | None = Field(
        None, description="Why more addresses than a /8 holds may push; without it they are refused."
    )


class Pull(Settings):
    """Where the pull user works from: the isolated room."""

    from_cidrs: tuple[PublicNetwork, ...] = Field(
        min_length=1, description="Public addresses the isolated room leaves from."
    )
    open_to_the_world_because: Reason | None = Field(
        None, description="Why more addresses than a /8 holds may pull; without it they are refused."
    )


class CodeCommit(Settings):
    """The repositories, and who pushes and pulls."""

    repositories: dict[RepositoryName, Repository | None] = Field(
        min_length=1, description="Repositories by name; an empty value takes the defaults."
    )
    deletion_protected: Flag = Field(True, description="Whether Terraform refuses to delete a repository.")
    push: Push | None = Field(
        None, description="Where GitLab pushes from; leave it out where only Backlog's bridge pushes."
    )
    pull: Pull = Field(description="Where the isolated room pulls from.")
