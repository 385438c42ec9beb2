"""A deployment with one more mirror, from which the handover sees what differs between mirrors if there is only one."""

from settings import Deployment
from settings.backlog import CreatedTargetSettings, MirrorSettings, git_host, mirrors, target_name

KEY = "one-more"
"""Of the mirror. Its other names have nothing in common with this one."""
_SPACE, _TARGET = "nextspace", "next-target"


def with_one_more_mirror(deployment: Deployment) -> Deployment | None:
    """The deployment with a second mirror of a second space, in a repository of the bridge's own.

    None if it has other than one mirror, if its mirrors share builds by their spaces, or if a name is taken.
    """
    production = deployment.prd
    backlog = production.backlog if production is not None else None
    if production is None or backlog is None or backlog.isolation != "repository":
        return None
    known = mirrors(backlog)
    repositories = production.codecommit.repositories if production.codecommit is not None else {}
    taken = {*known, *backlog.repositories, *backlog.spaces, *repositories, *map(target_name, known.values())}
    if len(known) != 1 or taken & {KEY, _SPACE, _TARGET}:
        return None
    (first,) = known.values()
    space, host = backlog.spaces[first.space], git_host(backlog, first)
    target = CreatedTargetSettings(
        create=_TARGET,
        description="The target that comes next",
        kms_key_arn=getattr(first.target, "kms_key_arn", None),
    )
    second = MirrorSettings(space=_SPACE, project="NEXT", repository="next-source", target=target)
    second_space = space.model_copy(
        update={
            "known_hosts": tuple(line.replace(host, f"{_SPACE}.git.{space.domain}") for line in space.known_hosts),
            "ssh_key_parameter": f"/{_SPACE}",
        }
    )
    larger = backlog.model_copy(
        update={
            "spaces": {**backlog.spaces, second.space: second_space},
            "repositories": {**backlog.repositories, KEY: second},
        }
    )
    return deployment.model_copy(update={"prd": production.model_copy(update={"backlog": larger})})
