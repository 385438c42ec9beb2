"""Settings of the bridge from Backlog."""

import base64
import binascii
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, StrictInt, Tag, WithJsonSchema

from errors.shown import shown
from settings.cidrs import PublicCidr
from settings.codecommit import RepositorySettings
from settings.forms import OneOf, form_of
from settings.problems import refuse
from settings.projects import BacklogRepositoryName, ProjectKey, ProjectSettings, derived_key
from settings.schedules import ScheduleExpression
from settings.types import (
    ApiKeyParameter,
    ChatUrlParameter,
    Email,
    Flag,
    Key,
    KmsKeyArn,
    LogRetentionDays,
    Reason,
    RepositoryName,
    Settings,
    SpaceId,
    SshKeyParameter,
    SubnetId,
    VpcId,
)

Domain = Annotated[str, OneOf("backlog_domains", "a domain of Backlog", "backlog.jp", listed=True)]

_KEY = r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) ([A-Za-z0-9+/]+={0,2})"
_KNOWN_HOST = rf"([A-Za-z0-9.-]+) {_KEY}"
_PUBLIC_KEY = rf"{_KEY}( [ -~]{{1,200}})?"


def _host_key(line: str) -> str:
    """Accept one line of known_hosts whose key is really of the type it names."""
    match = re.fullmatch(_KNOWN_HOST, line)
    if not match:
        hint = "paste the line of known_hosts, not hashed: host, key type, key, with one space between them"
        raise refuse(f"{shown(line)} is not a line of known_hosts", hint)
    kind = match[2]
    fields = _fields(match[3])
    if fields[:1] != [kind.encode()] or len(fields) != (2 if kind == "ssh-ed25519" else 3):
        raise refuse(f"the key in {shown(line)} is damaged", "paste the whole line of known_hosts: host, key type, key")
    return line


def _public_key(line: str) -> str:
    """Accept one line of an SSH public key's file whose key is really of the type it names."""
    match = re.fullmatch(_PUBLIC_KEY, line)
    if not match:
        # The value may be the private key.
        repeated = "this" if "-----" in line or len(line) > 2000 else shown(line)
        hint = "paste the line of the key's .pub file, for example ssh-ed25519 AAAA… backlog"
        raise refuse(f"{repeated} is not an SSH public key", hint)
    fields = _fields(match[2])
    if fields[:1] != [match[1].encode()] or len(fields) != (2 if match[1] == "ssh-ed25519" else 3):
        raise refuse(f"the key in {shown(line)} is damaged", "paste the whole line of the key's .pub file")
    return line


def _fields(key: str) -> list[bytes]:
    """The fields of a public key (RFC 4253, section 6.6), each preceded by its length; none of a truncated key."""
    try:
        rest = base64.b64decode(key, validate=True)
    except binascii.Error:
        return []
    fields = []
    while rest:
        end = 4 + int.from_bytes(rest[:4], "big")
        if len(rest) < end:
            return []
        fields.append(rest[4:end])
        rest = rest[end:]
    return fields


class SpaceSettings(Settings):
    """A Backlog space and how to reach its Git server."""

    domain: Domain = Field(description="What follows the space in its address.")
    known_hosts: tuple[
        Annotated[
            str, AfterValidator(_host_key), WithJsonSchema({"type": "string", "pattern": f"^(?:{_KNOWN_HOST})$"})
        ],
        ...,
    ] = Field(
        min_length=1,
        description="Lines of known_hosts that pin the host keys of <space>.git.<domain>; compare them with Nulab's "
        "before pinning.",
    )
    api_key_parameter: ApiKeyParameter | None = Field(
        None,
        description="Name of the SSM SecureString with a key of Backlog's API, for `backlog-repositories` and "
        "`backlog-webhook register`. No build reads it. Never write the key itself here.",
    )
    ssh_key_parameter: SshKeyParameter = Field(
        description="Name of the SSM SecureString with the private key. Never write the key itself here."
    )
    ssh_key_kms_key_arn: KmsKeyArn | None = Field(
        None,
        description="Customer-managed key of that parameter, of the production account and in this region; by default "
        "AWS's own for SSM.",
    )
    ssh_public_key: (
        Annotated[
            str, AfterValidator(_public_key), WithJsonSchema({"type": "string", "pattern": f"^(?:{_PUBLIC_KEY})$"})
        ]
        | None
    ) = Field(
        None,
        description="The public half of that key, as registered in Backlog; `backlog-key` compares the stored key.",
    )


class CreatedTargetSettings(RepositorySettings):
    """A CodeCommit repository that the bridge creates."""

    model_config = ConfigDict(title="A repository of the bridge's own")

    create: RepositoryName = Field(description="Name of the repository.")


class CodeCommitTargetSettings(Settings):
    """One of prd.codecommit's repositories."""

    model_config = ConfigDict(title="One of prd.codecommit's repositories")

    codecommit: RepositoryName = Field(description="A key of prd.codecommit.repositories.")


def _kind_of_target(value: Any) -> str:
    if isinstance(value, CreatedTargetSettings):
        return "created"
    return form_of(value, {"created": ["create", "create_prefix"], "existing": ["codecommit"]}, "existing")


class MirrorSettings(Settings):
    """One Backlog repository, and the CodeCommit repository it is mirrored into."""

    model_config = ConfigDict(title="One Backlog repository")

    space: SpaceId = Field(description="A key of prd.backlog.spaces.")
    project: ProjectKey = Field(description="The Backlog project's key.")
    repository: BacklogRepositoryName = Field(description="The Backlog repository's name, without .git.")
    target: Annotated[
        Annotated[CreatedTargetSettings, Tag("created")] | Annotated[CodeCommitTargetSettings, Tag("existing")],
        Discriminator(_kind_of_target),
    ] = Field(
        description="The target: `create: NAME`, a repository of the bridge's own, or `codecommit: NAME`, one of "
        "prd.codecommit's."
    )


def _kind_of_entry(value: Any) -> str:
    if isinstance(value, ProjectSettings):
        return "of_project"
    # Not the name of a setting, which the place of an error would be mistaken for.
    named_by = {"of_project": ["from_project"], "of_repository": ["repository", "project"]}
    return form_of(value, named_by, "of_repository")


class CacheSettings(Settings):
    """Where a build keeps its copy of the repository between runs."""

    mode: Literal["s3", "efs", "none"] = Field(
        "none",
        description="Where the copy strategy keeps its copy. none: nowhere, because the target has what was mirrored "
        "before; s3: in a bucket; efs: in a file system (needs vpc). s3 and efs need `isolation: repository`.",
    )
    expiration_days: StrictInt = Field(30, ge=1, le=3650, description="How long an unused S3 cache is kept.")


class VpcSettings(Settings):
    """An existing VPC the builds run in, so that they leave from fixed NAT addresses."""

    id: VpcId = Field(description="The VPC.")
    subnet_ids: tuple[SubnetId, ...] = Field(
        min_length=1,
        # https://docs.aws.amazon.com/codebuild/latest/APIReference/API_VpcConfig.html
        max_length=16,
        description="Private subnets with a route to a NAT gateway, at most one a zone.",
    )


class WebhookSettings(Settings):
    """Which addresses may start a mirror run."""

    sender_cidrs: tuple[PublicCidr, ...] = Field(
        min_length=1, description="The addresses Nulab publishes as the senders of Backlog's webhooks."
    )
    open_to_the_world_because: Reason | None = Field(
        None, description="The reason for more addresses than a /8; without it they are refused."
    )


class AlertsSettings(Settings):
    """Who is notified when a mirror failed or had no successful run for too long."""

    emails: tuple[Email, ...] = Field(
        (), max_length=50, description="Addresses to notify; each has to confirm AWS's first message."
    )
    silent_hours: StrictInt = Field(
        6,
        ge=2,
        le=168,
        description="Raise an alarm when a mirror has differed, or none was reconciled, for this long, hours.",
    )
    webhook_parameter: ChatUrlParameter | None = Field(
        None,
        description="Name of an SSM SecureString, under AWS's own key, with the URL of a Slack or Teams webhook, which "
        "hears when a mirror fails and when it is well again.",
    )
    metric_of_each_mirror: Flag = Field(
        False,
        description="Whether CloudWatch keeps metrics of each mirror besides those of its unit, about 0.30 USD a month "
        "each.",
    )


class BacklogSettings(Settings):
    """The bridge: a webhook, and a build for each space or each repository."""

    spaces: dict[SpaceId, SpaceSettings] = Field(
        min_length=1, description="Backlog spaces by their id, the first part of their address."
    )
    repositories: dict[
        Key,
        Annotated[
            Annotated[MirrorSettings, Tag("of_repository")] | Annotated[ProjectSettings, Tag("of_project")],
            Discriminator(_kind_of_entry),
        ],
    ] = Field(
        min_length=1,
        description="Mirrors by a short key, part of names and of the URL: of one repository, or of a project's.",
    )
    deletion_protected: Flag = Field(
        True, description="Whether Terraform refuses to delete the repositories that the bridge creates."
    )
    webhook: WebhookSettings = Field(description="Which addresses may start a mirror run.")
    isolation: Literal["space", "repository"] = Field(
        "space",
        description="What has a build and a role of its own. space: each Backlog space, whose build narrows its "
        "permissions to one repository before it mirrors it; repository: each mirror, so that IAM itself keeps them "
        "apart, for a build's price each.",
    )
    transfer: Literal["relay", "copy"] = Field(
        "relay",
        description="How new commits travel. relay: the source's pack goes to the target as it is, and a copy is the "
        "fallback; copy: always by a copy.",
    )
    cache: CacheSettings = Field(
        CacheSettings(), description="Where a build keeps its copy of the repository between runs."
    )
    lfs: Literal["refuse", "warn"] = Field(
        "refuse",
        description="CodeCommit stores no Git LFS content. `refuse` stops a build whose source uses LFS, `warn` "
        "mirrors the history and warns.",
    )
    max_lost_percent: StrictInt = Field(
        50,
        ge=1,
        le=100,
        description="A build stops before it deletes 10 or more of the target's branches, or of its tags, and more "
        "than this share of them.",
    )
    max_rewritten_percent: StrictInt = Field(
        50,
        ge=1,
        le=100,
        description="A build stops before it moves 10 or more of the target's branches, and more than this share of "
        "them, to commits that do not contain their old ones; the same of tags that move.",
    )
    vpc: VpcSettings | None = Field(None, description="Run the builds in this VPC; needed for cache mode efs.")
    reconcile: ScheduleExpression = Field(
        "rate(1 hour)",
        description="When every mirror runs without a webhook, so that a lost webhook only delays a push.",
    )
    alerts: AlertsSettings = Field(
        AlertsSettings(), description="Who is notified when a mirror failed or had no successful run for too long."
    )
    build_timeout_minutes: StrictInt = Field(60, ge=5, le=2160, description="Stop a build after this time, minutes.")
    log_retention_days: LogRetentionDays = Field(90, description="How long CloudWatch keeps the builds' logs.")
    keep_logs_of: tuple[Key, ...] = Field(
        (),
        description="Builds that a change of isolation replaces, whose log groups stay: keys of mirrors, or of spaces "
        "with isolation: repository. Take a key out when its logs have expired.",
    )


def mirrors(backlog: BacklogSettings) -> dict[str, MirrorSettings]:
    """Every mirror of the bridge by its key, those of whole projects too."""
    found: dict[str, MirrorSettings] = {}
    for entry, settings in backlog.repositories.items():
        if isinstance(settings, MirrorSettings):
            found[entry] = settings
            continue
        for name in settings.agreed:
            target = CreatedTargetSettings(
                create=f"{settings.target.create_prefix}{name}",
                description=settings.target.description,
                kms_key_arn=settings.target.kms_key_arn,
            )
            found[derived_key(entry, name)] = MirrorSettings(
                space=settings.space, project=settings.from_project, repository=name, target=target
            )
    return found


def units(backlog: BacklogSettings) -> dict[str, dict[str, MirrorSettings]]:
    """The mirrors that share a build, by the build's unit: a space's, or each alone under its own key."""
    found: dict[str, dict[str, MirrorSettings]] = {}
    for key, mirror in mirrors(backlog).items():
        found.setdefault(mirror.space if backlog.isolation == "space" else key, {})[key] = mirror
    return found


def target_name(mirror: MirrorSettings) -> str:
    """The name of the CodeCommit repository `mirror` pushes to."""
    return mirror.target.create if isinstance(mirror.target, CreatedTargetSettings) else mirror.target.codecommit


def git_host(backlog: BacklogSettings, mirror: MirrorSettings) -> str:
    """The host that serves the mirror's source over SSH."""
    return f"{mirror.space}.git.{backlog.spaces[mirror.space].domain}"


def source_url(backlog: BacklogSettings, mirror: MirrorSettings) -> str:
    """The SSH URL that the mirror fetches from."""
    return f"{mirror.space}@{git_host(backlog, mirror)}:/{mirror.project}/{mirror.repository}.git"
