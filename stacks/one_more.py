"""A deployment with one more mirror, from which the handover sees what differs between mirrors if there is only one."""

from settings import Deployment
from settings.backlog import CreatedTargetSettings, MirrorSettings, git_host, mirrors

KEY = "one-more"
"""Of the mirror. Its other names have nothing in common with this one."""


def with_one_more_mirror(deployment: Deployment) -> Deployment | None:
    """The deployment with a second mirror of a second space, in a repository of the bridge's own.

    None if it has other than one mirror, or if its mirrors share builds by their spaces.
    """
    production = deployment.prd
    backlog = production.backlog if production is not None else None
    if production is None or backlog is None or backlog.isolation != "repository":
        return None
    known = mirrors(backlog)
    if len(known) != 1 or KEY in backlog.repositories or "nextspace" in backlog.spaces:
        return None
    (first,) = known.values()
    space, host = backlog.spaces[first.space], git_host(backlog, first)
    target = CreatedTargetSettings(
        create="next-target",
        description="The target that comes next",
        kms_key_arn=getattr(first.target, "kms_key_arn", None),
    )
    second = MirrorSettings(space="nextspace", project="NEXT", repository="next-source", target=target)
    second_space = space.model_copy(
        update={
            "known_hosts": tuple(line.replace(host, f"nextspace.git.{space.domain}") for line in space.known_hosts),
            "ssh_key_parameter": "/nextspace",
        }
    )
    larger = backlog.model_copy(
        update={
            "spaces": {**backlog.spaces, second.space: second_space},
            "repositories": {**backlog.repositories, KEY: second},
        }
    )
    return deployment.model_copy(update={"prd": production.model_copy(update={"backlog": larger})})
