"""The access matrix: who may do what with which resource from where, and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from iam import codecommit, powers, tags
from iam.chains import assumed_from
from iam.evaluation import Decision, evaluate
from iam.model import Identity, Model, Resource
from iam.requests import Principal, Request
from iam.sources import ELSEWHERE, RequestSource, sources
from iam.statements import Policy, Statement
from terraform.arns import Arn

ANYBODY = "anybody"
OTHERS = "any other repository"
TAGGED = "any other repository with the tag {key}={value}"
ON_BEHALF = "an AWS service on its behalf"


@dataclass(frozen=True, kw_only=True)
class MatrixRow:
    """One cell of the matrix, with the reason, which names policy and statement.

    The first four fields identify the cell and change only when access changes, so that matrices can be compared.
    `resource` is a repository's name, or with `is_repository` false the pattern that a policy names.
    """

    principal: str
    resource: str
    action: str
    source: str
    allowed: bool
    because: str
    is_repository: bool


def matrix(model: Model) -> list[MatrixRow]:
    """Every row: of all identities on repositories and on other resources in their policies, and of anybody."""
    places = sources(model)
    tried = _codecommit_actions(model)
    return [
        *(row for identity in model.identities for row in of_identity(model, identity, places, tried)),
        *of_anybody(model, places),
    ]


def _codecommit_actions(model: Model) -> list[str]:
    """The CodeCommit actions that some policy allows, and in any case pull, push and delete."""
    statements = [statement for identity in model.identities for statement in powers.allowing(identity)]
    named = {action for statement in statements for action in powers.actions(statement)}
    always = (codecommit.PULL, codecommit.PUSH, codecommit.DELETE)
    listed = (action for action in (*codecommit.READS, *codecommit.WRITES) if action in named)
    return [action for action in dict.fromkeys((*always, *listed)) if action != codecommit.LIST]


def of_identity(
    model: Model, identity: Identity, places: Sequence[RequestSource], codecommit_actions: Sequence[str]
) -> Iterator[MatrixRow]:
    """The rows of one user or role; for a role, on the repositories in its policies and on any other."""
    found = {Arn.of(repository.arn).resource: repository for repository in model.repositories}
    if identity.trust is not None:
        found = {name: repository for name, repository in found.items() if _reaches(identity, repository)}
    if model.repositories:
        found |= dict(_others(identity, model.repositories[0]))
    if identity.trust is not None:
        callers = list(_callers(model, identity))
    else:
        callers = [(place, None) for place in (*places, _on_behalf(places))]
    alike = _alike(identity, found)
    asked = tags.asked(powers.allowing(identity))
    for source, refusal in callers:
        decisions: dict[tuple[str, str], Decision] = {}
        for name in found:
            there = tags.on(source, alike[name].tags, asked)
            for action in codecommit_actions:
                one = (action, alike[name].arn)
                if one not in decisions:
                    decisions[one] = refusal or _decision(identity, there, action, alike[name].arn)
                decision = decisions[one]
                yield _row(identity.name, name, action, source.name, decision, is_repository=True, refusal=refusal)
        for statement in powers.allowing(identity):
            yield from _other_resources(model, identity, statement, source, refusal)


def _on_behalf(places: Sequence[RequestSource]) -> RequestSource:
    """An AWS service that calls another with a user's permissions, from an address of its own.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
    """
    elsewhere = next(place for place in reversed(places) if "aws:sourceip" in place.context)
    return replace(elsewhere, name=ON_BEHALF, places=(), context={**elsewhere.context, "aws:viaawsservice": "true"})


def _others(identity: Identity, repository: Resource) -> Iterator[tuple[str, Resource]]:
    """A repository that is none of the deployment's: without any tag, and with each that the policies ask for."""
    arn = str(Arn.of(repository.arn)._replace(resource="another"))
    yield OTHERS, replace(repository, arn=arn, tags={})
    for statement in powers.allowing(identity):
        for condition in tags.conditions(statement):
            key = condition.written_key.partition("/")[2]
            for value in condition.values:
                tagged = replace(repository, arn=f"{arn}-{key}-{value}", tags={key: value})
                yield TAGGED.format(key=key, value=value), tagged


def _alike(identity: Identity, repositories: Mapping[str, Resource]) -> dict[str, Resource]:
    """Maps each repository to one that the policies treat the same, so that each group is evaluated once."""
    statements = [statement for policy in identity.policies for statement in policy.statements]
    if any("${" in pattern for statement in statements for pattern in statement.resource_patterns):
        return dict(repositories)
    first: dict[tuple[bool, ...], Resource] = {}
    return {
        name: first.setdefault(tuple(tags.may_apply(statement, one) for statement in statements), one)
        for name, one in repositories.items()
    }


def _reaches(identity: Identity, repository: Resource) -> bool:
    return any(tags.may_apply(statement, repository) for statement in powers.allowing(identity))


def _decision(
    identity: Identity,
    source: RequestSource,
    action: str,
    resource: str,
    statement: Statement | None = None,
    policies: tuple[Policy, ...] = (),
) -> Decision:
    through: dict[str, str] = {}
    if statement is not None and (services := [c for c in statement.conditions if c.key == "kms:viaservice"]):
        through = {"kms:viaservice": services[0].values[0], "aws:viaawsservice": "true"}
    decisions = [
        evaluate(
            powers.request(identity, source, action, resource, wanted | through),
            identity=identity.policies,
            resource=policies,
        )
        for wanted in (powers.met(statement, source) if statement is not None else [{}])
    ]
    return next((decision for decision in decisions if decision.allowed), decisions[0])


def _other_resources(
    model: Model, identity: Identity, statement: Statement, source: RequestSource, refusal: Decision | None
) -> Iterator[MatrixRow]:
    """What a statement allows on other resources than repositories, with its conditions met."""
    for action in powers.actions(statement):
        for resource, named in zip(powers.resources(statement), powers.named_resources(statement), strict=True):
            if action.startswith("codecommit:") and resource != "*":
                continue
            owned = tuple(owner.policy for owner in model.resources if owner.policy and _is_part(resource, owner))
            for way, from_there in _ways(source, owned):
                decision = refusal or _decision(identity, from_there, action, resource, statement, owned)
                conditions = _conditions(statement)
                yield _row(
                    identity.name, named + conditions, action, way, decision, is_repository=False, refusal=refusal
                )


def _is_part(resource: str, owner: Resource) -> bool:
    return resource == owner.arn or resource.startswith(f"{owner.arn}/")


def _ways(source: RequestSource, owned: Sequence[Policy]) -> Iterator[tuple[str, RequestSource]]:
    """A source as it is, and where a resource's own policy applies, without TLS too."""
    yield source.name, source
    if owned:
        yield f"{source.name}, without TLS", replace(source, context={**source.context, "aws:securetransport": "false"})


def _conditions(statement: Statement) -> str:
    """The conditions of a statement in words, without those on the request's source, which the rows show."""
    found = [
        f"{condition.key} {condition.operator} {' or '.join(condition.values)}"
        for condition in statement.conditions
        if condition.key not in ("aws:sourceip", "aws:sourcevpc", "aws:sourcevpce")
    ]
    return f", if {' and '.join(found)}" if found else ""


def _callers(model: Model, role: Identity) -> Iterator[tuple[RequestSource, Decision | None]]:
    """Who might assume a role, each as a source of the role's requests, with the refusal where they may not."""
    services = dict.fromkeys(
        name
        for identity in model.identities
        if identity.trust is not None
        for statement in identity.trust.statements
        for name in statement.services
    )
    trusted = [name for name in services if name in role.trusted_services]
    for other in model.identities:
        if other is not role and (other.arn in role.trusted_principals or role in assumed_from(other, [role])):
            asks = Principal(kind="user" if other.trust is None else "role", name=other.arn, account=other.account)
            yield _through(other.name, role, [asks], None, other.policies)
    others = [
        Principal(kind="service", name=name) for name in (*services, "another.amazonaws.com") if name not in trusted
    ]
    people = [
        Principal(kind="user", name=f"arn:aws:iam::{account}:user/anybody", account=account)
        for account in (role.account, "999999999999")
    ]
    for name in trusted:
        for source_name, account in (
            (name, role.account),
            (f"{name} for another account", "999999999999"),
            (f"{name} for no account", None),
        ):
            yield _through(source_name, role, [Principal(kind="service", name=name)], account)
    yield _through(ELSEWHERE, role, [*others, *people, Principal(kind="anonymous")], role.account)


def _through(
    name: str, role: Identity, principals: Sequence[Principal], account: str | None, own: Sequence[Policy] = ()
) -> tuple[RequestSource, Decision | None]:
    """A source of a role's requests; refused when none of the principals, whose policies are `own`, may assume it."""
    session = RequestSource(
        name=name,
        places=(),
        context={"aws:viaawsservice": "false", "aws:securetransport": "true"},
        absent=frozenset(("aws:sourceaccount", "aws:sourcearn")),
    )
    refusal = None
    for principal in principals:
        asked = Request(
            principal=principal,
            action="sts:AssumeRole",
            resource=role.arn,
            context={"aws:securetransport": "true", **({"aws:sourceaccount": account} if account else {})},
            absent=frozenset(("aws:sourceip", "aws:sourceaccount")),
        )
        trust = [role.trust] if role.trust is not None else []
        refusal = evaluate(asked, identity=own, resource=trust, resource_account=role.account, resource_decides=True)
        if refusal.allowed:
            return session, None
    return session, refusal


def of_anybody(model: Model, places: Sequence[RequestSource]) -> Iterator[MatrixRow]:
    """The rows of everybody else: on repositories, on APIs, and on resources with a policy of their own."""
    nobody = Decision(allowed=False, explicit=False)
    for repository in model.repositories:
        for action in (codecommit.PULL, codecommit.PUSH, codecommit.DELETE):
            # A repository has no policy of its own: https://docs.aws.amazon.com/codecommit/latest/userguide/auth-and-access-control-iam-access-control-identity-based.html
            name = Arn.of(repository.arn).resource
            yield _row(ANYBODY, name, action, "anywhere", nobody, is_repository=True)
    for method in model.methods:
        for source in places:
            asked = source.request(Principal(kind="anonymous"), "execute-api:Invoke", method.arn)
            decision = evaluate(asked, resource=[method.policy] if method.policy else [])
            yield _row(ANYBODY, method.arn, "execute-api:Invoke", source.name, decision, is_repository=False)
    for owner in model.resources:
        if owner.policy is not None:
            yield from _on_resource(owner, owner.policy, places[-1])


_MOUNTED = "elasticfilesystem:accessedviamounttarget"
"""True for whoever reaches a mount target; its security groups decide who does."""


def _on_resource(owner: Resource, policy: Policy, source: RequestSource) -> Iterator[MatrixRow]:
    """What a resource's own policy lets services and everybody do."""
    services = [name for statement in policy.statements for name in statement.services]
    principals = [Principal(kind="service", name=name) for name in dict.fromkeys(services)]
    actions = dict.fromkeys(action for s in policy.statements for action in powers.actions(s))
    for principal in (*principals, Principal(kind="anonymous")):
        for action in actions:
            for account, named in (
                (owner.account, "this account"),
                ("999999999999", "another account"),
                (None, "no account"),
            ):
                for secure in ("true", "false"):
                    asked = Request(
                        principal=principal,
                        action=action,
                        resource=owner.arn,
                        context={
                            "aws:securetransport": secure,
                            **({"aws:sourceaccount": account} if account else {}),
                            **({_MOUNTED: "true"} if action.lower().startswith("elasticfilesystem:client") else {}),
                        },
                        absent=source.absent,
                    )
                    way = named if secure == "true" else f"{named}, without TLS"
                    if _MOUNTED in asked.context:
                        way = f"{way}, through a mount target"
                    decision = evaluate(asked, resource=[policy], resource_account=owner.account)
                    yield _row(principal.name or ANYBODY, owner.arn, action, way, decision, is_repository=False)


def _row(
    principal: str,
    resource: str,
    action: str,
    source: str,
    decision: Decision,
    *,
    is_repository: bool,
    refusal: Decision | None = None,
) -> MatrixRow:
    return MatrixRow(
        principal=principal,
        resource=resource,
        action=powers.as_written(action),
        source=source,
        allowed=decision.allowed,
        because=decision.because if refusal is None else f"may not assume the role: {refusal.because}",
        is_repository=is_repository,
    )
