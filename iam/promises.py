"""What every deployment promises about access, checked on its policies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from iam import codecommit, powers
from iam.evaluation import Principal, Request, evaluate
from iam.model import Identity, Model
from iam.policy import Network, Statement, has_wildcard
from iam.sources import Source, sources

_WIDEST = {4: 8, 6: 16}
"""A network with a shorter prefix lets the world in; the same line as in settings for IPv4."""


@dataclass(frozen=True)
class Deployment:
    """A model and what is computed from it once for all promises."""

    model: Model

    @cached_property
    def sources(self) -> list[Source]:
        """Every part of the world that the policies tell apart."""
        return sources(self.model)

    @cached_property
    def users(self) -> list[Identity]:
        """The identities that work with a password, from wherever they are let."""
        return [identity for identity in self.model.identities if identity.trust is None]

    @cached_property
    def roles(self) -> list[Identity]:
        """The identities that are assumed."""
        return [identity for identity in self.model.identities if identity.trust is not None]


Broken = Iterator[tuple[str, str]]
"""The place, and what is wrong there."""


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One promise, why it is made, and what finds where it is broken."""

    id: str
    what: str
    why: str
    check: Callable[[Deployment], Broken]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A broken promise: `place` names the policy and the statement, or the resource, that breaks it."""

    promise: Promise
    place: str
    what: str


def broken(model: Model) -> list[Finding]:
    """Every promise that `model` breaks, and where; once for each place."""
    deployment = Deployment(model)
    found = {
        (promise.id, place): Finding(promise=promise, place=place, what=what)
        for promise in PROMISES
        for place, what in promise.check(deployment)
    }
    return list(found.values())


def _rooms_never_push(deployment: Deployment) -> Broken:
    for source in deployment.sources:
        if source.is_room:
            for user in deployment.users:
                for power in powers.powers(user, source, only=codecommit.WRITES):
                    yield power.decision.statements[0].place, f"lets {user.name} {power.action} from {source.name}"
    for place in deployment.model.places:
        for room in place.may_overlap:
            yield place.name, f"nothing keeps these addresses apart from those of {room} when Terraform plans"


def _pull_users_never_push(deployment: Deployment) -> Broken:
    for user in deployment.users:
        if any(_works(user, source) for source in deployment.sources if source.is_room):
            for source in deployment.sources:
                for power in powers.powers(user, source, only=codecommit.WRITES):
                    yield power.decision.statements[0].place, f"lets {user.name} {power.action} from {source.name}"


def _works(user: Identity, source: Source) -> bool:
    return any(True for _ in powers.powers(user, source))


def _users_stay_in_place(deployment: Deployment) -> Broken:
    for user in deployment.users:
        own: dict[str, None] = {}
        for source in deployment.sources:
            for power in powers.powers(user, source):
                place = power.decision.statements[0].place
                known = [place.name for place in source.places if place.is_room or place.may_push]
                if not known:
                    yield place, f"lets {user.name} {power.action} from {source.name}"
                own.update(dict.fromkeys(known))
        if len(own) > 1:
            yield user.address, f"works from {' and '.join(own)}, which are not one place"


_ADMINISTRATION = ("account:", "iam:", "organizations:", "sso:", "sts:")
_ADMINISTRATION_READS = ("iam:get", "iam:list", "iam:generate", "iam:simulate", "sts:get")


def _nobody_administers(deployment: Deployment) -> Broken:
    for identity in deployment.model.identities:
        for statement in powers.allowing(identity):
            for action in powers.actions(statement):
                if _administers(action):
                    yield statement.place, f"lets {identity.name} {action}"
                    break


def _administers(action: str) -> bool:
    lower = action.lower()
    if lower.startswith("codecommit:"):
        return action not in codecommit.READS and action not in codecommit.MIRRORING
    return lower.startswith(_ADMINISTRATION) and not lower.startswith(_ADMINISTRATION_READS)


def _nothing_is_public(deployment: Deployment) -> Broken:
    for resource in deployment.model.resources:
        if resource.policy is None:
            continue
        for statement in resource.policy.statements:
            if statement.allows and _lets_strangers_in(statement, resource.account):
                yield statement.place, f"lets everybody into {resource.address}"


def _lets_strangers_in(statement: Statement, account: str) -> bool:
    """Whether it names more than services and this account; conditions are not counted on."""
    if statement.but_principals:
        return True
    named = statement.principals or {}
    return any(
        kind != "Service" and not (name == account or f"::{account}:" in name)
        for kind, names in named.items()
        for name in names
    )


def _roles_are_for_services(deployment: Deployment) -> Broken:
    for role in deployment.roles:
        for statement in role.trust.statements if role.trust else ():
            if not statement.allows:
                continue
            if statement.but_principals or set(statement.principals or ()) != {"Service"}:
                yield statement.place, f"lets others than a service become {role.name}"
            elif statement.named_actions != {"sts:assumerole"} or statement.action_patterns or statement.but_actions:
                yield statement.place, f"lets a service do more than become {role.name}"


def _only_builds_write(deployment: Deployment) -> Broken:
    for role in deployment.roles:
        trusted = {
            name
            for statement in (role.trust.statements if role.trust else ())
            for name in (statement.principals or {}).get("Service", ())
        }
        if trusted <= {"codebuild.amazonaws.com"}:
            continue
        for statement in powers.allowing(role):
            if written := [action for action in powers.actions(statement) if action in codecommit.WRITES]:
                yield statement.place, f"lets {role.name} {written[0]}, which is no role of builds"


def _policies_name_what_they_mean(deployment: Deployment) -> Broken:
    for identity in deployment.model.identities:
        for statement in powers.allowing(identity):
            if statement.place.startswith("arn:aws:iam::aws:"):
                continue
            if statement.but_actions or statement.but_resources:
                yield statement.place, f"allows {identity.name} everything but what it names"
            elif any(has_wildcard(action) for action in statement.actions):
                yield statement.place, f"allows {identity.name} {', '.join(filter(has_wildcard, statement.actions))}"
            elif "*" in statement.resources and not statement.named_actions <= _WITHOUT_RESOURCE:
                listed = ", ".join(action for action in statement.actions if action.lower() not in _WITHOUT_RESOURCE)
                yield statement.place, f"allows {identity.name} {listed} on every resource"
            elif strange := _of_another_service(statement):
                yield statement.place, f"allows {identity.name} {strange}, which is no action on what it names"


def _of_another_service(statement: Statement) -> str:
    """The actions of a statement that no resource of it can be meant by."""
    services = {resource.split(":")[2] for resource in statement.resources if resource.count(":") >= 5}
    return ", ".join(
        action for action in statement.actions if services and action.split(":")[0].lower() not in services
    )


# Actions that AWS documents with no resource to name, or with none known before they run:
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_WITHOUT_RESOURCE = frozenset(
    (
        "codecommit:listrepositories",
        "ec2:createnetworkinterface",
        "ec2:deletenetworkinterface",
        "ec2:describedhcpoptions",
        "ec2:describenetworkinterfaces",
        "ec2:describesecuritygroups",
        "ec2:describesubnets",
        "ec2:describevpcs",
        "logs:describeloggroups",
        "logs:describelogstreams",
    )
)


def _no_group_is_open(deployment: Deployment) -> Broken:
    for opening in deployment.model.openings:
        for network in opening.networks:
            if _is_world(network) and not opening.may_be_open:
                yield opening.address, f"lets in {network}"


def _is_world(network: Network) -> bool:
    return network.prefixlen < _WIDEST[network.version]


def _no_method_is_open(deployment: Deployment) -> Broken:
    for method in deployment.model.methods:
        if not method.open_to_all:
            continue
        if method.policy is None:
            yield method.address, "answers everybody: the API has no policy"
            continue
        for source in deployment.sources:
            # That a room or the push user's list may be the world is no word about who may call.
            if any(place.may_be_open and not (place.is_room or place.may_push) for place in source.places):
                continue
            if source.places and not all(map(_is_world, source.networks)):
                continue
            asked = Request(
                principal=Principal(kind="anonymous"),
                action="execute-api:Invoke",
                resource=method.arn,
                context=source.context,
                absent=source.absent,
            )
            decision = evaluate(asked, resource=[method.policy])
            if decision.allowed:
                yield decision.statements[0].place, f"lets everybody call {method.address} from {source.name}"


def _no_secret_in_state(deployment: Deployment) -> Broken:
    for user in deployment.users:
        for secret in user.secrets:
            yield secret, f"puts a password or a key of {user.name} into Terraform's state"


PROMISES: tuple[Promise, ...] = (
    Promise(
        id="rooms-never-push",
        what="nobody can push from an isolated room's addresses",
        why="what is in the room may not get out, whoever's password is used there",
        check=_rooms_never_push,
    ),
    Promise(
        id="pull-users-never-push",
        what="a user that works from a room can write from nowhere",
        why="its password is known in the room, and may be carried out of it",
        check=_pull_users_never_push,
    ),
    Promise(
        id="users-stay-in-place",
        what="a user can do nothing from outside its own place",
        why="a password that got out is worth nothing elsewhere",
        check=_users_stay_in_place,
    ),
    Promise(
        id="nobody-administers",
        what="no principal can delete a repository or change its settings, IAM, or who may become whom",
        why="whoever can change the rules is bound by none",
        check=_nobody_administers,
    ),
    Promise(
        id="nothing-is-public",
        what="no resource's policy lets in everybody or another account",
        why="a cache holds code, and a topic what happens to it",
        check=_nothing_is_public,
    ),
    Promise(
        id="roles-are-for-services",
        what="a role can be assumed by AWS services alone",
        why="a role that people can become pushes from wherever they are",
        check=_roles_are_for_services,
    ),
    Promise(
        id="only-builds-write",
        what="no role but a build's writes to a repository",
        why="on a machine that people reach, its role's credentials can be carried anywhere",
        check=_only_builds_write,
    ),
    Promise(
        id="policies-name-what-they-mean",
        what="a policy names its actions, and its resources where they have names",
        why="a wildcard grows with every service that AWS adds",
        check=_policies_name_what_they_mean,
    ),
    Promise(
        id="no-group-is-open",
        what="no security group lets in the world without a written reason",
        why="GitLab holds the code before it is mirrored",
        check=_no_group_is_open,
    ),
    Promise(
        id="no-method-is-open",
        what="no API method answers every sender without a written reason",
        why="whoever can call it starts builds",
        check=_no_method_is_open,
    ),
    Promise(
        id="no-secret-in-state",
        what="no user has a password or a key that Terraform made",
        why="a state keeps it in clear",
        check=_no_secret_in_state,
    ),
)
