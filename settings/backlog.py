"""The bridge from Backlog, as the deployment file describes it."""

import base64
import binascii
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, StrictInt, Tag, model_validator

from settings.codecommit import Repository
from settings.problems import Problem, raise_all, refuse
from settings.types import (
    Key,
    KmsKeyArn,
    LogRetentionDays,
    ParameterName,
    Part,
    PublicNetwork,
    Reason,
    RepositoryName,
    Settings,
    SubnetId,
    VpcId,
    closed_unless_meant,
)


def _host_key(line: str) -> str:
    """Accept one line of known_hosts whose key is really of the type it names."""
    hint = "paste the line of known_hosts: host, key type, key"
    match = re.fullmatch(r"(\S+) ((?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,2})", line)
    if not match:
        raise refuse(f"{line!r} is not a line of known_hosts", hint)
    try:
        blob = base64.b64decode(match[3], validate=True)
    except binascii.Error:
        raise refuse(f"{line!r} holds a damaged key", hint) from None
    kind = match[2].encode()
    if not blob.startswith(len(kind).to_bytes(4, "big") + kind) or len(blob) < 4 + len(kind) + 32:
        raise refuse(f"{line!r} holds a damaged key", hint)
    return line


class Space(Settings):
    """A Backlog space and how to reach its Git server."""

    domain: Literal["backlog.jp", "backlog.com"]
    known_hosts: tuple[Annotated[str, AfterValidator(_host_key)], ...] = Field(
        min_length=1,
        description="Lines of known_hosts that pin the space's host keys; check them by eye before pinning.",
    )
    ssh_key_parameter: ParameterName = Field(
        description="Name of the SSM SecureString that holds the private key. The key itself never stands here."
    )
    ssh_key_kms_key_arn: KmsKeyArn | None = Field(
        None, description="Customer-managed key of that parameter; by default AWS's own for SSM."
    )


class CreatedTarget(Repository):
    """A CodeCommit repository that the bridge creates."""

    create: RepositoryName


class CodeCommitTarget(Settings):
    """One of prd.codecommit's repositories."""

    codecommit: RepositoryName


def _kind_of_target(value: Any) -> str:
    made_here = isinstance(value, CreatedTarget) or (isinstance(value, dict) and "create" in value)
    return "created" if made_here else "existing"


class Mirror(Settings):
    """One Backlog repository and where it goes."""

    space: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,9}$")] = Field(
        description="A key of prd.backlog.spaces."
    )
    project: Annotated[str, Field(pattern=r"^[A-Z0-9_]{1,25}$")] = Field(description="The Backlog project's key.")
    repository: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")] = Field(
        description="The Backlog repository's name."
    )
    target: Annotated[
        Annotated[CreatedTarget, Tag("created")] | Annotated[CodeCommitTarget, Tag("existing")],
        Discriminator(_kind_of_target),
    ] = Field(
        description="`create: NAME` for a repository of the bridge's own, `codecommit: NAME` for one of prd.codecommit's."
    )


class Cache(Settings):
    """Where a build keeps its copy of the repository between runs."""

    mode: Literal["s3", "efs"] = Field("s3", description="An S3 bucket, or an EFS file system (needs vpc).")
    expiration_days: StrictInt = Field(30, ge=1, le=3650, description="How long an unused S3 cache is kept.")


class Vpc(Settings):
    """An existing VPC the builds run in, so that they leave from fixed NAT addresses."""

    id: VpcId
    subnet_ids: tuple[SubnetId, ...] = Field(
        min_length=1, description="Private subnets with a route to a NAT gateway, at most one a zone."
    )


class Webhook(Settings):
    """Who may start a mirror run."""

    sender_cidrs: tuple[PublicNetwork, ...] = Field(
        min_length=1, description="The addresses Nulab publishes as the senders of Backlog's webhooks."
    )
    open_to_the_world_because: Reason | None = Field(None, description="Why networks wider than /8 may send.")

    @model_validator(mode="after")
    def _closed(self) -> "Webhook":
        closed_unless_meant("sender_cidrs", self.sender_cidrs, self.open_to_the_world_because)
        return self


class Backlog(Part):
    """The bridge: a webhook, a build for each repository, a cache."""

    spaces: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,9}$")], Space] = Field(min_length=1)
    repositories: dict[Key, Mirror] = Field(
        min_length=1, description="Mirrors by a short key, part of names and of the URL."
    )
    webhook: Webhook
    cache: Cache = Cache()
    vpc: Vpc | None = Field(None, description="Run the builds in this VPC; needed for cache mode efs.")
    build_timeout_minutes: StrictInt = Field(60, ge=5, le=2160, description="After this a build is stopped, minutes.")
    log_retention_days: LogRetentionDays = Field(90, description="How long CloudWatch keeps the builds' logs.")

    @model_validator(mode="after")
    def _consistent(self) -> "Backlog":
        problems = []
        seen: dict[str, str] = {}
        for key, mirror in self.repositories.items():
            if mirror.space not in self.spaces:
                what = f"{mirror.space!r} is not one of prd.backlog.spaces"
                hint = f"use one of {', '.join(self.spaces)}, or add it there"
                problems.append(Problem(path=("repositories", key, "space"), what=what, hint=hint))
            name = target_name(mirror)
            if name in seen:
                what = f"{name!r} is already the target of {seen[name]!r}"
                hint = "one target mirrors one source: two would undo each other's pushes"
                problems.append(Problem(path=("repositories", key, "target"), what=what, hint=hint))
            seen.setdefault(name, key)
        if self.cache.mode == "efs" and self.vpc is None:
            problems.append(
                Problem(path=("cache", "mode"), what="'efs' needs a VPC", hint="give prd.backlog.vpc, or use mode: s3")
            )
        raise_all(problems)
        return self


def target_name(mirror: Mirror) -> str:
    """The name of the CodeCommit repository `mirror` pushes to."""
    return mirror.target.create if isinstance(mirror.target, CreatedTarget) else mirror.target.codecommit
