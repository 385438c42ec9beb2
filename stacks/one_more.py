"""A deployment with one more mirror, from which the handover sees what differs between members if there is only one."""

from settings import Deployment
from settings.backlog import (
    BacklogSettings,
    CreatedTargetSettings,
    MirrorSettings,
    git_host,
    mirrors,
    target_name,
    units,
)

KEY = "one-more"
"""Of the mirror. Its other names have nothing in common with this one."""
_SPACE, _TARGET = "nextspace", "next-target"


def with_one_more_mirror(deployment: Deployment) -> Deployment | None:
    """The deployment with one more mirror, into a repository of the bridge's own.

    A single mirror with a build of its own gets one of a second space. Where a build has all mirrors of a single space,
    a single repository of the bridge gets a second one. None for other deployments, and if a name is taken.
    """
    production = deployment.prd
    backlog = production.backlog if production is not None else None
    if production is None or backlog is None:
        return None
    known = mirrors(backlog)
    repositories = production.codecommit.repositories if production.codecommit is not None else {}
    taken = {*known, *backlog.repositories, *backlog.spaces, *repositories, *map(target_name, known.values())}
    if taken & {KEY, _SPACE, _TARGET}:
        return None
    created = [it for it in known.values() if isinstance(it.target, CreatedTargetSettings)]
    if backlog.isolation == "repository":
        larger = _with_another_space(backlog, *known.values()) if len(known) == 1 else None
    else:
        larger = _with_another_target(backlog, *created) if len(created) == len(units(backlog)) == 1 else None
    if larger is None:
        return None
    return deployment.model_copy(update={"prd": production.model_copy(update={"backlog": larger})})


def _with_another_space(backlog: BacklogSettings, first: MirrorSettings) -> BacklogSettings:
    space, host = backlog.spaces[first.space], git_host(backlog, first)
    second_space = space.model_copy(
        update={
            "known_hosts": tuple(line.replace(host, f"{_SPACE}.git.{space.domain}") for line in space.known_hosts),
            "ssh_key_parameter": f"/{_SPACE}",
        }
    )
    return backlog.model_copy(
        update={
            "spaces": {**backlog.spaces, _SPACE: second_space},
            "repositories": {**backlog.repositories, KEY: _next(_SPACE, first)},
        }
    )


def _with_another_target(backlog: BacklogSettings, first: MirrorSettings) -> BacklogSettings:
    return backlog.model_copy(update={"repositories": {**backlog.repositories, KEY: _next(first.space, first)}})


def _next(space: str, first: MirrorSettings) -> MirrorSettings:
    target = CreatedTargetSettings(
        create=_TARGET,
        description="The target that comes next",
        kms_key_arn=getattr(first.target, "kms_key_arn", None),
    )
    return MirrorSettings(space=space, project="NEXT", repository="next-source", target=target)
