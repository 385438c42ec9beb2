"""Reads from plans which users, roles and repositories there are before and after the apply, with their policies."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from iam.model import REPRESENTATIVES, Identity, Place
from iam.statements import UnsupportedError
from ops.review.attachments import KINDS, Attachments, Owner
from ops.review.plan_moment import PlanMoment
from ops.review.rule import Plans, ReviewedChange, ReviewFinding
from ops.review.text import code
from ops.review.translatable import said
from terraform.arns import Arn
from terraform.plan_values import KnownAfterApply, Sensitive

# The ARN of an object that the plan creates.
_CREATED = re.compile(r"(module\.[^.]+\.)*(?P<type>aws_\w+)\.(?P<name>[\w-]+)(\[[^\]]*\])?\.arn")


@dataclass(frozen=True, kw_only=True)
class AccessMoment:
    """Identities and repository ARNs before or after the apply, by name; `owners` are the identities' changes.

    `unknown` are the identities whose access cannot be determined, each with the reason.
    """

    identities: Mapping[str, Identity]
    unknown: dict[str, str]
    owners: Mapping[str, ReviewedChange]
    repositories: Mapping[str, str]
    tags: Mapping[str, Mapping[str, str | None] | None]
    """Those of each repository, by its ARN, as in `iam.model.Resource`."""


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
        moment = PlanMoment(self._plans, is_after, self._stand_in)
        attachments = Attachments(moment)
        identities: dict[str, Identity] = {}
        owners: dict[str, ReviewedChange] = {}
        unknown: dict[str, str] = {}
        for kind in ("user", "role"):
            for change in moment.existing(f"aws_iam_{kind}"):
                name = str(moment.values(change).get("name"))
                try:
                    if name in owners:
                        raise UnsupportedError(change.address, f"two identities of the name {name}")
                    identities[name] = _identity(moment, attachments, change, kind)
                except (UnsupportedError, ValueError, IndexError) as error:
                    unknown[name] = self.report(change, error)
                owners.setdefault(name, change)
        for owner, change, missing in _elsewhere(moment, attachments):
            why = self.report(change, missing)
            if owner[0] != "group":
                unknown.setdefault(owner[1], why)
                owners.setdefault(owner[1], change)
        repositories, tags = self._repositories(moment)
        return AccessMoment(identities=identities, unknown=unknown, owners=owners, repositories=repositories, tags=tags)

    def _repositories(self, moment: PlanMoment) -> tuple[dict[str, str], dict[str, dict[str, str | None] | None]]:
        """The repositories' ARNs by name, and their tags by ARN."""
        found: dict[str, str] = {}
        tags: dict[str, dict[str, str | None] | None] = {}
        for change in moment.existing("aws_codecommit_repository"):
            name = moment.values(change).get("repository_name")
            try:
                arn = moment.arn(change, "repository_name")
                if not isinstance(name, str) or arn is None:
                    raise UnsupportedError(change.address, "a name or an ARN that is not known")
                if found.setdefault(name, arn) != arn:
                    raise UnsupportedError(change.address, f"two repositories of the name {name}")
                tags[arn] = _tags(moment, change)
            except UnsupportedError as error:
                self.report(change, error)
        return found, tags

    def report(self, change: ReviewedChange, error: Exception) -> str:
        """Record that the access of an identity, or to a repository, cannot be determined; returns the reason."""
        self.unreadable.append(
            change.finding(said("its access cannot be determined: {reason}", reason=code(reason(error))))
        )
        return reason(error)

    def _stand_in(self, found: KnownAfterApply | Sensitive) -> str:
        if isinstance(found, Sensitive):
            raise UnsupportedError("a policy", "a sensitive value")
        created = _CREATED.fullmatch(found.reference or "")
        if created is not None and created["type"] != "aws_codecommit_repository":
            # What it names is no repository, whatever its ARN will be.
            return f"arn:aws:known-after-apply:::{created['type']}/{created['name']}"
        network = self._networks.setdefault(found, IPv4Network(REPRESENTATIVES + len(self._networks)))
        self.open_addresses[network] = found
        return str(network)


def _elsewhere(
    moment: PlanMoment, attachments: Attachments
) -> Iterator[tuple[Owner, ReviewedChange, UnsupportedError]]:
    """Who has policies and is in none of the plans."""
    existing = {
        (kind, str(moment.values(found).get("name"))) for kind in KINDS for found in moment.existing(f"aws_iam_{kind}")
    }
    for (kind, name), change in attachments.owners().items():
        if (kind, name) not in existing:
            what = f"the {kind} {name}, which is in none of the plans"
            yield (kind, name), change, UnsupportedError(change.address, what)


def _tags(moment: PlanMoment, change: ReviewedChange) -> dict[str, str | None] | None:
    """A repository's tags with those of its provider; None where the plan does not know them all."""
    values, names = moment.values(change), ("tags_all", "tags")
    if not set(names) & values.keys() or (moment.is_after and any(map(change.unknown, names))):
        return None
    listed = [values.get(name) or {} for name in names]
    if not all(isinstance(tags, dict) for tags in listed):
        return None
    return {key: value if isinstance(value, str) else None for tags in listed for key, value in tags.items()}


def _identity(moment: PlanMoment, attachments: Attachments, change: ReviewedChange, kind: str) -> Identity:
    name = moment.values(change).get("name")
    if not isinstance(name, str):
        raise UnsupportedError(change.address, "a name that is sensitive or not known")
    arn = moment.arn(change, "name")
    if arn is None:
        raise UnsupportedError(change.address, "an ARN whose account is not known")
    boundary = moment.named(change, "permissions_boundary")
    trust = moment.policy(change, "assume_role_policy", f"{name}'s trust policy")
    if kind == "role" and trust is None:
        raise UnsupportedError(change.address, "a trust policy that is not known")
    return Identity(
        address=change.address,
        arn=arn,
        account=Arn.of(arn).account,
        policies=tuple(attachments.policies(kind, name)),
        trust=trust,
        boundary=None if boundary is None else moment.managed(boundary, change.address),
    )


def reason(error: Exception) -> str:
    """Why something cannot be read, in one line."""
    return error.reason if isinstance(error, UnsupportedError) else str(error)
