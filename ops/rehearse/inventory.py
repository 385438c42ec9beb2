"""Lists what an account contains in moto, to find resources that are left over and values that have arrived.

The API would need a list call for every kind of resource, and would miss the kinds that are not asked for. moto keeps
everything in plain containers, so this walks through all of them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import moto.backends
from moto.core.base_backend import BackendDict
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.s3.models import FakeDeleteMarker

# No resources: sessions of assumed roles, which expire; parameters that AWS publishes; tags of deleted resources and
# the order of launch templates, which moto keeps.
_NO_RESOURCES = ("sts.", "iam.access_keys/", "ec2.tags/", "ssm._parameters//aws/", "ec2.launch_template_insert_order/")
_GONE = {"terminated", "deleted", "deleting", "PendingDeletion"}

Inventory = dict[str, set[str]]


def take(accounts: list[str], region: str, stores: Mapping[tuple[str, str, str], Any]) -> Inventory:
    """What each account contains, by path (`ec2.vpcs/vpc-1`); every service of moto is started first.

    moto creates default networks and the like when a service is first used, and they would look like left-overs of the
    deployment. Parts of a resource (a rule in a security group) are not listed: they are deleted with it.
    """
    _start_every_service(accounts, region)
    found: Inventory = {account: set() for account in accounts}
    for account in accounts:
        for service, backend in _backends_of(account):
            for attribute, value in vars(backend).items():
                found[account].update(_paths(value, f"{service}.{attribute}", backend))
            if service == "s3":
                found[account].update(_objects(backend))
    for (service, account, _), store in stores.items():
        for kind, items in store.items():
            found.setdefault(account, set()).update(f"{service}.{kind}/{name}" for name in items)
    return {account: {path for path in paths if not path.startswith(_NO_RESOURCES)} for account, paths in found.items()}


def counts(account: str, values: list[str | int], stores: Mapping[tuple[str, str, str], Any]) -> list[int]:
    """How often each of `values` occurs in what the account contains; text may be part of a longer text (a policy)."""
    numbers = {str(value) for value in values if isinstance(value, int)}
    texts = [value for value in values if isinstance(value, str)]
    found: Counter[str] = Counter()
    seen: set[int] = set()
    pending: list[Any] = [backend for _, backend in _backends_of(account)]
    pending += [store for (_, owner, _), store in stores.items() if owner == account]
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
            # moto creates services of other partitions (aws-cn, …) when it looks up a session.
            if owner == account and not place.startswith("aws-"):
                yield backends.service_name, backend


def _start_every_service(accounts: list[str], region: str) -> None:
    for name in moto.backends.list_of_moto_modules():
        try:
            backends = moto.backends.get_backend(name)  # type: ignore[call-overload]
        except AttributeError:
            continue  # a folder of moto that is no service
        if isinstance(backends, BackendDict):
            for account in accounts:
                # moto looks its URLs up in this account and region at a service's first request
                # (moto_server/werkzeug_app.py, create_backend_app), which fills EC2 with images.
                elsewhere = ["us-east-1"] if account == DEFAULT_ACCOUNT_ID else []
                for place in (region, "aws", *elsewhere):
                    if place in backends[account]:
                        backends[account][place]


def _paths(value: Any, path: str, backend: Any) -> Iterator[str]:
    """Every leaf of nested containers. A scalar on a service is no resource."""
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
    """Whether it is deleted: AWS lists such a resource for a while."""
    if instances := getattr(item, "instances", None):
        return all(_is_gone(instance) for instance in instances)
    states = [getattr(item, name, None) for name in ("state", "_state", "status", "key_state")]
    return any(str(getattr(state, "name", state)) in _GONE for state in states)


def _went_with_its_owner(item: Any, backend: Any) -> bool:
    """Whether AWS deletes it with its owner and moto keeps it: default ACLs, interfaces of gateways and instances."""
    vpc_id = getattr(item, "vpc_id", None)
    if isinstance(vpc_id, str) and vpc_id not in getattr(backend, "vpcs", {vpc_id: None}):
        return True
    instance = getattr(item, "instance", None)
    return isinstance(item, NetworkInterface) and instance is not None and _is_gone(instance)


def _is_key_of_aws(item: Any) -> bool:
    """Whether AWS created the key at a service's first use (alias/aws/ebs); such a key stays in the account."""
    aliases = getattr(item, "aliases", None)
    return isinstance(aliases, Mapping) and any(str(alias).startswith("alias/aws/") for alias in aliases)
