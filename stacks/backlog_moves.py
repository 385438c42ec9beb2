"""What becomes of the bridge's resources when `isolation` changes, as it does for who had a build for each repository.

A log group without a build stays: as a resource where `keep_logs_of` has its build, and otherwise `removed` takes it
out of the state alone. Terraform refuses to forget a log group in the plan that destroys its build (`Error: Cycle`), so
a change that nobody told it of loses nothing. Where two would have the same name, one moves: a mirror has the key of a
space, or its hook had the path that all hooks have now.
https://developer.hashicorp.com/terraform/language/block/removed
"""

from collections.abc import Iterator
from typing import Any

from modules.webhook_api import HOOKS
from settings.backlog import BacklogSettings, mirrors

SCOPES = {"space": "spaces", "repository": "mirrors"}
"""The construct that holds the builds, by `isolation`."""

OTHER = {"space": "repository", "repository": "space"}
"""The other `isolation`."""

_HOOKS_PATH = "aws_api_gateway_resource.webhook_hooks"

_WHY_FORGOTTEN = (
    "If the bridge had a build for each {} before, their log groups leave the state with the first apply, and stay in "
    "AWS with their logs."
)

# What a build for a space has under the same name, by what a build for a mirror has.
_SAME_NAME = {
    "aws_cloudwatch_log_group.{}_log_group": "aws_cloudwatch_log_group.{}_log_group",
    "aws_codebuild_project.{}_project": "aws_codebuild_project.{}_project",
    "aws_iam_role.{}_role": "aws_iam_role.{}_mirror_role",
    "aws_iam_role_policy.{}_role_policy": "aws_iam_role_policy.{}_mirror_role_policy",
    "aws_ssm_parameter.{}_state": "aws_ssm_parameter.{}_state",
}


def kept(settings: BacklogSettings) -> list[str]:
    """The builds that are gone and whose log groups stay in Terraform, by their units' keys."""
    both = _of_mirrors_and_spaces(settings)
    return [key for key in settings.keep_logs_of if key not in both]


def blocks(settings: BacklogSettings) -> dict[str, list[dict[str, Any]]]:
    """The `moved` and `removed` blocks by their kind."""
    both, stay = _of_mirrors_and_spaces(settings), kept(settings)
    gone = mirrors(settings) if settings.isolation == "space" else _spaces(settings)
    removed = [_forgotten(OTHER[settings.isolation], key) for key in gone if key not in both and key not in stay]
    if removed:  # the first one stands above all others in the HCL
        removed[0]["//"] = {"comment": _WHY_FORGOTTEN.format(OTHER[settings.isolation])}
    moved = [move for key in both for move in _moves(settings.isolation, key)]
    if HOOKS in mirrors(settings):
        moved.append({"from": f"{_HOOKS_PATH}_{HOOKS}_resource", "to": _HOOKS_PATH})
    return {kind: found for kind, found in (("moved", moved), ("removed", removed)) if found}


def _spaces(settings: BacklogSettings) -> list[str]:
    return list(dict.fromkeys(mirror.space for mirror in mirrors(settings).values()))


def _of_mirrors_and_spaces(settings: BacklogSettings) -> list[str]:
    """The keys that a mirror and a space have, in whose place one build follows the other."""
    return [key for key in mirrors(settings) if key in _spaces(settings)]


def _forgotten(isolation: str, key: str) -> dict[str, Any]:
    address = f"aws_cloudwatch_log_group.{SCOPES[isolation]}_{key}_log_group"
    return {"from": address, "lifecycle": {"destroy": False}}


def _moves(isolation: str, key: str) -> Iterator[dict[str, str]]:
    for mirror, space in _SAME_NAME.items():
        named = {"repository": mirror.format(f"mirrors_{key}"), "space": space.format(f"spaces_{key}")}
        yield {"from": named[OTHER[isolation]], "to": named[isolation]}
