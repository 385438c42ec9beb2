"""Reads from plans which users, roles and repositories there are before and after the apply, with their policies."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from iam.aws_managed import aws_managed
from iam.documents import parse
from iam.model import REPRESENTATIVES, Identity, Place
from iam.statements import Policy, UnsupportedError
from ops.review.rule import Plans, ReviewedChange, ReviewFinding
from ops.review.text import code
from terraform.arns import Arn
from terraform.plan import Action
from terraform.plan_configuration import module_of
from terraform.plan_values import KnownAfterApply, Sensitive

# Types that give a user or a role permissions; their argument `user` or `role` names it.
_GRANTS = {
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_iam_user_group_membership",
    "aws_iam_user_policy",
    "aws_iam_user_policy_attachment",
}

# For a role whose trust policy is not known yet.
_TRUSTS_NOBODY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}],
    }
)


@dataclass(frozen=True, kw_only=True)
class AccessMoment:
    """Identities and repository ARNs before or after the apply, by name; `owners` are the identities' changes.

    `unknown` are the identities whose access cannot be determined, each with the reason.
    """

    identities: Mapping[str, Identity]
    unknown: dict[str, str]
    owners: Mapping[str, ReviewedChange]
    repositories: Mapping[str, str]


class AccessReader:
    """Fills the model of `iam` from plans.

    `unreadable` are findings about identities whose access cannot be determined. `open_addresses` are networks that
    stand for addresses known after the apply only.
    """

    unreadable: list[ReviewFinding]
    open_addresses: dict[IPv4Network, KnownAfterApply]

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self._networks: dict[KnownAfterApply, IPv4Network] = {}
        self.unreadable = []
        self.open_addresses = {}

    def places(self) -> list[Place]:
        """A place for each value that is known after the apply only."""
        return [
            Place(name=found.reference or "not known yet", networks=(network,), representative=True)
            for network, found in self.open_addresses.items()
        ]

    def moment(self, *, is_after: bool) -> AccessMoment:
        """Identities and repositories before or after the apply."""
        identities, owners, repositories = {}, {}, {}
        unknown: dict[str, str] = {}
        for change in self._existing(is_after=is_after):
            values = _values(change, is_after=is_after)
            if change.type == "aws_codecommit_repository":
                name, arn = values.get("repository_name"), values.get("arn")
                if not isinstance(arn, Sensitive):
                    arn = self._text(change, "arn", is_after=is_after)
                if isinstance(name, str) and isinstance(arn, str):
                    repositories[name] = arn
                else:
                    self.report(change, UnsupportedError(change.address, "a name or an ARN that is not known"))
            elif change.type in {"aws_iam_user", "aws_iam_role"}:
                name = values.get("name")
                owners[str(name)] = change
                try:
                    identities[str(name)] = self._identity(change, name, is_after=is_after)
                except (UnsupportedError, ValueError, IndexError) as error:
                    unknown[str(name)] = self.report(change, error)
        return AccessMoment(identities=identities, unknown=unknown, owners=owners, repositories=repositories)

    def report(self, change: ReviewedChange, error: Exception) -> str:
        """Record that the access of an identity, or to a repository, cannot be determined; returns the reason."""
        self.unreadable.append(change.finding(f"its access cannot be determined: {code(reason(error))}"))
        return reason(error)

    def _existing(self, *, is_after: bool) -> Iterator[ReviewedChange]:
        gone = Action.DELETE if is_after else Action.CREATE
        return (change for change in self._plans.changes() if change.deposed is None and change.action is not gone)

    def _identity(self, change: ReviewedChange, name: Any, *, is_after: bool) -> Identity:
        kind = change.type.removeprefix("aws_iam_")
        if not isinstance(name, str):
            raise UnsupportedError(change.address, "a name that is sensitive or not known")
        if _values(change, is_after=is_after).get("permissions_boundary"):
            raise UnsupportedError(name, "a permissions boundary")
        arn = self._text(change, "arn", is_after=is_after)
        if arn is None:
            raise UnsupportedError(change.address, "an ARN whose account is not known")
        trust = self._policy(change, "assume_role_policy", f"{name}'s trust policy", is_after=is_after)
        return Identity(
            address=change.address,
            arn=arn,
            account=Arn.of(arn).account,
            policies=tuple(self._attached(kind, name, is_after=is_after)),
            trust=trust or (parse(_TRUSTS_NOBODY, "no trust policy") if kind == "role" else None),
        )

    def _attached(self, kind: str, name: str, *, is_after: bool) -> Iterator[Policy]:
        for change in self._existing(is_after=is_after):
            if change.type not in _GRANTS or self._text(change, kind, is_after=is_after) != name:
                continue
            if change.type.endswith("_policy"):
                policy = self._policy(change, "policy", change.address, is_after=is_after)
                if policy is None:
                    raise UnsupportedError(change.address, "a policy that is known after the apply only")
                yield policy
            elif change.type.endswith("_attachment"):
                yield self._managed(change, is_after=is_after)
            else:
                raise UnsupportedError(change.address, "policies of groups")

    def _managed(self, attachment: ReviewedChange, *, is_after: bool) -> Policy:
        arn = self._text(attachment, "policy_arn", is_after=is_after)
        module = module_of(attachment.address)
        reference = None
        if arn is None:
            references = attachment.references.configuration.references(attachment.address, "policy_arn")
            reference = _only(references, attachment.address, "policy_arn")
        for change in self._plans.changes("aws_iam_policy"):
            if not _values(change, is_after=is_after):
                continue
            is_attached = (
                change.stack == attachment.stack and f"{change.address}.arn" == f"{module}{reference}"
                if arn is None
                else self._text(change, "arn", is_after=is_after) == arn
            )
            if is_attached:
                policy = self._policy(change, "policy", change.address, is_after=is_after)
                if policy is None:
                    raise UnsupportedError(change.address, "a policy that is known after the apply only")
                return policy
        published = aws_managed(arn) if arn is not None else None
        if published is None:
            raise UnsupportedError(attachment.address, f"{arn or 'an attached policy'}, which is in none of the plans")
        return published

    def _policy(self, change: ReviewedChange, name: str, called: str, *, is_after: bool) -> Policy | None:
        found = _values(change, is_after=is_after).get(name)
        if isinstance(found, Sensitive):
            raise UnsupportedError(called, "a sensitive policy")
        if is_after and change.action is not Action.FORGET:
            resolved = change.references.policy_after(change, name)
            found = None if resolved is None else resolved.written(self._stand_in)
        return parse(found, called) if isinstance(found, str) and found else None

    def _stand_in(self, found: KnownAfterApply | Sensitive) -> str:
        if isinstance(found, Sensitive):
            raise UnsupportedError("a policy", "a sensitive value")
        network = self._networks.setdefault(found, IPv4Network(REPRESENTATIVES + len(self._networks)))
        self.open_addresses[network] = found
        return str(network)

    def _text(self, change: ReviewedChange, name: str, *, is_after: bool) -> str | None:
        """An attribute's text before or after the apply, resolved from its reference where the plan leaves it open."""
        found = _values(change, is_after=is_after).get(name)
        if isinstance(found, Sensitive):
            raise UnsupportedError(change.address, f"a sensitive {name}")
        if isinstance(found, str):
            return found
        if not is_after:
            return None
        module = module_of(change.address)
        reference = _only(change.references.configuration.references(change.address, name), change.address, name)
        # AWS assigns what no reference sets, such as an ARN.
        own = f"{change.address.removeprefix(module)}.{name}"
        value = change.references.value(module, reference or own)
        return value if isinstance(value, str) else None


def reason(error: Exception) -> str:
    """Why something cannot be read, in one line."""
    return error.reason if isinstance(error, UnsupportedError) else str(error)


def _only(references: Sequence[str], address: str, name: str) -> str | None:
    """The one reference in an argument, if it has any."""
    if len(references) > 1:
        raise UnsupportedError(address, f"a {name} that depends on several values")
    return references[0] if references else None


def _values(change: ReviewedChange, *, is_after: bool) -> Mapping[str, Any]:
    if not is_after or change.action is Action.FORGET:
        return change.before
    return {} if change.is_removed else change.after
