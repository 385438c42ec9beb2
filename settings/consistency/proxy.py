"""Rules for GitLab's proxy: one that exists already, one that we build, or none."""

from collections.abc import Iterator

from settings.consistency.allow_lists import allow_list
from settings.consistency.once import named_once
from settings.consistency.valid_values import ValidValues
from settings.problems import SettingProblem
from settings.proxy import admits_anybodys_hosts, covers, default_hosts

_PROXY = ("dev", "proxy")
_SQUID = (*_PROXY, "squid")
_ALLOWED = (*_SQUID, "allowed_hosts")


def _one_proxy(valid: ValidValues) -> Iterator[SettingProblem]:
    if not valid.names(*_PROXY) or valid.is_refused(*_PROXY):
        return
    url, squid = valid.names(*_PROXY, "url"), valid.names(*_SQUID)
    if url == squid:
        what = "both url and squid are given" if url else "no proxy is given"
        hint = "give the url of an existing proxy, or squid: {} to build one"
        yield SettingProblem(path=_PROXY, what=what, hint=hint)
    if squid and not url and valid.names(*_PROXY, "cidrs"):
        what = "the proxy is built in dev.network, and cidrs places it elsewhere"
        yield SettingProblem(path=(*_PROXY, "cidrs"), what=what, hint="remove cidrs")


def _somebody_to_serve(valid: ValidValues) -> Iterator[SettingProblem]:
    if valid.names(*_PROXY) and not valid.names("dev", "gitlab"):
        yield SettingProblem(path=_PROXY, what="nothing uses the proxy", hint="remove it, or add dev.gitlab")


def _where_gitlab_stands(valid: ValidValues) -> Iterator[SettingProblem]:
    if valid.value(*_SQUID) is None:
        return
    hint = "name a proxy that GitLab's network can reach in dev.proxy.url"
    if valid.names("dev", "gitlab", "existing_network"):
        what = "the proxy would be in dev.network, and GitLab is in existing_network"
        yield SettingProblem(path=_SQUID, what=what, hint=hint)
    elif not valid.names("dev", "network"):
        yield SettingProblem(path=_SQUID, what="the proxy has no network", hint=f"add dev.network, or {hint}")


def _reachable(valid: ValidValues) -> Iterator[SettingProblem]:
    yield from allow_list(valid, _PROXY, "cidrs", excusable=False)


def _no_host_twice(valid: ValidValues) -> Iterator[SettingProblem]:
    entries = [(index, str(entry).lower()) for index, entry in valid.items(*_ALLOWED)]
    region = valid.value("region")
    always = [] if region is None else default_hosts(region)
    for place, (index, entry) in enumerate(entries):
        path = (*_ALLOWED, index)
        if any(covers(host, entry) for host in always):
            yield SettingProblem(path=path, what=f"'{entry}' is allowed by default", hint="remove it")
            continue
        others = [
            other
            for at, (_, other) in enumerate(entries)
            if at != place and covers(other, entry) and (other != entry or at < place)
        ]
        if others:
            yield SettingProblem(
                path=path, what=f"'{entry}' is allowed by '{others[0]}' already", hint="remove one of the two"
            )


def _mirrors_use_the_proxy(valid: ValidValues) -> Iterator[SettingProblem]:
    path, region = (*_PROXY, "no_proxy"), valid.value("region")
    yield from named_once(valid, path, ignoring_case=True)
    for index, entry in valid.items(*path):
        # Without its dot, curl takes a domain for everything below it as well: https://curl.se/docs/manpage.html
        domain = "." + entry.lower().partition(":")[0].removeprefix(".")
        if region is not None and covers(domain, f"git-codecommit.{region}.amazonaws.com"):
            what = f"'{entry}' has production's repositories, which mirrors reach through the proxy alone"
            yield SettingProblem(path=(*path, index), what=what, hint="name the hosts that need no proxy, or remove it")


def _nobody_elses_hosts(valid: ValidValues) -> Iterator[SettingProblem]:
    if valid.names(*_SQUID, "open_to_the_world_because"):
        return
    region = valid.value("region")
    always = () if region is None else default_hosts(region)
    for index, entry in valid.items(*_ALLOWED):
        host = str(entry).lower()
        if host not in always and admits_anybodys_hosts(host):
            yield SettingProblem(
                path=(*_ALLOWED, index),
                what=f"'{entry}' is where anybody can get a host or an account, so data can leave to anybody",
                hint="allow another host, or give a reason in dev.proxy.squid.open_to_the_world_because",
            )


RULES = (
    _one_proxy,
    _somebody_to_serve,
    _where_gitlab_stands,
    _reachable,
    _no_host_twice,
    _mirrors_use_the_proxy,
    _nobody_elses_hosts,
)
