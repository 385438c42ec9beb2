"""What the units of the bridge work with: their names, their configs, and the names that a webhook knows."""

from dataclasses import dataclass
from typing import Any

from cdktf import Postcondition

from buildspec import render
from modules.labels import Labels
from settings import Deployment
from settings.backlog import (
    BacklogSettings,
    CreatedTargetSettings,
    MirrorSettings,
    SpaceSettings,
    git_host,
    target_name,
    units,
)
from settings.codecommit import RepositorySettings
from terraform.facts import MirrorUnit
from terraform.templates import jsonencode

PROGRAM_KEY = "mirror.sh"
MIRRORING_ROLE = "backlog-mirror"
"""What the names of the roles start with that work with targets."""


@dataclass(frozen=True, kw_only=True)
class BridgeUnit:
    """A build and its mirrors, all of one space.

    `key` is the space's or the mirror's. `name` is the build project's, and stands for the unit wherever the account
    has units of several deployments: in metrics, in events and in the tag of its targets. `mirroring_role` is the name
    of the role that works with the targets: the build's own where it has one target, else one that the build narrows.
    """

    key: str
    name: str
    mirrors: dict[str, MirrorSettings]
    space: SpaceSettings
    mirroring_role: str
    builds_assume: bool
    state_parameter: str

    @property
    def config_key(self) -> str:
        """The name of its config in the bucket of programs."""
        return f"units/{self.key}.json"


def bridge_units(deployment: Deployment, settings: BacklogSettings) -> dict[str, BridgeUnit]:
    """The units of the bridge by their keys."""
    labels, found = bridge_labels(deployment), {}
    for key, mirrors in units(settings).items():
        first = next(iter(mirrors.values()))
        found[key] = BridgeUnit(
            key=key,
            name=labels.name("backlog", key),
            mirrors=mirrors,
            space=settings.spaces[first.space],
            mirroring_role=labels.name(MIRRORING_ROLE, key, limit=64),
            builds_assume=settings.isolation == "space",
            state_parameter=f"/kakehashi/{deployment.name}/prd/backlog/{key}",
        )
    return found


def mirroring_units(deployment: Deployment) -> dict[str, str]:
    """The name of the unit that fills each repository, by the repository's name."""
    backlog = deployment.prd.backlog if deployment.prd is not None else None
    if backlog is None:
        return {}
    filled = bridge_units(deployment, backlog).values()
    return {target_name(mirror): unit.name for unit in filled for mirror in unit.mirrors.values()}


def unit_config(deployment: Deployment, settings: BacklogSettings, unit: BridgeUnit) -> str:
    """What `buildspec/mirror/` reads as unit.json, as Terraform's `jsonencode` writes it."""
    first, account = next(iter(unit.mirrors.values())), bridge_account(deployment)
    config = {
        "unit": unit.name,
        "region": deployment.region,
        "account_id": account,
        "source": {
            "host": git_host(settings, first),
            "user": first.space,
            "known_hosts": list(unit.space.known_hosts),
            "key_parameter": unit.space.ssh_key_parameter,
        },
        "role_arn": f"arn:aws:iam::{account}:role/{unit.mirroring_role}" if unit.builds_assume else None,
        "transfer": settings.transfer,
        "cache": settings.cache.mode,
        "lfs": settings.lfs,
        "max_lost_percent": settings.max_lost_percent,
        "max_rewritten_percent": settings.max_rewritten_percent,
        "alert_hours": settings.alerts.silent_hours,
        "timeout_minutes": settings.build_timeout_minutes,
        "state_parameter": unit.state_parameter,
        "notify_parameter": settings.alerts.webhook_parameter,
        "metric_of_each_mirror": settings.alerts.metric_of_each_mirror,
        "mirrors": {
            key: {
                "project": mirror.project,
                "repository": mirror.repository,
                "target": target_name(mirror),
                "key_arn": target_settings(deployment, mirror).kms_key_arn,
            }
            for key, mirror in unit.mirrors.items()
        },
    }
    return jsonencode(config)


def config_checks() -> list[Postcondition]:
    """What Terraform refuses in a unit's config: what its build would refuse, and two sources of one target."""
    mirrors = "jsondecode(self.content).mirrors"
    names = "key_arn,project,repository,target"
    return [
        Postcondition(
            condition=f'${{alltrue([for mirror in values({mirrors}) : join(",", keys(mirror)) == "{names}"])}}',
            error_message="Every mirror has project, repository, target, and key_arn: null for a target without a key.",
        ),
        Postcondition(
            condition=f"${{length(distinct([for mirror in values({mirrors}) : try(mirror.target, null)])) == "
            f"length({mirrors})}}",
            error_message="Two mirrors have the same target: give each mirror a repository of its own.",
        ),
    ]


def unit_buildspec(deployment: Deployment, settings: BacklogSettings, unit: BridgeUnit) -> str:
    """The buildspec of a unit's builds."""
    return render.unit_buildspec(
        render.UnitBuildspec(
            bucket=program_bucket(deployment),
            program_key=PROGRAM_KEY,
            program=render.mirror_program(),
            config_key=unit.config_key,
            config=unit_config(deployment, settings, unit),
            cache=settings.cache.mode,
        )
    )


def unit_fact(deployment: Deployment, settings: BacklogSettings, unit: BridgeUnit, build: str) -> MirrorUnit:
    """What the build `build` mirrors into, and what else it uses."""
    bucket = program_bucket(deployment)
    return MirrorUnit(
        unit=unit.name,
        build=build,
        targets=sorted(map(target_name, unit.mirrors.values())),
        ssh_key_parameter=unit.space.ssh_key_parameter,
        ssh_key_kms_key=unit.space.ssh_key_kms_key_arn,
        state_parameter=unit.state_parameter,
        notify_parameter=settings.alerts.webhook_parameter,
        program=[f"{bucket}/{PROGRAM_KEY}", f"{bucket}/{unit.config_key}"],
        cache=f"{cache_bucket(deployment)}/{unit.key}" if settings.cache.mode == "s3" else None,
        target_kms_keys=target_keys(deployment, unit),
        subnets=list(settings.vpc.subnet_ids) if settings.vpc is not None else [],
    )


def hooks(deployment: Deployment, settings: BacklogSettings) -> dict[str, tuple[str, str]]:
    """The build project that a webhook starts, and the mirror or the Backlog project it asks for, by the hook's name.

    A mirror's key has no dot, which every name of a project's hook has.
    """
    found: dict[str, tuple[str, str]] = {}
    for unit in bridge_units(deployment, settings).values():
        found |= {key: (unit.name, key) for key in unit.mirrors}
        if settings.isolation == "space":
            projects = {f"{mirror.space}.{mirror.project}" for mirror in unit.mirrors.values()}
            found |= {project: (unit.name, project) for project in sorted(projects)}
    return found


def collections(settings: BacklogSettings) -> dict[str, dict[str, dict[str, Any]]]:
    """The mirrors that share builds, for the handover: see `ops.handover.metadata.Collection`."""
    spaces = list(units(settings))
    # Each of several spaces has its own mirrors: its key is the space's name.
    start = f"{spaces[0]}." if len(spaces) == 1 else "{key}."
    return {"mirrors": {"arns": {"codecommit": "target", "kms": "key_arn"}, "lists": {"hooks": {"project": start}}}}


def target_settings(deployment: Deployment, mirror: MirrorSettings) -> RepositorySettings:
    """The settings of the repository that a mirror fills."""
    if isinstance(mirror.target, CreatedTargetSettings):
        return mirror.target
    codecommit = deployment.prd.codecommit if deployment.prd is not None else None
    if codecommit is None:
        raise ValueError(f"{mirror.target.codecommit} needs prd.codecommit")
    return codecommit.repositories[mirror.target.codecommit] or RepositorySettings()


def target_keys(deployment: Deployment, unit: BridgeUnit) -> list[str]:
    """The KMS keys of a unit's targets that have one of their own."""
    keys = {target_settings(deployment, mirror).kms_key_arn for mirror in unit.mirrors.values()}
    return sorted(key for key in keys if key is not None)


def program_bucket(deployment: Deployment) -> str:
    """The name of the bucket that builds fetch their program from."""
    return bridge_labels(deployment).name("backlog-program", bridge_account(deployment), limit=63)


def cache_bucket(deployment: Deployment) -> str:
    """The name of the bucket that builds keep their copies in, with the cache mode s3."""
    return bridge_labels(deployment).name("backlog-cache", bridge_account(deployment), limit=63)


def bridge_labels(deployment: Deployment) -> Labels:
    """What the names of the bridge start with."""
    return Labels(project=deployment.name, environment="prd", owner=deployment.owner)


def bridge_account(deployment: Deployment) -> str:
    """The id of the account with the bridge."""
    if deployment.prd is None:
        raise ValueError("the bridge needs prd")
    return deployment.prd.account.id
