"""Rules between Backlog's spaces, the mirrors and their targets."""

from collections.abc import Iterator

from errors.shown import counted, shown
from settings import cron
from settings.backlog import AlertsSettings
from settings.consistency.accounts import kms_key_problems
from settings.consistency.allow_lists import allow_list
from settings.consistency.mirrors import MIRRORS, named_mirrors
from settings.consistency.once import named_once
from settings.consistency.valid_values import ValidValues
from settings.problems import SettingProblem
from settings.projects import by_hand

_BACKLOG = ("prd", "backlog")


def _known_spaces(valid: ValidValues) -> Iterator[SettingProblem]:
    spaces = valid.all_keys(*_BACKLOG, "spaces")
    for key in valid.keys(*MIRRORS):
        space = valid.value(*MIRRORS, key, "space")
        if space is not None and spaces and space not in spaces:
            hint = f"use one of {', '.join(spaces[:10])}, or add it there"
            what = f"{shown(space)} is not one of prd.backlog.spaces"
            yield SettingProblem(path=(*MIRRORS, key, "space"), what=what, hint=hint)


def _pinned_hosts(valid: ValidValues) -> Iterator[SettingProblem]:
    for space in valid.keys(*_BACKLOG, "spaces"):
        domain = valid.value(*_BACKLOG, "spaces", space, "domain")
        host = f"{space}.git.{domain}"
        for index, line in valid.items(*_BACKLOG, "spaces", space, "known_hosts"):
            named = line.split()[0]
            if domain is not None and named != host:
                yield SettingProblem(
                    path=(*_BACKLOG, "spaces", space, "known_hosts", index),
                    what=f"{shown(named)} is not the Git server of this space",
                    hint=f"pin the key of {host}",
                )


def _targets_exist(valid: ValidValues) -> Iterator[SettingProblem]:
    if valid.is_refused("prd", "codecommit", "repositories"):
        return
    names = valid.all_keys("prd", "codecommit", "repositories")
    for mirror in named_mirrors(valid):
        if mirror.existing is not None and mirror.existing not in names:
            what = f"'{mirror.existing}' is not one of prd.codecommit.repositories"
            hint = "add it there, or write create: to have the bridge create it"
            yield SettingProblem(path=(*mirror.target_path, "codecommit"), what=what, hint=hint)
        if mirror.created is not None and mirror.created in names:
            what = f"'{mirror.created}' is also one of prd.codecommit.repositories"
            if mirror.is_discovered:
                hint = by_hand(str(mirror.repository))
                yield SettingProblem(path=mirror.path, what=what, hint=hint)
                continue
            hint = "write codecommit: to mirror into that one, or choose another name"
            yield SettingProblem(path=(*mirror.target_path, "create"), what=what, hint=hint)


def _senders(valid: ValidValues) -> Iterator[SettingProblem]:
    yield from allow_list(valid, (*_BACKLOG, "webhook"), "sender_cidrs")


def _cache(valid: ValidValues) -> Iterator[SettingProblem]:
    """A space's build would bring the copies of all its mirrors; only where that is excluded does a VPC matter."""
    path = (*_BACKLOG, "cache", "mode")
    mode, isolation = valid.value(*path), valid.value(*_BACKLOG, "isolation")
    of_space = isolation in (None, "space") and not valid.is_refused(*_BACKLOG, "isolation")
    if mode in ("s3", "efs") and of_space:
        hint = "give isolation: repository in prd.backlog, or use mode: none"
        yield SettingProblem(path=path, what=f"'{mode}' needs a build for each repository", hint=hint)
    elif mode == "efs" and not valid.names(*_BACKLOG, "vpc"):
        yield SettingProblem(path=path, what="'efs' needs a VPC", hint="give prd.backlog.vpc, or use mode: s3")
    yield from named_once(valid, (*_BACKLOG, "vpc", "subnet_ids"))


def _kept_logs_are_of_builds_that_go(valid: ValidValues) -> Iterator[SettingProblem]:
    path = (*_BACKLOG, "keep_logs_of")
    if valid.is_refused(*_BACKLOG, "isolation"):
        return
    alone = valid.value(*_BACKLOG, "isolation") == "repository"
    builds = valid.all_keys(*_BACKLOG, "spaces") if alone else [mirror.key for mirror in named_mirrors(valid)]
    for index, key in valid.items(*path):
        if key not in builds:
            kind = "a space" if alone else "a mirror"
            what = f"{shown(key)} is not {kind} of this bridge"
            hint = f"give the key of {kind} whose build the isolation replaces, or remove the line"
            yield SettingProblem(path=(*path, index), what=what, hint=hint)
    yield from named_once(valid, path)


def _silence_is_longer_than_the_schedule(valid: ValidValues) -> Iterator[SettingProblem]:
    hours = valid.value(*_BACKLOG, "alerts", "silent_hours") or AlertsSettings().silent_hours
    reconcile = valid.value(*_BACKLOG, "reconcile")
    if reconcile is not None and cron.longest_pause(reconcile) >= 60 * hours:
        silence = counted(hours, "hour")
        yield SettingProblem(
            path=(*_BACKLOG, "reconcile"),
            what=f"'{reconcile}' is not shorter than the {silence} after which a mirror counts as silent",
            hint="run mirrors more often, or raise prd.backlog.alerts.silent_hours",
        )


def _keys(valid: ValidValues) -> Iterator[SettingProblem]:
    region, number = valid.value("region"), valid.value("prd", "account", "id")
    account = None if number is None else str(number)
    for space in valid.keys(*_BACKLOG, "spaces"):
        path = (*_BACKLOG, "spaces", space, "ssh_key_kms_key_arn")
        yield from kms_key_problems(valid, path, user="the parameter", region=region, account=account)
    for name in valid.keys(*MIRRORS):
        key = (*MIRRORS, name, "target", "kms_key_arn")
        yield from kms_key_problems(valid, key, user="the repository", region=region, account=account)


RULES = (
    _known_spaces,
    _pinned_hosts,
    _targets_exist,
    _senders,
    _cache,
    _kept_logs_are_of_builds_that_go,
    _silence_is_longer_than_the_schedule,
    _keys,
)
