"""Warnings about values that are valid, and that few who write them mean."""

import datetime
from collections.abc import Iterator

from errors.shown import shown
from settings import cron, data
from settings.backlog import MirrorSettings, target_name
from settings.deployment import Deployment
from settings.problems import Path, SettingProblem, dotted


def problems(deployment: Deployment) -> Iterator[SettingProblem]:
    """Warnings about a valid deployment."""
    yield from _zones(deployment)
    yield from _profiles(deployment)
    yield from _repositories(deployment)
    yield from _nothing_agreed(deployment)
    yield from _no_api_key(deployment)
    yield from _schedules(deployment, datetime.datetime.now(datetime.UTC).year)


def _zones(deployment: Deployment) -> Iterator[SettingProblem]:
    network = deployment.dev.network if deployment.dev is not None else None
    known = [name[-1] for name in data.names("zones") if name[:-1] == deployment.region]
    for index, zone in enumerate(network.zones if network is not None else ()):
        if known and zone not in known:
            listed = isinstance(network and network.zones, tuple)
            yield SettingProblem(
                path=("dev", "network", "zones", index if listed else zone),
                what=f"'{zone}' is not one of {', '.join(known)}, the zones known of {deployment.region}",
                hint="see whether your account has it: aws ec2 describe-availability-zones "
                f"--region {deployment.region}",
            )


def _profiles(deployment: Deployment) -> Iterator[SettingProblem]:
    """One warning for all profiles; who keeps a state in S3 may share it with a pipeline."""
    s3 = deployment.state.s3
    if s3 is None:
        return
    parts = {
        ("state", "s3"): s3,
        ("dev", "account"): deployment.dev and deployment.dev.account,
        ("prd", "account"): deployment.prd and deployment.prd.account,
    }
    named: list[Path] = [(*path, "profile") for path, part in parts.items() if part and part.profile]
    if named:
        what = f"only machines that have these profiles can work with it: {', '.join(map(dotted, named))}"
        yield SettingProblem(
            path=named[0], what=what, hint="`ci` refuses them: for a pipeline remove them, and set AWS_PROFILE by hand"
        )


def _repositories(deployment: Deployment) -> Iterator[SettingProblem]:
    """CodeCommit tells names by their case, and many disks that they are cloned to do not."""
    prd = deployment.prd
    named: dict[str, Path] = {}
    if prd is not None and prd.codecommit is not None:
        named = {name: ("prd", "codecommit", "repositories", name) for name in prd.codecommit.repositories}
    if prd is not None and prd.backlog is not None:
        for key, entry in prd.backlog.repositories.items():
            place = ("prd", "backlog", "repositories", key)
            if isinstance(entry, MirrorSettings):
                named.setdefault(target_name(entry), (*place, "target"))
            else:
                for index, name in enumerate(entry.agreed):
                    named.setdefault(f"{entry.target.create_prefix}{name}", (*place, "agreed", index))
    first: dict[str, str] = {}
    for name, path in named.items():
        other = first.setdefault(name.lower(), name)
        if other != name:
            what = f"'{name}' differs from '{other}' in upper and lower case only"
            yield SettingProblem(path=path, what=what, hint="rename one, or clone them into different folders")


def _nothing_agreed(deployment: Deployment) -> Iterator[SettingProblem]:
    backlog = deployment.prd.backlog if deployment.prd is not None else None
    for key, entry in (backlog.repositories if backlog is not None else {}).items():
        if not isinstance(entry, MirrorSettings) and not entry.agreed:
            yield SettingProblem(
                path=("prd", "backlog", "repositories", key),
                what=f"no repository of {entry.from_project} is mirrored, because `agreed` names none",
                hint="see what the project has, and agree to it: main.py backlog-repositories FILE",
            )


def _no_api_key(deployment: Deployment) -> Iterator[SettingProblem]:
    backlog = deployment.prd.backlog if deployment.prd is not None else None
    if backlog is None:
        return
    with_projects = [one.space for one in backlog.repositories.values() if not isinstance(one, MirrorSettings)]
    for space in dict.fromkeys(with_projects):
        if backlog.spaces[space].api_key_parameter is None:
            yield SettingProblem(
                path=("prd", "backlog", "spaces", space),
                what="without api_key_parameter, backlog-repositories and backlog-webhook register cannot ask Backlog "
                "about its projects",
                hint="issue a key of Backlog's API, store it, and name its parameter: docs/credentials.md#backlog",
            )


def _schedules(deployment: Deployment, this_year: int) -> Iterator[SettingProblem]:
    gitlab = deployment.dev.gitlab if deployment.dev is not None else None
    backlog = deployment.prd.backlog if deployment.prd is not None else None
    expressions: dict[Path, str] = {}
    if gitlab is not None and gitlab.schedule is not None:
        path = ("dev", "gitlab", "schedule")
        expressions = {(*path, "start"): gitlab.schedule.start, (*path, "stop"): gitlab.schedule.stop}
        if gitlab.schedule.timezone.startswith(("Etc/GMT-", "Etc/GMT+")):
            # https://data.iana.org/time-zones/tzdb/etcetera
            side = "behind" if "+" in gitlab.schedule.timezone else "ahead of"
            what = f"'{gitlab.schedule.timezone}' is {side} UTC: its sign is the opposite of the usual one"
            yield SettingProblem(
                path=(*path, "timezone"), what=what, hint="name a place instead, for example Asia/Tokyo"
            )
    if backlog is not None:
        expressions["prd", "backlog", "reconcile"] = backlog.reconcile
    for place, expression in expressions.items():
        last = cron.last_year(expression)
        if last is not None and last < this_year:
            what = f"{shown(expression)} ran for the last time in {last}"
            yield SettingProblem(path=place, what=what, hint="write * for every year")
