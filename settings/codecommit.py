"""Production's repositories and the two users of them, as the deployment file describes them."""

from typing import Literal

from pydantic import Field, model_validator

from settings.problems import Problem, raise_all
from settings.types import (
    Description,
    Flag,
    KmsKeyArn,
    Part,
    PublicNetwork,
    Reason,
    RepositoryName,
    Settings,
    closed_unless_meant,
)


class Repository(Settings):
    """One CodeCommit repository."""

    description: Description = Field("", description="Shown in the console, at most 1,000 characters.")
    kms_key_arn: KmsKeyArn | None = Field(
        None, description="Customer-managed key; by default AWS's own for CodeCommit."
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
    open_to_the_world_because: Reason | None = Field(None, description="Why networks wider than /8 may push.")

    @model_validator(mode="after")
    def _one_source(self) -> "Push":
        if (self.from_cidrs is None) == (self.from_stack is None):
            given = "both from_cidrs and from_stack are given" if self.from_cidrs else "no source is given"
            raise_all([Problem(what=given, hint="give from_cidrs, or from_stack to take them from its outputs")])
        closed_unless_meant("from_cidrs", self.from_cidrs or (), self.open_to_the_world_because)
        return self


class Pull(Settings):
    """Where the pull user works from: the isolated room."""

    from_cidrs: tuple[PublicNetwork, ...] = Field(
        min_length=1, description="Public addresses the isolated room leaves from."
    )
    open_to_the_world_because: Reason | None = Field(None, description="Why networks wider than /8 may pull.")

    @model_validator(mode="after")
    def _closed(self) -> "Pull":
        closed_unless_meant("from_cidrs", self.from_cidrs, self.open_to_the_world_because)
        return self


class CodeCommit(Part):
    """The repositories, and who pushes and pulls."""

    repositories: dict[RepositoryName, Repository | None] = Field(
        min_length=1, description="Repositories by name; an empty value takes the defaults."
    )
    deletion_protected: Flag = Field(True, description="Whether Terraform refuses to delete a repository.")
    push: Push | None = Field(
        None, description="Where GitLab pushes from; leave it out where only Backlog's bridge pushes."
    )
    pull: Pull

    @model_validator(mode="after")
    def _push_and_pull_are_apart(self) -> "CodeCommit":
        raise_all(
            [
                Problem(
                    path=("push", "from_cidrs", index),
                    what=f"'{network}' overlaps '{other}', which may pull",
                    hint="the isolated room must not be able to push: keep the two lists apart",
                )
                for index, network in enumerate((self.push and self.push.from_cidrs) or ())
                for other in self.pull.from_cidrs
                if network.overlaps(other)
            ]
        )
        return self
