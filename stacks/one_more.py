"""A deployment with one more of each, from which the handover sees what differs between a single member and the next.

Nothing that it has more is called as anything else in the deployment.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from ipaddress import IPv4Network

from settings import Deployment
from settings.backlog import (
    BacklogSettings,
    CreatedTargetSettings,
    MirrorSettings,
    git_host,
    mirrors,
    target_name,
)
from settings.codecommit import CodeCommitSettings, PushedRepositorySettings, RoomSettings
from settings.network import ZONE_LETTERS, NatSettings, NetworkSettings, ZoneSettings

MIRROR, SPACE, TARGET = "one-more", "nextspace", "next-target"
REPOSITORY = "next-repository"
ROOM, OTHER_ROOM, KEY_ROOM = "next_room", "next_vault", "next_reader"
"""What each is called, with a number if another one is called so."""
_DESCRIPTION = "What comes next"
_ENDPOINTS = ("vpce-00000000000000000", "vpce-00000000000000001")
_OTHER_ENDPOINT = ("vpce-00000000000000002",)
_ELASTIC_IP = "eipalloc-00000000000000000"

# Reserved for documentation: https://www.rfc-editor.org/rfc/rfc5737
_PUBLIC = tuple(map(IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))


def with_one_more(deployment: Deployment) -> Deployment | None:
    """The deployment with one more mirror, repository, room and zone, as far as it has some already.

    None if nothing can be added. Nothing gets a name, a network or a zone's letter that is taken.
    """
    larger = deployment
    for add in (_with_mirror, _with_repository, _with_room, _with_zone):
        larger = add(larger)
    return None if larger == deployment else larger


def _with_mirror(deployment: Deployment) -> Deployment:
    """A single mirror with a build of its own gets one of a second space; others get one into a repository of its own.

    That needs such a repository of the bridge.
    """
    production = deployment.prd
    backlog = production.backlog if production is not None else None
    if production is None or backlog is None:
        return deployment
    known = mirrors(backlog)
    first = next(iter(known.values()), None)
    created = [it for it in known.values() if isinstance(it.target, CreatedTargetSettings)]
    if first is not None and backlog.isolation == "repository" and len(known) == 1:
        backlog, space = _with_another_space(backlog, first)
    elif created:
        first, space = created[0], created[0].space
    else:
        return deployment
    target = CreatedTargetSettings(
        create=_free(TARGET, _repositories(deployment)),
        description=_DESCRIPTION,
        kms_key_arn=getattr(first.target, "kms_key_arn", None),
    )
    another = MirrorSettings(space=space, project="NEXT", repository="next-source", target=target)
    key = _free(MIRROR, {*known, *backlog.repositories})
    larger = backlog.model_copy(update={"repositories": {**backlog.repositories, key: another}})
    return deployment.model_copy(update={"prd": production.model_copy(update={"backlog": larger})})


def _with_another_space(backlog: BacklogSettings, first: MirrorSettings) -> tuple[BacklogSettings, str]:
    """The settings with a space like that of the mirror, and its name."""
    space, host, name = backlog.spaces[first.space], git_host(backlog, first), _free(SPACE, backlog.spaces.keys())
    second = space.model_copy(
        update={
            "known_hosts": tuple(line.replace(host, f"{name}.git.{space.domain}") for line in space.known_hosts),
            "ssh_key_parameter": f"/{name}",
        }
    )
    return backlog.model_copy(update={"spaces": {**backlog.spaces, name: second}}), name


def _free(name: str, taken: Set[str]) -> str:
    """The name, with a number if it is taken."""
    return next(it for it in (name, *(f"{name}{number}" for number in range(2, 1000))) if it not in taken)


def _repositories(deployment: Deployment) -> set[str]:
    """The names of all repositories."""
    production = deployment.prd
    if production is None:
        return set()
    own = production.codecommit.repositories if production.codecommit is not None else {}
    targets = mirrors(production.backlog).values() if production.backlog is not None else ()
    return {*own, *map(target_name, targets)}


def _with_repository(deployment: Deployment) -> Deployment:
    def added(settings: CodeCommitSettings) -> CodeCommitSettings:
        name, another = _free(REPOSITORY, _repositories(deployment)), PushedRepositorySettings(description=_DESCRIPTION)
        return settings.model_copy(update={"repositories": {**settings.repositories, name: another}})

    return _with_codecommit(deployment, added)


def _created(deployment: Deployment) -> list[CreatedTargetSettings]:
    """The repositories that the bridge creates."""
    backlog = deployment.prd.backlog if deployment.prd is not None else None
    targets = [it.target for it in mirrors(backlog).values()] if backlog is not None else []
    return [it for it in targets if isinstance(it, CreatedTargetSettings)]


def _with_room(deployment: Deployment) -> Deployment:
    """A room like the first, that works from elsewhere and may pull from other repositories: from fewer, or from more.

    It needs no keys, so that a room without keys needs no more than an entry. Where all rooms work from networks, or
    all through endpoints, a room of the other kind comes next, which may pull from all repositories; and where these
    have different keys, a room that needs one of them.
    """

    def added(settings: CodeCommitSettings) -> CodeCommitSettings:
        rooms = settings.rooms
        networks = _free_networks(deployment, settings)
        network, another_network = next(networks, None), next(networks, None)
        if not rooms or network is None or another_network is None:
            return settings
        first = next(iter(rooms.values()))
        keys = {name: it.kms_key_arn if it is not None else None for name, it in settings.repositories.items()}
        keys |= {it.create: it.kms_key_arn for it in _created(deployment)}
        larger = {**rooms, _free(ROOM, rooms.keys()): _room_like(first, network, _other_repositories(first, keys))}
        if _may_have_other_kind(settings):
            larger[_free(OTHER_ROOM, larger.keys())] = RoomSettings(
                from_cidrs=(network,) if first.from_cidrs is None else None,
                from_vpc_endpoints=_ENDPOINTS if first.from_vpc_endpoints is None else None,
            )
        with_keys = {key: name for name, key in keys.items() if key is not None}
        if len(with_keys) > 1:
            larger[_free(KEY_ROOM, larger.keys())] = _room_like(
                first, another_network, [*with_keys.values()][:1], endpoints=_OTHER_ENDPOINT
            )
        return settings.model_copy(update={"rooms": larger})

    return _with_codecommit(deployment, added)


def _room_like(
    first: RoomSettings, network: IPv4Network, repositories: Sequence[str], *, endpoints: tuple[str, ...] = ()
) -> RoomSettings:
    """A room of the first one's kind, with the network, or with these endpoints or others of another number."""
    known = first.from_vpc_endpoints
    return RoomSettings(
        from_cidrs=None if first.from_cidrs is None else (network,),
        from_vpc_endpoints=None if known is None else endpoints or _other_endpoints(known),
        repositories=tuple(repositories),
    )


def _other_repositories(first: RoomSettings, keys: Mapping[str, str | None]) -> Sequence[str]:
    """Another number of repositories than the room has, none of which has a key if that can be."""
    without_keys = sorted(name for name, key in keys.items() if key is None)
    pulled = first.repositories or tuple(keys)
    fewer, more = without_keys[:1], without_keys[:2]
    others = fewer if len(pulled) > 1 else more
    return others if len(others) != len(pulled) else list(dict.fromkeys((*pulled, *others)))


def _may_have_other_kind(settings: CodeCommitSettings) -> bool:
    """Whether all rooms are of one kind, and the other one needs nothing else.

    Where nobody works from networks, detection reports what comes from any.
    """
    if len({it.from_cidrs is None for it in settings.rooms.values()}) > 1:
        return False
    rooms = (settings.pull, *settings.rooms.values())
    works_from_networks = any(it is not None and it.from_cidrs is not None for it in rooms)
    return settings.detection is None or settings.push is not None or works_from_networks


def _other_endpoints(known: Sequence[str]) -> tuple[str, ...]:
    """Endpoints of another number, so that an entry may have as many as it needs."""
    return _ENDPOINTS if len(known) == 1 else _ENDPOINTS[:1]


def _free_networks(deployment: Deployment, settings: CodeCommitSettings) -> Iterator[IPv4Network]:
    """Networks of a single address that nobody pushes or pulls from."""
    pushing = settings.push.from_cidrs or () if settings.push is not None else ()
    known = [*deployment.room_networks, *pushing]
    for whole in _PUBLIC:
        for it in whole.subnets(new_prefix=32):
            if not any(it.overlaps(other) for other in known):
                yield it


def _with_codecommit(deployment: Deployment, change: Callable[[CodeCommitSettings], CodeCommitSettings]) -> Deployment:
    production = deployment.prd
    if production is None or production.codecommit is None:
        return deployment
    larger = change(production.codecommit)
    return deployment.model_copy(update={"prd": production.model_copy(update={"codecommit": larger})})


def _with_zone(deployment: Deployment) -> Deployment:
    """A single zone gets a second one, with subnets as large as its own."""
    development = deployment.dev
    network = development.network if development is not None else None
    if development is None or network is None or len(network.zones) > 1:
        return deployment
    zone = next(it for it in ZONE_LETTERS if it not in network.zones)
    zones = _with_another_zone(network, zone)
    ids = network.nat.eip_allocation_ids
    nat = NatSettings(
        gateways=network.nat.gateways, eip_allocation_ids=None if ids is None else {**ids, zone: _ELASTIC_IP}
    )
    larger = network if zones is None else network.model_copy(update={"zones": zones, "nat": nat})
    return deployment.model_copy(update={"dev": development.model_copy(update={"network": larger})})


def _with_another_zone(network: NetworkSettings, zone: str) -> tuple[str, ...] | dict[str, ZoneSettings] | None:
    """The zones and another one; None if the VPC has no room for its subnets."""
    if isinstance(network.zones, tuple):
        return (*network.zones, zone)
    [own] = network.zones.values()
    public = _free_subnet(network.cidr, own.public_cidr, own.public_cidr, own.private_cidr)
    if public is None:
        return None
    private = _free_subnet(network.cidr, own.private_cidr, own.public_cidr, own.private_cidr, public)
    if private is None:
        return None
    return {**network.zones, zone: ZoneSettings(public_cidr=public, private_cidr=private)}


def _free_subnet(vpc: IPv4Network, like: IPv4Network, *taken: IPv4Network) -> IPv4Network | None:
    """A subnet as large as another one, beside those that are taken."""
    found = vpc.subnets(new_prefix=like.prefixlen)
    return next((it for it in found if not any(it.overlaps(other) for other in taken)), None)
