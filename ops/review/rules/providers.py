"""A rule about how providers, and Terraform itself, are set: whom they talk to, as whom, and in which version."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ops.review.rule import Plans, ReviewFinding, rule
from ops.review.rules.lifecycle import narrowed
from ops.review.text import change as changed
from ops.review.text import code, codes
from ops.review.translatable import Joined, said
from terraform.arns import Arn
from terraform.guards import settings
from terraform.output import Stack

# Arguments of a provider that this rule or another one reads, or that change nothing but what a plan shows.
_READ = ("allowed_account_ids", "assume_role", "default_tags", "profile", "region")

# Arguments without a secret in them.
_SHOWN = ("allowed_account_ids", "assume_role", "profile", "region", "required_version", "source", "version")

_ACCOUNT = re.compile(r"\d{12}")


@rule(
    id="provider-settings",
    what="A provider or Terraform is set in another way, or a provider in a way that no rule reads.",
    why="The credentials may go to another server or be those of another account, and no change shows it.",
)
def provider_settings(plans: Plans) -> Iterator[ReviewFinding]:
    for before, after in plans.outputs.values():
        yield from _differences(before, after)
    configured = [
        (plan.stack, address, source, arguments)
        for plan in plans.plans
        for (address, source), arguments in plans.references[plan.stack].configuration.provider_arguments.items()
    ]
    limited = {source for _, _, source, arguments in configured if "allowed_account_ids" in arguments}
    for stack, address, source, arguments in configured:
        for what, seen in _unread(arguments, is_limited=source in limited):
            yield ReviewFinding(stack=stack, address=address, what=what, seen=_written(seen))


def _differences(before: Stack, after: Stack) -> Iterator[ReviewFinding]:
    was, now, noted = settings(before), settings(after), narrowed(before, after)
    places = sorted(place for place in {*was, *now} - noted.keys() if was.get(place) != now.get(place))
    for address in sorted({address for address, _ in places}):
        seen = [(name, was.get((place, name)), now.get((place, name))) for place, name in places if place == address]
        parts = [
            Joined(" ", (code(name), changed(*values))) if name in _SHOWN else code(name) for name, *values in seen
        ]
        template = "is set otherwise than at the last apply: {arguments}"
        what = said(template, arguments=Joined(", ", parts))
        brief = said(template, arguments=codes(name for name, *_ in seen))
        yield ReviewFinding(stack=after.name, address=address, what=what, brief=brief, seen=_written(seen))


def _unread(arguments: Mapping[str, Any], *, is_limited: bool) -> Iterator[tuple[str, Any]]:
    """What is dangerous about a provider's arguments, and the expressions that say so."""
    others = {name: arguments[name] for name in sorted(arguments.keys() - set(_READ))}
    if others:
        yield said("sets what no rule reads: {arguments}", arguments=codes(others)), others
    allowed = arguments.get("allowed_account_ids")
    account = _account(allowed)
    if allowed is None and is_limited:
        yield said("works in any account: {argument} is missing", argument=code("allowed_account_ids")), None
    elif allowed is not None and account is None:
        yield said("works in accounts that are not known: {argument}", argument=code("allowed_account_ids")), allowed
    roles = arguments.get("assume_role")
    if roles is not None and not _are_of(account, roles):
        yield said("assumes a role that is not known to be of the only account that it allows"), [roles, allowed]


def _account(expression: Any) -> str | None:
    """The only account in a list of constants."""
    match expression:
        case {"constant_value": [str(account)]} if _ACCOUNT.fullmatch(account):
            return account
    return None


def _are_of(account: str | None, roles: Any) -> bool:
    """Whether all blocks of `assume_role` have nothing but a role of the account."""
    return account is not None and isinstance(roles, list) and all(_role_account(role) == account for role in roles)


def _role_account(block: Any) -> str | None:
    match block:
        case {"role_arn": {"constant_value": str(role)}} if len(block) == 1 and role.startswith("arn:"):
            return Arn.of(role).account if role.count(":") >= 5 else None
    return None


def _written(found: Any) -> str:
    return json.dumps(found, sort_keys=True)
