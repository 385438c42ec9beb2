"""Plans of identities and their policies, and what AWS would allow before and after the apply: by a model of its own.

It shares nothing with `ops.review`. What a resource does to attachments is in terraform-provider-aws, in
`internal/service/iam`: `user_policy_attachment.go`, `policy_attachment.go`, `group_membership.go`,
`user_group_membership.go`, `user_policies_exclusive.go` and `user_policy_attachments_exclusive.go`, and those for roles
and groups. Destroying an exclusive list detaches nothing (`framework.WithNoOpDelete`).
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.iam.naive import decide
from tests.ops.review.rule_cases import policy
from tests.terraform.plans import change, plan

ACCOUNT = "222222222222"
HERE, THERE = "192.0.2.0/28", "198.51.100.0/28"
ORIGINS: dict[str, dict[str, str]] = {
    HERE: {"aws:SourceIp": "192.0.2.1"},
    THERE: {"aws:SourceIp": "198.51.100.1"},
    "anywhere else": {"aws:SourceIp": "203.0.113.9"},
    "anywhere else, by IPv6": {"aws:SourceIp": "2001:db8::1"},
    "another VPC endpoint": {"aws:SourceVpce": "another"},
}
"""What the table calls the places that the policies distinguish, with a request from each."""

ACTIONS = ("codecommit:GitPull", "codecommit:GitPush")
USERS, ROLES, GROUPS = ("ann", "bob"), ("build",), ("readers", "writers")
KINDS = {"user": USERS, "role": ROLES, "group": GROUPS}
NAMES = ("one", "two")
FOREIGN = f"arn:aws:iam::{ACCOUNT}:policy/foreign"
TRUST = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "codebuild.amazonaws.com"}})
NOT_KNOWN = None

Statements = list[dict[str, Any]]
Owner = tuple[str, str]


def arn_of(kind: str, name: str) -> str:
    """The ARN of a user, a role, a managed policy or a repository."""
    if kind == "repository":
        return f"arn:aws:codecommit:ap-northeast-1:{ACCOUNT}:{name}"
    return f"arn:aws:iam::{ACCOUNT}:{kind}/{name}"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource before and after the apply, None where it does not exist."""

    type: str
    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    def at(self, is_after: bool) -> Mapping[str, Any] | None:
        """Its values at one moment."""
        return self.after if is_after else self.before

    @property
    def is_destroyed(self) -> bool:
        """Whether the apply destroys it, for good or to replace it."""
        return self.before is not None and (self.after is None or self._is_replaced)

    @property
    def _is_replaced(self) -> bool:
        """Whether anything changes but what the provider updates in place."""
        before, after = self.before or {}, self.after or self.before or {}
        return self.name.startswith("it_") and any(before[name] != after[name] for name in before.keys() - _UPDATED)

    def change(self) -> dict[str, Any]:
        """Its entry in the plan."""
        sides = [_written(side) for side in (self.before, self.after)]
        actions = ["no-op" if sides[0] == sides[1] else "update"]
        if self.before is None or self.after is None or self._is_replaced:
            actions = [*(["delete"] if self.before else []), *(["create"] if self.after else [])]
        return change(f"{self.type}.{self.name}", actions, *sides)


_UPDATED = {"policy", "users", "roles", "groups", "policy_arns", "policy_names"}


def _written(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {name: policy(*found) if name == "policy" else found for name, found in values.items()}


def generated(choice: random.Random) -> list[Resource]:
    """A few resources; most identities, policies and repositories exist before and after."""
    return [*_bases(choice), *(_attaching(choice, number) for number in range(choice.randrange(3, 9)))]


def as_plan(resources: list[Resource]) -> dict[str, Any]:
    """The plan of these resources."""
    return plan(*(resource.change() for resource in resources))


def _bases(choice: random.Random) -> Iterator[Resource]:
    yield _witness()
    yield Resource(
        type="aws_iam_user_policy",
        name="witness",
        before={"user": "witness", "name": "it", "policy": _WITNESSED},
        after={"user": "witness", "name": "it", "policy": _WITNESSED},
    )
    for name in ("application", "batch"):
        values = {"repository_name": name, "arn": arn_of("repository", name)}
        renamed = {**values, "repository_name": f"{name}-2"}
        yield _living(choice, "aws_codecommit_repository", name, values, renamed)
    for name in ("first", "second", "third"):
        sides = [{"arn": arn_of("policy", name), "policy": _statements(choice)} for _ in range(2)]
        yield _living(choice, "aws_iam_policy", name, *sides)
    for kind, names in KINDS.items():
        for name in names:
            values = {"name": name, "arn": arn_of(kind, name)}
            if kind == "role":
                values["assume_role_policy"] = TRUST
            before, after = (
                {**values, "permissions_boundary": arn_of("policy", choice.choice(("first", "third")))}
                if kind != "group" and choice.random() < 0.15
                else values
                for _ in range(2)
            )
            if kind == "user" and choice.random() < 0.05:
                after = {**after, "name": f"{name}-renamed"}
            yield _living(choice, f"aws_iam_{kind}", name, before, after)


_WITNESSED: Statements = [
    {
        "Effect": "Allow",
        "Action": "codecommit:GitPull",
        "Resource": "*",
        "Condition": {"IpAddress": {"aws:SourceIp": at}},
    }
    for at in (HERE, THERE)
]


def _witness() -> Resource:
    """A user by whose policy the networks are always named."""
    values = {"name": "witness", "arn": arn_of("user", "witness")}
    return Resource(type="aws_iam_user", name="witness", before=values, after=values)


def _living(choice: random.Random, kind: str, name: str, values: Any, other: Any) -> Resource:
    fate = choice.choices(("kept", "changed", "created", "destroyed"), (14, 4, 1, 1))[0]
    return Resource(
        type=kind,
        name=name,
        before=None if fate == "created" else values,
        after=None if fate == "destroyed" else values if fate in ("kept", "created") else other,
    )


def _statements(choice: random.Random) -> Statements:
    found: Statements = []
    for number in range(choice.randrange(1, 3)):
        statement: dict[str, Any] = {
            "Sid": f"S{number}",
            "Effect": choice.choice(("Allow", "Allow", "Deny")),
            "Action": choice.choice(("codecommit:GitPull", "codecommit:GitPush", "codecommit:*", "*", list(ACTIONS))),
            "Resource": choice.choice(("*", "*", arn_of("repository", "application"), arn_of("repository", "batch-*"))),
        }
        if choice.random() < 0.5:
            network = choice.choice((HERE, THERE, [HERE, THERE]))
            statement["Condition"] = {choice.choice(("IpAddress", "NotIpAddress")): {"aws:SourceIp": network}}
        found.append(statement)
    return found


def _arn(choice: random.Random) -> str:
    return arn_of("policy", choice.choice(("first", "second", "third"))) if choice.random() < 0.97 else FOREIGN


def _some(choice: random.Random, names: tuple[str, ...]) -> list[str]:
    return sorted(name for name in names if choice.random() < 0.6)


def _attaching(choice: random.Random, number: int) -> Resource:
    kind = choice.choice(("user", "user", "role", "group"))
    owner = choice.choice(KINDS[kind])
    named, name = _arn(choice), choice.choice(NAMES)
    user, group = choice.choice(USERS), choice.choice(GROUPS)
    made: dict[str, Any] = {
        f"aws_iam_{kind}_policy": lambda: {kind: owner, "name": name, "policy": _statements(choice)},
        f"aws_iam_{kind}_policy_attachment": lambda: {kind: owner, "policy_arn": named},
        "aws_iam_policy_attachment": lambda: {
            "name": "it", "policy_arn": named, **{f"{kind}s": _some(choice, names) for kind, names in KINDS.items()}
        },
        "aws_iam_user_group_membership": lambda: {"user": user, "groups": _some(choice, GROUPS)},
        "aws_iam_group_membership": lambda: {"name": "it", "group": group, "users": _some(choice, USERS)},
        f"aws_iam_{kind}_policies_exclusive": lambda: {f"{kind}_name": owner, "policy_names": _some(choice, NAMES)},
        f"aws_iam_{kind}_policy_attachments_exclusive": lambda: {
            f"{kind}_name": owner, "policy_arns": sorted({_arn(choice) for _ in range(choice.randrange(3))})
        },
    }  # fmt: skip
    [type_] = choice.choices(list(made), (6, 6, 2, 4, 1, 1, 1))
    values, other = made[type_](), made[type_]()
    fate = choice.choice(("kept", "kept", "created", "destroyed", "changed"))
    return Resource(
        type=type_,
        name=f"it_{number}",
        before=None if fate == "created" else values,
        after=None if fate == "destroyed" else other if fate == "changed" else values,
    )


class Account:
    """What is attached to whom at one moment, and for whom that depends on the order in which resources are applied."""

    def __init__(self, resources: list[Resource], is_after: bool) -> None:
        self._resources, self._is_after = resources, is_after
        self._evaluated: dict[Owner, tuple[Statements | None, list[Statements] | None]] = {}
        self._names = {
            kind: [values["name"] for _, values in self._of(f"aws_iam_{kind}")] for kind in ("user", "role", "group")
        }

    def _of(self, type_: str) -> list[tuple[Resource, Mapping[str, Any]]]:
        found = [(one, one.at(self._is_after)) for one in self._resources if one.type == type_]
        return [(one, values) for one, values in found if values is not None]

    def repositories(self) -> dict[str, str]:
        """Names and ARNs: the new name's ARN, which the plan does not have yet."""
        names = [values["repository_name"] for _, values in self._of("aws_codecommit_repository")]
        return {name: arn_of("repository", name) for name in names}

    def identities(self) -> list[Owner]:
        """Users and roles."""
        return [(kind, name) for kind in ("user", "role") for name in self._names[kind]]

    def allows(self, owner: Owner, action: str, arn: str, origin: str) -> bool | None:
        """Whether a request is allowed; NOT_KNOWN where this depends on something that the plan does not say."""
        if owner not in self._evaluated:
            self._evaluated[owner] = self._statements(owner), self._boundary(owner)
        statements, boundary = self._evaluated[owner]
        if statements is NOT_KNOWN or boundary is NOT_KNOWN:
            return NOT_KNOWN
        return all(decide(found, action, arn, ORIGINS[origin]) for found in (statements, *boundary))

    def _boundary(self, owner: Owner) -> list[Statements] | None:
        [values] = [values for _, values in self._of(f"aws_iam_{owner[0]}") if values["name"] == owner[1]]
        if "permissions_boundary" not in values:
            return []
        found = self._managed(values["permissions_boundary"])
        return NOT_KNOWN if found is NOT_KNOWN else [found]

    def _managed(self, arn: str) -> Statements | None:
        return next((values["policy"] for _, values in self._of("aws_iam_policy") if values["arn"] == arn), NOT_KNOWN)

    def _statements(self, owner: Owner) -> Statements | None:
        """The statements of its own policies, and of its groups; NOT_KNOWN for each written reason."""
        if self._keeps_old_name(owner):
            return NOT_KNOWN
        attached, inline = self._attached(owner), self._inline(owner)
        if attached is NOT_KNOWN or inline is NOT_KNOWN:
            return NOT_KNOWN
        parts = [inline, *(self._managed(arn) for arn in attached)]
        if owner[0] == "user":
            groups = self._groups(owner[1])
            if groups is NOT_KNOWN or not groups <= set(self._names["group"]):
                return NOT_KNOWN  # a group of no plan
            parts += [self._statements(("group", group)) for group in groups]
        found: Statements = []
        for part in parts:
            if part is NOT_KNOWN:
                return NOT_KNOWN
            found += part
        return found

    def _keeps_old_name(self, owner: Owner) -> bool:
        """Whether it is renamed, and resources attach policies to its old name."""
        renamed = [one for one, values in self._of(f"aws_iam_{owner[0]}") if values["name"] == owner[1] and one.before]
        old = [str(one.before["name"]) for one in renamed if one.before and one.before["name"] != owner[1]]
        return self._is_after and any(
            (owner[0], name) == found
            for one in self._resources
            for found, _ in self._given(one, True) | self._left(one)
            for name in old
        )

    def _given(self, one: Resource, is_after: bool) -> set[tuple[Owner, str]]:
        """The owners that a resource attaches a policy to, names an inline policy of, or adds to a group."""
        return _pairs(one.type, one.at(is_after) or {})

    def _left(self, one: Resource) -> set[tuple[Owner, str]]:
        """What stays attached when a resource is destroyed."""
        is_left = self._is_after and one.type.endswith("attachments_exclusive") and one.is_destroyed
        return self._given(one, False) if is_left else set()

    def _attached(self, owner: Owner) -> set[str] | None:
        kinds = (f"aws_iam_{owner[0]}_policy_attachment", "aws_iam_policy_attachment")
        exclusive = f"aws_iam_{owner[0]}_policy_attachments_exclusive"
        found = self._settled(owner, (*kinds, exclusive))
        if found is NOT_KNOWN:
            return NOT_KNOWN
        only = [
            set(values["policy_arns"]) for _, values in self._of(exclusive) if values[f"{owner[0]}_name"] == owner[1]
        ]
        elsewhere = [
            values["policy_arn"]
            for one, values in self._of("aws_iam_policy_attachment")
            if (owner, values["policy_arn"]) not in self._given(one, self._is_after)
        ]
        return NOT_KNOWN if any(found - arns for arns in only) or found & set(elsewhere) else found

    def _inline(self, owner: Owner) -> Statements | None:
        kind = f"aws_iam_{owner[0]}_policy"
        found = self._settled(owner, (kind,))
        own = [values for _, values in self._of(kind) if values[owner[0]] == owner[1]]
        kept = [
            set(values["policy_names"])
            for _, values in self._of(f"aws_iam_{owner[0]}_policies_exclusive")
            if values[f"{owner[0]}_name"] == owner[1]
        ]
        if found is NOT_KNOWN or len(found) < len(own) or any(names != found for names in kept):
            return NOT_KNOWN
        return [statement for values in own for statement in values["policy"]]

    def _groups(self, user: str) -> set[str] | None:
        found = self._settled(("user", user), ("aws_iam_user_group_membership", "aws_iam_group_membership"))
        without = {values["group"] for _, values in self._of("aws_iam_group_membership") if user not in values["users"]}
        return NOT_KNOWN if found is NOT_KNOWN or found & without else found

    def _settled(self, owner: Owner, types: tuple[str, ...]) -> set[str] | None:
        """What resources of these types give an owner; NOT_KNOWN where one takes away what another gives."""
        given, taken, left = Counter[str](), set[str](), set[str]()
        for one in (one for one in self._resources if one.type in types):
            now, was, stays = (
                {what for who, what in found if who == owner}
                for found in (self._given(one, self._is_after), self._given(one, False), self._left(one))
            )
            given.update(now)
            left |= stays
            taken |= was - now - stays if self._is_after else set()
        if given.keys() & taken:
            return NOT_KNOWN
        return given.keys() | (left - taken)


def _pairs(type_: str, values: Mapping[str, Any]) -> set[tuple[Owner, str]]:
    kind = type_.removeprefix("aws_iam_").partition("_")[0]
    if not values:
        return set()
    if type_ == "aws_iam_policy_attachment":
        return {((kind, name), values["policy_arn"]) for kind in KINDS for name in values[f"{kind}s"]}
    if type_ == "aws_iam_user_group_membership":
        return {(("user", values["user"]), group) for group in values["groups"]}
    if type_ == "aws_iam_group_membership":
        return {(("user", user), values["group"]) for user in values["users"]}
    if type_.endswith("_policy_attachments_exclusive"):
        return {((kind, values[f"{kind}_name"]), arn) for arn in values["policy_arns"]}
    if type_.endswith("_policy_attachment"):
        return {((kind, values[kind]), values["policy_arn"])}
    if type_ == f"aws_iam_{kind}_policy":
        return {((kind, values[kind]), values["name"])}
    return set()
