"""Rules between production's repositories, the push user's addresses and the rooms that pull."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from errors.shown import shown
from settings.addresses import ALLOW_LIST_PREFIX
from settings.consistency.accounts import kms_key_problems
from settings.consistency.allow_lists import allow_list, open_list
from settings.consistency.mirrors import MIRRORS, named_mirrors
from settings.consistency.once import named_once
from settings.consistency.valid_values import ValidValues
from settings.problems import Path, SettingProblem, dotted

_CODECOMMIT = ("prd", "codecommit")
_PUSH = (*_CODECOMMIT, "push")
_PULL = (*_CODECOMMIT, "pull")
_ROOMS = (*_CODECOMMIT, "rooms")


def _one_push_source(valid: ValidValues) -> Iterator[SettingProblem]:
    if valid.value(*_PUSH) is None:
        return
    if valid.names(*_PUSH, "from_cidrs") and valid.names(*_PUSH, "from_stack"):
        hint = "give from_cidrs, or from_stack to take them from its outputs"
        yield SettingProblem(path=_PUSH, what="both from_cidrs and from_stack are given", hint=hint)


def _push_source_is_known(valid: ValidValues) -> Iterator[SettingProblem]:
    """The default source is the proxy that we build, or without a proxy GitLab's own address."""
    if valid.value(*_PUSH) is None or valid.names(*_PUSH, "from_cidrs") or valid.names(*_PUSH, "from_stack"):
        return
    if not valid.names("dev", "gitlab"):
        what = "no source is given, and there is no dev.gitlab to push"
        yield SettingProblem(
            path=_PUSH, what=what, hint="give the addresses that may push in from_cidrs, or leave push out"
        )
    elif valid.names("dev", "proxy", "url"):
        what = "no source is given, and the public addresses of dev.proxy.url are not known"
        yield SettingProblem(path=_PUSH, what=what, hint="give them in from_cidrs")


def _push_stack(valid: ValidValues) -> Iterator[SettingProblem]:
    source = valid.value(*_PUSH, "from_stack")
    if source is None:
        return
    path = (*_PUSH, "from_stack")
    part = source.removeprefix("dev-")
    proxied = valid.names("dev", "proxy")
    if not valid.names("dev", part):
        hint = f"add dev.{part}, or give the addresses in from_cidrs"
        yield SettingProblem(path=path, what=f"'{source}' is not part of this deployment", hint=hint)
    elif source == "dev-network" and valid.names("dev", "gitlab") and not proxied:
        hint = "use from_stack: dev-gitlab, or add dev.proxy"
        yield SettingProblem(
            path=path, what="without a proxy GitLab does not leave through the NAT gateways", hint=hint
        )
    elif source == "dev-network" and valid.value("dev", "proxy", "cidrs"):
        hint = "give the addresses that proxy leaves from in from_cidrs"
        yield SettingProblem(
            path=path, what="a proxy in another network does not leave through the NAT gateways", hint=hint
        )
    elif source == "dev-gitlab" and proxied:
        hint = "use from_stack: dev-network, or give the proxy's addresses in from_cidrs"
        yield SettingProblem(
            path=path, what="with a proxy GitLab's mirrors do not leave from its own address", hint=hint
        )


def _rooms(valid: ValidValues) -> list[Path]:
    """The paths of `pull` and of every room."""
    pull: list[Path] = [_PULL] if valid.value(*_PULL) is not None else []
    return [*pull, *((*_ROOMS, name) for name in valid.keys(*_ROOMS) if valid.value(*_ROOMS, name) is not None)]


def _somebody_pulls(valid: ValidValues) -> Iterator[SettingProblem]:
    if valid.value(*_CODECOMMIT) is not None and not valid.names(*_PULL) and not valid.names(*_ROOMS):
        hint = "add pull with the isolated room's addresses, or rooms with those of each"
        yield SettingProblem(path=_CODECOMMIT, what="nobody may pull from these repositories", hint=hint)
    elif valid.value(*_ROOMS) == {} and not valid.names(*_PULL):
        yield SettingProblem(path=_ROOMS, what="there are no rooms", hint="add one, or add pull")


def _one_way_in(valid: ValidValues) -> Iterator[SettingProblem]:
    for room in _rooms(valid):
        cidrs, endpoints = (valid.names(*room, key) for key in ("from_cidrs", "from_vpc_endpoints"))
        if cidrs == endpoints:
            what = "both from_cidrs and from_vpc_endpoints are given" if cidrs else "no source is given"
            hint = "give from_cidrs, the public addresses the room leaves from, or from_vpc_endpoints"
            yield SettingProblem(path=room, what=what, hint=hint)
        if endpoints and valid.names(*room, "open_to_the_world_because"):
            path = (*room, "open_to_the_world_because")
            yield SettingProblem(path=path, what="a VPC endpoint is not open to the world", hint="leave it out")


def _closed(valid: ValidValues) -> Iterator[SettingProblem]:
    yield from allow_list(valid, _PUSH, "from_cidrs")
    for room in _rooms(valid):
        yield from allow_list(valid, room, "from_cidrs")


def _in_rooms(valid: ValidValues, path: Path) -> Iterator[tuple[Path, str, Path]]:
    """The networks of the list at `path` that overlap those of rooms: their path, what overlaps, and the room."""
    for index, network in valid.networks(*path):
        for room in _rooms(valid):
            for _, other in valid.networks(*room, "from_cidrs"):
                if network.overlaps(other):
                    yield (*path, index), f"'{network}' overlaps '{other}'", room


def _push_and_pull_are_apart(valid: ValidValues) -> Iterator[SettingProblem]:
    for path, overlap, _ in _in_rooms(valid, (*_PUSH, "from_cidrs")):
        hint = "the isolated room must not be able to push: keep the two lists apart"
        yield SettingProblem(path=path, what=f"{overlap}, which may pull", hint=hint)


def _rooms_reach_no_git_server(valid: ValidValues) -> Iterator[SettingProblem]:
    gitlab, key = ("dev", "gitlab"), "work_terminal_cidrs"
    reason = (*gitlab, "open_to_the_world_because")
    if any(open_list(valid, gitlab, key)) or valid.is_refused(*reason):
        return  # another rule says what is wrong with the list itself
    for path, overlap, room in _in_rooms(valid, (*gitlab, key)):
        hint = "a room that reaches GitLab can send data out: keep the two lists apart"
        yield SettingProblem(path=path, what=f"{overlap} of {dotted(room)}, an isolated room", hint=hint)


def _rooms_start_no_mirrors(valid: ValidValues) -> Iterator[SettingProblem]:
    webhook, reason = ("prd", "backlog", "webhook"), "open_to_the_world_because"
    for path, overlap, room in _in_rooms(valid, (*webhook, "sender_cidrs")):
        if valid.names(*webhook, reason) or valid.names(*room, reason):
            continue  # a request starts a run, and carries nothing: the reason is enough
        hint = "list the addresses of Backlog's webhooks, which no room has"
        yield SettingProblem(path=path, what=f"{overlap} of {dotted(room)}, an isolated room", hint=hint)


def _push_is_apart_from_endpoints(valid: ValidValues) -> Iterator[SettingProblem]:
    """A room that comes through VPC endpoints has no list to compare, so the push user needs a real one."""
    endpoints = [room for room in _rooms(valid) if valid.names(*room, "from_vpc_endpoints")]
    for index, network in valid.networks(*_PUSH, "from_cidrs"):
        if endpoints and network.prefixlen < ALLOW_LIST_PREFIX:
            yield SettingProblem(
                path=(*_PUSH, "from_cidrs", index),
                what=f"'{network}' may push, and {dotted(endpoints[0])} is known by its VPC endpoints alone",
                hint="list the addresses that push: these may contain the room's own",
            )


def _rooms_are_apart(valid: ValidValues) -> Iterator[SettingProblem]:
    networks: list[tuple[IPv4Network, Path]] = []
    endpoints: dict[str, Path] = {}
    for room in _rooms(valid):
        own = valid.networks(*room, "from_cidrs")
        for index, network in own:
            for other, owner in networks:
                if network.overlaps(other):
                    yield SettingProblem(
                        path=(*room, "from_cidrs", index),
                        what=f"'{network}' overlaps '{other}' of {dotted(owner)}",
                        hint="give every room addresses of its own, or make the two one room",
                    )
        networks += [(network, room) for _, network in own]
        for index, endpoint in valid.items(*room, "from_vpc_endpoints"):
            if endpoint in endpoints:
                what = f"'{endpoint}' is also named by {dotted(endpoints[endpoint])}"
                hint = "give every room endpoints of its own, and name each once"
                yield SettingProblem(path=(*room, "from_vpc_endpoints", index), what=what, hint=hint)
            endpoints.setdefault(endpoint, room)


def _known_repositories(valid: ValidValues) -> Iterator[SettingProblem]:
    if valid.is_refused(*_CODECOMMIT, "repositories") or valid.all_keys(*MIRRORS) != valid.keys(*MIRRORS):
        return
    created = [mirror.created for mirror in named_mirrors(valid)]
    known = [*valid.all_keys(*_CODECOMMIT, "repositories"), *created]
    for room in valid.keys(*_ROOMS):
        path = (*_ROOMS, room, "repositories")
        for index, name in valid.items(*path):
            if name not in known:
                what = f"{shown(name)} is not one of prd.codecommit.repositories, and no Backlog mirror creates it"
                yield SettingProblem(path=(*path, index), what=what, hint="add it there, or correct its spelling")
        yield from named_once(valid, path)


def _prefixes(valid: ValidValues) -> Iterator[SettingProblem]:
    path = (*_CODECOMMIT, "own_prefixes")
    known = valid.all_keys(*_CODECOMMIT, "repositories")
    for index, prefix in valid.items(*path):
        if known and not any(name.startswith(prefix) for name in known):
            what = f"no repository's name starts with {shown(prefix)}"
            yield SettingProblem(path=(*path, index), what=what, hint="remove it, or correct its spelling")
    yield from named_once(valid, path)


def _something_to_push(valid: ValidValues) -> Iterator[SettingProblem]:
    names = valid.all_keys(*_CODECOMMIT, "repositories")
    mirrored = {mirror.existing for mirror in named_mirrors(valid)}
    if names and valid.names(*_PUSH) and mirrored.issuperset(names):
        what = "every repository is the target of a Backlog mirror, so there is nothing to push"
        yield SettingProblem(path=_PUSH, what=what, hint="leave push out")


def _keys(valid: ValidValues) -> Iterator[SettingProblem]:
    region, account = valid.value("region"), valid.value("prd", "account", "id")
    for name in valid.keys(*_CODECOMMIT, "repositories"):
        path = (*_CODECOMMIT, "repositories", name, "kms_key_arn")
        yield from kms_key_problems(
            valid, path, user="the repository", region=region, account=None if account is None else str(account)
        )


def _credentials_key(valid: ValidValues) -> Iterator[SettingProblem]:
    region, account = valid.value("region"), valid.value("prd", "account", "id")
    yield from kms_key_problems(
        valid,
        (*_CODECOMMIT, "credentials", "kms_key_arn"),
        user="the secret",
        region=region,
        account=None if account is None else str(account),
    )


def _gitlab_projects(valid: ValidValues) -> Iterator[SettingProblem]:
    repositories = (*_CODECOMMIT, "repositories")
    mirrored = {mirror.existing: mirror.key for mirror in named_mirrors(valid)}
    named = {name: valid.value(*repositories, name, "gitlab_project") for name in valid.keys(*repositories)}
    first: dict[str, str] = {}
    for name, project in named.items():
        path = (*repositories, name, "gitlab_project")
        if project is None:
            if valid.value(*repositories, name, "only_protected_branches"):
                what = "without gitlab_project there is no mirror to keep to protected branches"
                hint = "name the project, or remove this"
                yield SettingProblem(path=(*repositories, name, "only_protected_branches"), what=what, hint=hint)
        elif (other := first.setdefault(project.lower(), name)) != name:  # GitLab ignores case in paths
            what = f"'{project}' is already mirrored into '{other}'"
            hint = "name another project, or let rooms share one repository (prd.codecommit.rooms.NAME.repositories)"
            yield SettingProblem(path=path, what=what, hint=hint)
        elif name in mirrored:
            what = f"'{name}' is already the target of the Backlog mirror '{mirrored[name]}'"
            yield SettingProblem(path=path, what=what, hint="a repository mirrors one source: remove one of the two")
        elif not valid.names(*_PUSH):
            hint = "add prd.codecommit.push, as the mirror's user"
            yield SettingProblem(path=path, what="nobody may push this project's mirror", hint=hint)
        elif not valid.names(*_PUSH, "gitlab_url") and not valid.names("dev", "gitlab", "external_url"):
            hint = "give prd.codecommit.push.gitlab_url"
            yield SettingProblem(path=path, what="it is not known where this project's GitLab is", hint=hint)


RULES = (
    _one_push_source,
    _push_source_is_known,
    _push_stack,
    _somebody_pulls,
    _one_way_in,
    _closed,
    _push_and_pull_are_apart,
    _push_is_apart_from_endpoints,
    _rooms_reach_no_git_server,
    _rooms_start_no_mirrors,
    _rooms_are_apart,
    _known_repositories,
    _prefixes,
    _something_to_push,
    _keys,
    _credentials_key,
    _gitlab_projects,
)
