"""What must hold for every list of networks that lets somebody in."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from settings.addresses import ALLOW_LIST_PREFIX, admitted
from settings.consistency.said import Said
from settings.problems import Path, SettingProblem

_MOST = IPv4Network((0, ALLOW_LIST_PREFIX)).num_addresses


_REASON = "open_to_the_world_because"


def open_list(said: Said, parent: Path, key: str, *, excusable: bool = True) -> Iterator[SettingProblem]:
    """Refuse a list that lets the world in, unless the file says in words that it is meant (where it can)."""
    if excusable and said.names(*parent, _REASON):
        return
    hint = f"name the addresses, or say why in {_REASON}" if excusable else "name the addresses"
    networks = said.networks(*parent, key)
    wide = [(index, network) for index, network in networks if network.prefixlen < ALLOW_LIST_PREFIX]
    for index, network in wide:
        if network.prefixlen == 0:
            what = f"'{network}' lets the whole world in"
        else:
            what = f"'{network}' lets {network.num_addresses:,} addresses in, more than an allow-list may"
        yield SettingProblem(path=(*parent, key, index), what=what, hint=hint)
    total = admitted([network for _, network in networks])
    if not wide and total > _MOST:
        what = f"these networks add up to {total:,} public addresses, more than an allow-list may let in"
        yield SettingProblem(path=(*parent, key), what=what, hint=hint)
