"""Who gets in, before and after: who may pull from and push to which repository, and from where.

The policies are those that the plans find in force and those that they leave; the evaluation is that of `access`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network
from typing import Any

from iam import powers
from iam.aws_managed import aws_managed
from iam.codecommit import PULL, PUSH
from iam.comparison import covered
from iam.evaluation import evaluate
from iam.model import REPRESENTATIVES, Identity, Model, Place
from iam.policy import Policy, UnsupportedError, parse
from iam.sources import Source, sources
from ops.review.rule import Plans
from ops.review.text import code
from terraform.plan import Action, Change
from terraform.plan_references import origin

_DONE = {PULL: "pull", PUSH: "push to"}

_WORLD = {"0.0.0.0/0", "::/0"}
_OPEN = re.compile(r"\(([^()]+), known after apply\)")

Ways = Mapping[tuple[str, str, str], frozenset[str]]
"""The names of the places that each identity may do each action on each repository from."""


@dataclass(frozen=True, kw_only=True)
class AccessRow:
    """What one principal may do with some repositories; a cell holds Markdown: before, an arrow, and after."""

    principal: str
    repositories: Sequence[str]
    pull: str
    push: str
    is_changed: bool


@dataclass(frozen=True, kw_only=True)
class AccessTable:
    """The rows, what is allowed newly, and what could not be worked out; both as stack, address and Markdown."""

    rows: Sequence[AccessRow]
    widened: Sequence[tuple[str, str, str]]
    unreadable: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, kw_only=True)
class _Moment:
    """Identities and repositories as they are at one moment, by name; `owners` are the changes behind identities."""

    identities: Mapping[str, Identity]
    owners: Mapping[str, Change]
    repositories: Mapping[str, str]


@lru_cache(maxsize=1)
def table(plans: Plans) -> AccessTable:
    """The table of all plans together."""
    reader = _Reader(plans)
    before, after = reader.moment(is_after=False), reader.moment(is_after=True)
    everybody = (*before.identities.values(), *after.identities.values())
    try:
        places = sources(Model(identities=everybody, places=tuple(reader.places())))
    except (UnsupportedError, ValueError) as error:
        every = [
            (plan.stack, "the plan", f"names a place that cannot be read: {code(str(error))}") for plan in plans.plans
        ]
        return AccessTable(rows=(), widened=(), unreadable=(*reader.unreadable, *every))
    was, now = (_ways(moment, places, reader.unreadable) for moment in (before, after))
    names = {**before.repositories, **after.repositories}
    return AccessTable(
        rows=list(_rows(was, now, sorted(names))),
        widened=sorted(_widened(was, now, before, after)),
        unreadable=sorted(set(reader.unreadable)),
    )


def _ways(moment: _Moment, places: Sequence[Source], unreadable: list[tuple[str, str, str]]) -> Ways:
    found = {}
    for name, identity in moment.identities.items():
        # A role works for a service, wherever that has its machines.
        callers = (
            [place for place in places if not place.places and not place.networks][:1] if identity.trust else places
        )
        try:
            for repository, arn in moment.repositories.items():
                for action in (PULL, PUSH):
                    found[name, repository, action] = frozenset(
                        _where(place, identity)
                        for place in callers
                        if evaluate(
                            powers.request(identity, place, action, arn, {}), identity=identity.policies
                        ).allowed
                    )
        except UnsupportedError as error:
            owner = moment.owners[name]
            unreadable.append((owner.stack, owner.address, f"may do what cannot be worked out: {code(str(error))}"))
    return found


def _where(place: Source, identity: Identity) -> str:
    return "its service" if identity.trust else place.name


def _rows(was: Ways, now: Ways, repositories: Sequence[str]) -> Iterator[AccessRow]:
    everywhere = frozenset[str]().union(*was.values(), *now.values())
    for name in sorted({name for name, _, _ in (*was, *now)}):
        cells: dict[tuple[str, str], list[str]] = {}
        for repository in repositories:
            both = [
                (was.get((name, repository, action), frozenset()), now.get((name, repository, action), frozenset()))
                for action in (PULL, PUSH)
            ]
            if any(old or new for old, new in both):
                pull, push = (_cell(old, new, everywhere) for old, new in both)
                cells.setdefault((pull, push), []).append(repository)
        for (pull, push), named in cells.items():
            yield AccessRow(principal=name, repositories=named, pull=pull, push=push, is_changed="→" in f"{pull}{push}")


def _cell(old: frozenset[str], new: frozenset[str], everywhere: frozenset[str]) -> str:
    shown_old, shown_new = (_listed(names, everywhere) for names in (old, new))
    return shown_old if old == new else f"{shown_old} → **{shown_new}**"


def _listed(names: frozenset[str], everywhere: frozenset[str]) -> str:
    """Places without those that lie in another of them, and with those that lie in one and are excepted."""
    shown = [
        f"{code(name)}{' (anywhere)' if name in _WORLD else ''}"
        for name in sorted(names)
        if not covered(name, names - {name})
    ]
    excepted = [code(name) for name in sorted(everywhere - names) if covered(name, names)]
    return (", ".join(shown) or "nowhere") + (f" except {', '.join(excepted)}" if excepted else "")


def _widened(was: Ways, now: Ways, before: _Moment, after: _Moment) -> Iterator[tuple[str, str, str]]:
    """One line for each identity, action and set of new places, with the repositories."""
    for name, owner in after.owners.items():
        for action in (PULL, PUSH):
            gained: dict[frozenset[str], list[str]] = {}
            for repository in after.repositories:
                new = now.get((name, repository, action), frozenset()) - was.get(
                    (name, repository, action), frozenset()
                )
                if new:
                    gained.setdefault(new, []).append(repository)
            for places, repositories in gained.items():
                listed = ", ".join(code(repository) for repository in sorted(repositories))
                where = _listed(places, frozenset())
                is_new = " (new)" if name not in before.identities else ""
                yield owner.stack, owner.address, f"{code(name)}{is_new} may {_DONE[action]} {listed} from {where}"


class _Reader:
    """Fills the model of `access` from plans."""

    unreadable: list[tuple[str, str, str]]

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self._open: dict[str, IPv4Network] = {}
        self.unreadable = []

    def places(self) -> Iterator[Place]:
        """What stands for addresses that only the apply will tell."""
        for reference, network in self._open.items():
            name = f"{origin(reference).replace('`', '')} (known after apply)"
            yield Place(name=name, networks=(network,), representative=True)

    def moment(self, *, is_after: bool) -> _Moment:
        """Everything as it is before the apply, or after."""
        identities, owners, repositories = {}, {}, {}
        for change in self._plans.changes():
            values = _values(change, is_after=is_after)
            if not values or change.deposed is not None:
                continue
            if change.type == "aws_codecommit_repository":
                name, arn = values.get("repository_name"), self._text(change, "arn", is_after=is_after)
                if isinstance(name, str) and arn:
                    repositories[name] = arn
            kind = change.type.removeprefix("aws_iam_")
            if change.type in {"aws_iam_user", "aws_iam_role"} and isinstance(values.get("name"), str):
                name = str(values["name"])
                identity = self._identity(change, kind, name, values, is_after=is_after)
                if identity is not None:
                    identities[name] = identity
                    owners[name] = change
        return _Moment(identities=identities, owners=owners, repositories=repositories)

    def _identity(
        self, change: Change, kind: str, name: str, values: Mapping[str, Any], *, is_after: bool
    ) -> Identity | None:
        try:
            if values.get("permissions_boundary"):
                raise UnsupportedError(name, "a permissions boundary")
            arn = self._text(change, "arn", is_after=is_after) or f"arn:aws:iam::000000000000:{kind}/{name}"
            trust = self._policy(change, "assume_role_policy", f"{name}'s trust", is_after=is_after)
            return Identity(
                address=change.address,
                arn=arn,
                account=arn.split(":")[4],
                policies=tuple(self._attached(kind, name, is_after=is_after)),
                trust=trust or (parse(_NOBODY, "no trust") if kind == "role" else None),
            )
        except (UnsupportedError, ValueError, IndexError) as error:
            what = f"may do what cannot be worked out: {code(str(error))}"
            self.unreadable.append((change.stack, change.address, what))
            return None

    def _attached(self, kind: str, name: str, *, is_after: bool) -> Iterator[Policy]:
        for change in self._plans.changes():
            if not _values(change, is_after=is_after) or change.deposed is not None:
                continue
            if change.type not in _GIVING or self._text(change, kind, is_after=is_after) != name:
                continue
            if change.type.endswith("_policy"):
                policy = self._policy(change, "policy", change.address, is_after=is_after)
                if policy is None:
                    raise UnsupportedError(change.address, "a policy that is known after the apply only")
                yield policy
            elif change.type.endswith("_attachment"):
                yield self._managed(change, is_after=is_after)
            else:
                raise UnsupportedError(change.address, "the policies of groups")

    def _managed(self, attachment: Change, *, is_after: bool) -> Policy:
        arn = self._text(attachment, "policy_arn", is_after=is_after)
        references = [
            reference.removesuffix(".arn")
            for reference in self._plans.resolvers[attachment.stack].references(attachment.address, "policy_arn")
        ]
        for change in self._plans.changes():
            if change.type != "aws_iam_policy" or not _values(change, is_after=is_after):
                continue
            is_meant = (
                change.stack == attachment.stack and change.address in references
                if arn is None
                else self._text(change, "arn", is_after=is_after) == arn
            )
            if is_meant:
                policy = self._policy(change, "policy", change.address, is_after=is_after)
                if policy is not None:
                    return policy
                raise UnsupportedError(change.address, "a policy that is known after the apply only")
        published = aws_managed(arn) if arn is not None else None
        if published is None:
            raise UnsupportedError(
                attachment.address, f"what {arn or 'the attached policy'} allows, which no plan here has"
            )
        return published

    def _policy(self, change: Change, name: str, called: str, *, is_after: bool) -> Policy | None:
        if is_after and change.action is not Action.FORGET:
            text = self._plans.resolvers[change.stack].after(change, name)
        else:
            text = change.before.get(name)
        if not isinstance(text, str) or not text:
            return None
        return parse(_OPEN.sub(self._representative, text), called)

    def _representative(self, found: re.Match[str]) -> str:
        network = self._open.setdefault(found[1], IPv4Network(REPRESENTATIVES + len(self._open)))
        return str(network)

    def _text(self, change: Change, name: str, *, is_after: bool) -> str | None:
        """An attribute's text at that moment, worked out from references where the plan leaves it open."""
        found = _values(change, is_after=is_after).get(name)
        if isinstance(found, str):
            return found
        if not is_after:
            return None
        resolver = self._plans.resolvers[change.stack]
        module = change.module and f"{change.module}."
        own = resolver.value(module, f"{change.address.removeprefix(module)}.{name}")
        if own is not None:
            return own
        values = (resolver.value(module, reference) for reference in resolver.references(change.address, name))
        return next((value for value in values if value is not None), None)


# What gives a user or a role something to do; its argument `user` or `role` names whom.
_GIVING = {
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_iam_user_group_membership",
    "aws_iam_user_policy",
    "aws_iam_user_policy_attachment",
}

# A role whose trust is open: it is a role all the same.
_NOBODY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}],
    }
)


def _values(change: Change, *, is_after: bool) -> Mapping[str, Any]:
    if not is_after or change.action is Action.FORGET:
        return change.before
    return {} if change.is_gone else change.after
