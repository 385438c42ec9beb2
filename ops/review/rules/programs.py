"""Rules about code: what runs on servers and in builds, and with which role."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from iam import powers
from iam.chains import ASSUME, assumed_from
from iam.matching import names_action
from iam.model import Identity
from iam.statements import UnsupportedError
from ops.review.access_table import AccessTable, table
from ops.review.changed_values import configured_differences, items, listed
from ops.review.plan_moment import PlanMoment
from ops.review.rule import Plans, ReviewedChange, ReviewFinding, rule
from ops.review.text import code, codes, count
from ops.review.translatable import Joined, said
from terraform.plan_configuration import module_of
from terraform.plan_values import any_marked, marked

_BUILD, _FETCHED = "aws_codebuild_project", "aws_s3_object"
_DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_MOST_NAMES = 3

Texts = Mapping[str, frozenset[str]]
"""The addresses of the objects that have a text, by its digest."""


@rule(
    id="mirror-runs-otherwise",
    what="A build with access to repositories, or to a role that has it, runs something else.",
    why="IAM does not see what it does with what it reads, nor what it writes to which target: what it runs decides.",
)
def mirror_runs_otherwise(plans: Plans) -> Iterator[ReviewFinding]:
    before, after = _fetched(plans, is_after=False), _fetched(plans, is_after=True)
    fetched = {_place(change): change for change in plans.changes(_FETCHED) if change.deposed is None}
    running: dict[str, dict[str, str]] = {}
    for change in plans.changes(_BUILD):
        if (reached := _reached(plans, change)) is None:
            continue
        named = {place: fetched[place] for place in _named(change.after, after)}
        for place in named:
            running.setdefault(place, {})[str(change.after.get("name"))] = reached
        changed = [name for name in _changed(change) if not _is_only_fetched(change, name, before, after)]
        if _has_only_other_versions(change, named):
            changed = [name for name in changed if name != "environment"]
        if changed:
            what = said("what it runs changes ({arguments}): {reached}", arguments=codes(changed), reached=reached)
            yield _shown(change, what, changed)
    for change in plans.changes(_FETCHED):
        builds = running.get(_place(change), {})
        changed = _changed(change)
        if builds and changed and not _is_only_another_mirror(change):
            names = codes(sorted(builds)[:_MOST_NAMES])
            if (more := len(builds) - _MOST_NAMES) > 0:
                names = said("{names} and {builds}", names=names, builds=count(more, "other build"))
            run = "what {names} runs changes: {reached}" if len(builds) == 1 else "what {names} run changes: {reached}"
            yield _shown(change, said(run, names=names, reached=Joined("; ", dict.fromkeys(builds.values()))), changed)


@rule(
    id="runs-otherwise",
    what="The code that a server or a build runs changes, or its role.",
    why="The code has that role's permissions; read it before it runs.",
    dangerous=False,
)
def runs_otherwise(plans: Plans) -> Iterator[ReviewFinding]:
    said_already = {(one.stack, one.address) for one in mirror_runs_otherwise.findings(plans)}
    for change in plans.changes(*_CODE_AND_ROLE):
        if (changed := _changed(change)) and (change.stack, change.address) not in said_already:
            yield _shown(change, said("its code or its role changes: {arguments}", arguments=codes(changed)), changed)


# https://registry.terraform.io/providers/hashicorp/aws/latest/docs, collected on 2026-11-24
_CODE_AND_ROLE = {
    "aws_codebuild_project": ("source", "environment", "service_role", "vpc_config"),
    "aws_instance": ("user_data", "user_data_base64", "iam_instance_profile"),
    "aws_launch_configuration": ("user_data", "user_data_base64", "iam_instance_profile"),
    "aws_launch_template": ("user_data", "iam_instance_profile"),
    "aws_spot_instance_request": ("user_data", "user_data_base64", "iam_instance_profile"),
    "aws_lambda_function": ("source_code_hash", "image_uri", "handler", "role"),
    "aws_s3_object": ("bucket", "key", "content", "content_base64", "source", "source_hash", "etag"),
    "aws_ssm_document": ("content",),
    "aws_ssm_association": ("parameters", "name"),
    "aws_cloudwatch_event_target": ("arn", "role_arn", "input"),
    "aws_scheduler_schedule": ("target",),
}
"""The attributes, by type, that decide what runs and with which role."""


def _changed(change: ReviewedChange) -> list[str]:
    """The attributes of an object that was there before by which something runs otherwise."""
    return [
        name
        for name in (_CODE_AND_ROLE[change.type] if change.appears and change.before else ())
        if change.unknown(name) or change.before.get(name) != change.after.get(name)
    ]


def _shown(change: ReviewedChange, what: str, changed: list[str]) -> ReviewFinding:
    found = [one for one in configured_differences(change) if one.name in changed]
    return replace(change.finding(what, *changed), details=items(listed(found)))


def _place(change: ReviewedChange) -> str:
    return f"{change.stack}/{change.address}"


def _fetched(plans: Plans, *, is_after: bool) -> Texts:
    """The objects whose text the plans know, before or after the apply."""
    moment = PlanMoment(plans, is_after, str)
    found: dict[str, frozenset[str]] = {}
    for change in moment.existing(_FETCHED):
        content = moment.values(change).get("content")
        if isinstance(content, str) and not (is_after and change.unknown("content")):
            digest = sha256(content.encode()).hexdigest()
            found[digest] = found.get(digest, frozenset()) | {_place(change)}
    return found


def _named(values: Mapping[str, Any], texts: Texts) -> Iterator[str]:
    """The objects whose digests a build's arguments have."""
    for digest in _DIGEST.findall(json.dumps(values, default=str)):
        yield from texts.get(digest, ())


def _is_only_fetched(change: ReviewedChange, name: str, before: Texts, after: Texts) -> bool:
    """Whether an argument differs in nothing but digests of the same objects' texts, which are judged themselves."""
    was, now = _written(change.before.get(name), before), _written(change.after.get(name), after)
    return was == now and not change.unknown(name)


def _written(value: Any, texts: Texts) -> str:
    """A value with the objects in place of their digests."""
    return _DIGEST.sub(lambda found: repr(sorted(texts.get(found[0], [found[0]]))), json.dumps(value, default=str))


def _has_only_other_versions(change: ReviewedChange, named: Mapping[str, ReviewedChange]) -> bool:
    """Whether a build's environment differs in nothing but versions of the objects that it names, judged themselves."""
    try:
        [was], [now] = change.before["environment"], change.after["environment"]
        marks = marked(change.after_unknown, "environment", 0)
        variables, others, open_values = (list(one["environment_variable"]) for one in (was, now, marks))
        for place, (variable, other, mark) in enumerate(zip(variables, others, open_values, strict=True)):
            if any_marked(mark) and variable["value"] in _versions(change, place, named):
                others[place], open_values[place] = {**other, "value": variable["value"]}, {**mark, "value": False}
        filled, is_open = ({**one, "environment_variable": new} for one, new in ((now, others), (marks, open_values)))
    except (KeyError, TypeError, ValueError):
        return False
    return bool(was == filled) and not any_marked(is_open)


def _versions(change: ReviewedChange, place: int, named: Mapping[str, ReviewedChange]) -> Iterator[Any]:
    """The version before the apply of the object whose version an environment variable is, and nothing else."""
    path = ("environment", 0, "environment_variable", place, "value")
    configuration = change.references.configuration
    references = configuration.references(change.address, *path)
    if len(references) == 1 and configuration.is_template(change.address, references[0], *path):
        address, _, attribute = references[0].rpartition(".")
        found = named.get(f"{change.stack}/{module_of(change.address)}{address}")
        if found is not None and attribute == "version_id":
            yield found.before.get("version_id")


def _is_only_another_mirror(change: ReviewedChange) -> bool:
    """Whether a unit's config changes by mirrors that come, with targets of their own, or go.

    Which targets its role reaches is a question of the access table. Everything else in the config steers the program.
    """
    try:
        was, now = (json.loads(values["content"]) for values in (change.before, change.after))
        mirrors, others = was.pop("mirrors"), now.pop("mirrors")
        kept = mirrors.keys() & others.keys()
        targets = {mirror["target"] for mirror in mirrors.values()}
        return (
            _changed(change) in (["content"], ["content", "etag"])
            and was == now
            and all(mirrors[key] == others[key] for key in kept)
            and targets.isdisjoint(others[key]["target"] for key in others.keys() - kept)
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _reached(plans: Plans, change: ReviewedChange) -> str | None:
    """What a build's role reaches, in a few words; None where it reaches no repository and no other role."""
    found = table(plans)
    try:
        arn = PlanMoment(plans, is_after=True, stand_in=str).text(change, "service_role")
    except UnsupportedError:
        arn = None
    role = next((one for one in found.identities.values() if one.arn == arn), None)
    if role is None:
        return said("what its role reaches cannot be determined")
    others = assumed_from(role, list(found.identities.values()))
    if others:
        names, repositories = codes(one.name for one in others), _repositories(found, others)
        return said(
            "its role may become {roles}, and nothing else keeps it to one of {repositories}",
            roles=names,
            repositories=repositories,
        )
    if any(names_action(statement, ASSUME) for statement in powers.allowing(role)):
        return said("its role may become others")
    is_about_code = any(
        action.startswith("codecommit:") for one in powers.allowing(role) for action in powers.actions(one)
    )
    return said("its role reaches {repositories}", repositories=_repositories(found, [role])) if is_about_code else None


def _repositories(found: AccessTable, roles: Iterable[Identity]) -> str:
    names = {role.name for role in roles}
    reached = {
        name
        for row in found.rows
        if row.principal in names and (row.pull.after or row.push.after)
        for name in row.repositories
    }
    return code(min(reached)) if len(reached) == 1 else count(len(reached), "repository", "repositories")
