"""Looks into moto: what an account holds, so that a left-over is found and a changed value is seen to have arrived.

Asking over the API would mean one list call for every kind of resource and would miss the kinds nobody thought of;
moto keeps everything in plain containers, so this walks them all.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import moto.backends
from moto.core.base_backend import BackendDict
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.s3.models import FakeDeleteMarker

# No resources: sessions of assumed roles, which expire on their own; parameters that AWS publishes; and moto keeps the
# tags of what is gone, and the order in which launch templates came.
_NO_RESOURCES = ("sts.", "iam.access_keys/", "ec2.tags/", "ssm._parameters//aws/", "ec2.launch_template_insert_order/")
_GONE = {"terminated", "deleted", "deleting", "PendingDeletion"}

Inventory = dict[str, set[str]]


def take(accounts: list[str], region: str, shelves: Mapping[tuple[str, str, str], Any]) -> Inventory:
    """What each account holds, by path (`ec2.vpcs/vpc-1`); every service of moto is started first.

    Starting them matters: moto makes default networks and the like the first time that a service is used, and those
    would look like left-overs otherwise. What lies inside a thing (a rule in a security group) is not listed: it goes
    with the thing.
    """
    _start_every_service(accounts, region)
    found: Inventory = {account: set() for account in accounts}
    for account in accounts:
        for service, backend in _backends_of(account):
            for attribute, value in vars(backend).items():
                found[account].update(_paths(value, f"{service}.{attribute}", backend))
            if service == "s3":
                found[account].update(_objects(backend))
    for (service, account, _), shelf in shelves.items():
        for kind, items in shelf.items():
            found.setdefault(account, set()).update(f"{service}.{kind}/{name}" for name in items)
    return {account: {path for path in paths if not path.startswith(_NO_RESOURCES)} for account, paths in found.items()}


def counts(account: str, values: list[str | int], shelves: Mapping[tuple[str, str, str], Any]) -> list[int]:
    """How often each of `values` stands in what the account holds; text may be part of a longer text (a policy)."""
    numbers = {str(value) for value in values if isinstance(value, int)}
    texts = [value for value in values if isinstance(value, str)]
    found: Counter[str] = Counter()
    seen: set[int] = set()
    pending: list[Any] = [backend for _, backend in _backends_of(account)]
    pending += [shelf for (_, owner, _), shelf in shelves.items() if owner == account]
    while pending:
        item = pending.pop()
        if isinstance(item, bytes):
            item = item.decode(errors="replace")
        if isinstance(item, str | int | float | None):
            if str(item) in numbers:
                found[str(item)] += 1
            elif isinstance(item, str):
                found.update(text for text in texts if text in item)
        elif id(item) not in seen:
            seen.add(id(item))
            if isinstance(item, Mapping):
                pending.extend(item.values())
            elif isinstance(item, list | tuple | set):
                pending.extend(item)
            elif type(item).__module__.partition(".")[0] == "moto":
                pending.extend(getattr(item, "__dict__", {}).values())
    return [found[str(value)] for value in values]


def _backends_of(account: str) -> Iterator[tuple[str, Any]]:
    for backends in BackendDict._instances:  # type: ignore[misc]
        for owner, place, backend in list(backends.iter_backends()):
            # moto makes services of other partitions (aws-cn, …) when it looks up a session.
            if owner == account and not place.startswith("aws-"):
                yield backends.service_name, backend


def _start_every_service(accounts: list[str], region: str) -> None:
    for name in moto.backends.list_of_moto_modules():
        try:
            backends = moto.backends.get_backend(name)  # type: ignore[call-overload]
        except AttributeError:
            continue  # a folder of moto's that is no service
        if isinstance(backends, BackendDict):
            for account in accounts:
                for place in (region, "aws"):
                    if place in backends[account]:
                        backends[account][place]


def _paths(value: Any, path: str, backend: Any) -> Iterator[str]:
    """Every leaf of nested containers; an empty one holds nothing, and a scalar on a service is no resource."""
    if isinstance(value, Mapping):
        named = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list | tuple | set):
        named = [(_name(item), item) for item in value]
    else:
        named = []
    for name, item in named:
        if isinstance(item, Mapping | list | tuple | set):
            yield from _paths(item, f"{path}/{name}", backend)
        elif not (_is_gone(item) or _went_with_its_owner(item, backend) or _is_key_of_aws(item)):
            yield f"{path}/{name}"


def _objects(s3: Any) -> Iterator[str]:
    for name, bucket in s3.buckets.items():
        for key, versions in bucket.keys.lists():
            if not isinstance(versions[-1], FakeDeleteMarker):
                yield f"s3.objects/{name}/{key}"


def _name(item: Any) -> str:
    for attribute in ("id", "arn", "name"):
        name = getattr(item, attribute, None)
        if isinstance(name, str):
            return name
    return str(item) if isinstance(item, str | int) else type(item).__name__


def _is_gone(item: Any) -> bool:
    """What AWS still lists for a while after it was deleted."""
    if instances := getattr(item, "instances", None):
        return all(_is_gone(instance) for instance in instances)
    states = [getattr(item, name, None) for name in ("state", "_state", "status", "key_state")]
    return any(str(getattr(state, "name", state)) in _GONE for state in states)


def _went_with_its_owner(item: Any, backend: Any) -> bool:
    """What AWS deletes with its owner and moto keeps: a VPC's default ACL, and interfaces of gateways and instances."""
    vpc_id = getattr(item, "vpc_id", None)
    if isinstance(vpc_id, str) and vpc_id not in getattr(backend, "vpcs", {vpc_id: None}):
        return True
    instance = getattr(item, "instance", None)
    return isinstance(item, NetworkInterface) and instance is not None and _is_gone(instance)


def _is_key_of_aws(item: Any) -> bool:
    """AWS makes its own key for a service (alias/aws/ebs) at first use, in the account, and keeps it there."""
    aliases = getattr(item, "aliases", None)
    return isinstance(aliases, Mapping) and any(str(alias).startswith("alias/aws/") for alias in aliases)
