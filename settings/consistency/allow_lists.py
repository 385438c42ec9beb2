"""Rules for every list of networks that are allowed in."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from settings.addresses import ALLOW_LIST_PREFIX, public_addresses
from settings.consistency.once import named_once
from settings.consistency.valid_values import ValidValues
from settings.problems import Path, SettingProblem

_MOST = IPv4Network((0, ALLOW_LIST_PREFIX)).num_addresses
_REASON = "open_to_the_world_because"


def allow_list(valid: ValidValues, parent: Path, key: str, *, excusable: bool = True) -> Iterator[SettingProblem]:
    """Refuse a network that is named twice, and what `open_list` refuses."""
    yield from named_once(valid, (*parent, key))
    yield from open_list(valid, parent, key, excusable=excusable)


def open_list(valid: ValidValues, parent: Path, key: str, *, excusable: bool = True) -> Iterator[SettingProblem]:
    """Refuse a list that is open to the world, unless it is `excusable` and the file gives a reason."""
    if excusable and valid.names(*parent, _REASON):
        return
    hint = f"list the addresses, or give a reason in {_REASON}" if excusable else "list the addresses"
    networks = valid.networks(*parent, key)
    wide = [(index, network) for index, network in networks if network.prefixlen < ALLOW_LIST_PREFIX]
    for index, network in wide:
        if network.prefixlen == 0:
            what = f"'{network}' allows every address"
        else:
            what = f"'{network}' allows {network.num_addresses:,} addresses, more than an allow-list may"
        yield SettingProblem(path=(*parent, key, index), what=what, hint=hint)
    total = public_addresses([network for _, network in networks])
    if not wide and total > _MOST:
        what = f"these networks add up to {total:,} public addresses, more than an allow-list may allow"
        yield SettingProblem(path=(*parent, key), what=what, hint=hint)
