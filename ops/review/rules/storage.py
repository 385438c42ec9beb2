"""Rules about stored data: what is destroyed with an object, and protection, encryption, retention and backups."""

import re
from collections.abc import Iterator

from ops.review.resource_types import LOSSES, SAFEGUARDS, is_classified
from ops.review.rule import Plans, ReviewedChange, ReviewFinding, ReviewRule, rule
from ops.review.rules.removal import (
    ProtectiveSetting,
    destroyed,
    how_destroyed,
    lost,
    open_setting,
    removed,
    switched_off,
    unprotected,
)
from ops.review.rules.retention import shorter_retention
from ops.review.text import code, codes, shown
from ops.review.translatable import Joined, said
from terraform.plan import Action


@rule(
    id="address-lost",
    what="A public address is released.",
    why="AWS gives it to another customer, who then gets in wherever an allow-list still names it.",
)
def address_lost(plans: Plans) -> Iterator[ReviewFinding]:
    types = LOSSES["address-lost"]
    for change in plans.changes(*types):
        if change.is_destroyed:
            naming = _naming(plans, change)
            what = Joined("", (lost(change, types), _named_by(change, naming)))
            brief: str = said("its public address is released")
            if naming:
                stacks = codes(sorted({other.stack for other in naming}))
                brief = said("its public address is released, and still named in {stacks}", stacks=stacks)
            yield change.finding(what, brief=brief)


def _naming(plans: Plans, change: ReviewedChange) -> list[ReviewedChange]:
    """The policies and rules in any of the plans that name the address."""
    address = change.before.get("public_ip")
    if not isinstance(address, str) or not address:
        return []
    network = re.compile(rf"(?<![\d.]){re.escape(address)}/32")
    return [other for other in plans.changes() if other.address != change.address and network.search(str(other.before))]


def _named_by(change: ReviewedChange, naming: list[ReviewedChange]) -> str:
    address = change.before.get("public_ip")
    if not isinstance(address, str) or not address:
        return ""
    if not naming:
        return f" ({code(address)})"
    named = sorted(
        said("{address} in {stack}", address=code(other.address), stack=code(other.stack)) for other in naming
    )
    return said(" ({address}, which {others} name)", address=code(address), others=Joined(" and ", named))


@rule(
    id="key-lost",
    what="An encryption key is destroyed.",
    why="Data that is encrypted with it can never be read again.",
)
def key_lost(plans: Plans) -> Iterator[ReviewFinding]:
    types = LOSSES["key-lost"]
    for change in plans.changes(*types):
        if change.is_destroyed:
            what = Joined("", (lost(change, types), _kept_by(plans, change)))
            yield change.finding(what, brief=lost(change, types))


def _kept_by(plans: Plans, key: ReviewedChange) -> str:
    """What in any of the plans is encrypted with the key after the apply too."""
    ids = [found for name in ("key_id", "arn") if isinstance(found := key.before.get(name), str) and found]
    keeping = sorted(
        said("{address} in {stack}", address=code(other.address), stack=code(other.stack))
        for other in plans.changes()
        if not other.is_removed and any(other.after.get(name) in ids for name in _KEYS)
    )
    return said("; still encrypted with it: {others}", others=Joined(", ", keeping)) if keeping else ""


def _lost(id: str, what: str, why: str) -> ReviewRule:
    """A rule about the types that resource_types.toml lists under its id: objects of them are destroyed or replaced."""
    return rule(id=id, what=what, why=why)(lambda plans: destroyed(plans, LOSSES[id]))


LOST = (
    _lost(
        "repository-lost",
        "A repository is destroyed.",
        "Its history exists elsewhere only if the mirror was up to date.",
    ),
    _lost(
        "server-lost",
        "A server is destroyed.",
        "The data on its root volume is destroyed too, unless there is an image of it.",
    ),
    _lost("volume-lost", "A volume is destroyed.", "Its data is destroyed too, unless there is a snapshot of it."),
    _lost("bucket-lost", "A bucket is destroyed.", "Its objects are destroyed too."),
    _lost("file-system-lost", "A file system is destroyed.", "Its files are destroyed too."),
    address_lost,
    _lost("logs-lost", "Logs are destroyed.", "Nobody can find out from them any more who did what."),
    _lost("secret-lost", "A secret is destroyed or replaced.", "Everything that uses it stops working."),
    key_lost,
    _lost("backup-lost", "A backup is destroyed.", "Nothing can be restored from it any more."),
    _lost("database-lost", "A database is destroyed.", "Its data is destroyed too, unless there is a snapshot of it."),
    _lost("queue-lost", "A queue is destroyed.", "Messages that wait in it are destroyed too."),
)
"""In the order in which a review prints their findings."""


@rule(
    id="unknown-lost",
    what="An object of an unknown type is destroyed.",
    why="It may contain data: check what is lost with it.",
)
def unknown_lost(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes():
        if change.is_destroyed and not is_classified(change.type):
            template = "{how}; it is not known what {type} contains"
            yield change.finding(said(template, how=how_destroyed(change), type=code(change.type)))


@rule(
    id="protection-lifted",
    what="A protection against destruction is turned off.",
    why="Nothing else prevents destroying the object by mistake, and the next plan may do it.",
)
def protection_lifted(plans: Plans) -> Iterator[ReviewFinding]:
    yield from unprotected(plans, _PROTECTIONS)
    for change in plans.changes("aws_instance", "aws_spot_instance_request"):
        for name in ("root_block_device", "ebs_block_device"):
            was, now = (_destroyed_with_server(values.get(name)) for values in (change.before, change.after))
            if change.is_modified and now > was:
                yield change.finding(said("more of its volumes are destroyed with it"), name)


def _destroyed_with_server(devices: object) -> int:
    """How many of a server's volumes are destroyed with it."""
    listed = devices if isinstance(devices, list) else []
    return sum(isinstance(device, dict) and device.get("delete_on_termination") is not False for device in listed)


# https://registry.terraform.io/providers/hashicorp/aws/latest/docs, collected on 2026-11-24
_PROTECTIONS = (
    ProtectiveSetting("deletion_protection", True, "it may be destroyed"),
    ProtectiveSetting("deletion_protection_enabled", True, "it may be destroyed"),
    ProtectiveSetting("disable_api_termination", True, "it may be terminated"),
    ProtectiveSetting("disable_api_stop", True, "it may be stopped"),
    ProtectiveSetting("enable_deletion_protection", True, "it may be destroyed"),
    ProtectiveSetting("force_destroy", False, "it may be destroyed with everything in it"),
    ProtectiveSetting("force_delete", False, "it may be destroyed with everything in it"),
    ProtectiveSetting("skip_final_snapshot", False, "no snapshot is made before it is destroyed"),
)


@rule(
    id="encryption-lifted",
    what="Something is no longer encrypted, or with another key.",
    why="Other people may be able to read it.",
)
def encryption_lifted(plans: Plans) -> Iterator[ReviewFinding]:
    yield from unprotected(plans, _ENCRYPTIONS)
    for change in plans.changes():
        for name in _KEYS:
            was, now = change.before.get(name), change.after.get(name)
            if change.is_modified and was and change.is_open(name) and change.resolved(name) != was:
                yield open_setting(change, name, "it is encrypted with another key")
            elif change.is_modified and was and now != was and not change.unknown(name):
                key = said("the key {key}", key=shown(now)) if now else said("a key of AWS")
                yield change.finding(said("is encrypted with {key} instead of {old}", key=key, old=shown(was)), name)
    for change in plans.changes(*_LISTENERS):
        for name in _TLS if change.is_modified else ():
            if change.before.get(name) and change.before[name] != _after(change, name):
                what = said("its connections are encrypted in another way: {argument}", argument=code(name))
                yield change.finding(what, name)
    yield from removed(plans, SAFEGUARDS["encryption-lifted"])


def _after(change: ReviewedChange, name: str) -> object:
    return change.resolved(name) if change.unknown(name) else change.after.get(name)


# https://registry.terraform.io/providers/hashicorp/aws/latest/docs, collected on 2026-11-24
_ENCRYPTIONS = (
    ProtectiveSetting("encrypted", True, "it is not encrypted"),
    ProtectiveSetting("storage_encrypted", True, "it is not encrypted"),
    ProtectiveSetting("at_rest_encryption_enabled", True, "it is not encrypted"),
    ProtectiveSetting("transit_encryption_enabled", True, "its connections are not encrypted"),
    ProtectiveSetting("enable_key_rotation", True, "its key is no longer rotated every year"),
    ProtectiveSetting("sqs_managed_sse_enabled", True, "it is not encrypted"),
)
_KEYS = ("kms_key_id", "kms_key_arn", "kms_master_key_id", "encryption_key")

_TLS = ("ssl_policy", "certificate_arn", "security_policy", "protocol")
_LISTENERS = ("aws_lb_listener", "aws_alb_listener", "aws_api_gateway_domain_name", "aws_apigatewayv2_domain_name")


@rule(
    id="retention-shortened",
    what="Something is kept for a shorter time.",
    why="Everything older is deleted as soon as the plan is applied.",
)
def retention_shortened(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes():
        if change.is_modified:
            yield from (change.finding(what, name) for name, what in shorter_retention(change))
    yield from removed(plans, SAFEGUARDS["retention-shortened"])


@rule(
    id="versioning-stopped",
    what="A bucket no longer keeps overwritten and deleted objects.",
    why="Mistakes in it cannot be undone.",
)
def versioning_stopped(plans: Plans) -> Iterator[ReviewFinding]:
    types = SAFEGUARDS["versioning-stopped"]
    yield from removed(plans, types)
    for change in plans.changes(*types):
        was, now = (_versioning(values.get("versioning_configuration")) for values in (change.before, change.after))
        if change.action is Action.UPDATE and was == "Enabled" and now != "Enabled":
            yield change.finding(said(types[change.type]), "versioning_configuration")


def _versioning(blocks: object) -> object:
    first = blocks[0] if isinstance(blocks, list) and blocks else None
    return first.get("status") if isinstance(first, dict) else None


@rule(
    id="backups-stopped",
    what="Backups are no longer made.",
    why="It is noticed only when a backup is needed.",
)
def backups_stopped(plans: Plans) -> Iterator[ReviewFinding]:
    yield from removed(plans, SAFEGUARDS["backups-stopped"])
    yield from switched_off(plans, SAFEGUARDS["backups-stopped"])
