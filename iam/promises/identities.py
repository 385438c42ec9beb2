"""Promises about users and roles: what they may do, from where, and that no secret of theirs is in the state."""

import re
from collections.abc import Collection, Iterator

from iam import codecommit, powers, tags
from iam.aws_managed import aws_managed
from iam.chains import ASSUME
from iam.promises.promise import Breach, PromiseSubject, is_for_account, promise
from iam.statements import Statement, has_wildcard
from terraform.arns import Arn

_ADMINISTRATION = ("account:", "iam:", "organizations:", "sso:", "sts:")
_ADMINISTRATION_READS = ("iam:get", "iam:list", "iam:generate", "iam:simulate", "sts:get")

# Services that assume roles of their own account alone, and send no aws:SourceAccount.
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-aws-proxy.html
_WITHOUT_SOURCE = frozenset(("ec2.amazonaws.com", "apigateway.amazonaws.com"))

# Actions that AWS documents without a resource, or without one that is known before they run:
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
        # The agent of Systems Manager asks before it knows the id of its instance, and for documents of AWS too.
        "ec2messages:acknowledgemessage",
        "ec2messages:deletemessage",
        "ec2messages:failmessage",
        "ec2messages:getendpoint",
        "ec2messages:getmessages",
        "ec2messages:sendreply",
        "ssm:describeassociation",
        "ssm:describedocument",
        "ssm:getdocument",
        "ssm:listassociations",
        "ssm:listinstanceassociations",
        "ssm:putcomplianceitems",
        "ssm:putinventory",
        "ssm:updateassociationstatus",
        "ssm:updateinstanceassociationstatus",
        "ssm:updateinstanceinformation",
        "ssmmessages:createcontrolchannel",
        "ssmmessages:createdatachannel",
        "ssmmessages:opencontrolchannel",
        "ssmmessages:opendatachannel",
    )
)


_THROUGH_CODECOMMIT = re.compile(r"codecommit\.[a-z0-9-]+\.amazonaws\.com")

_WITH_TYPES = ("codebuild", "ec2", "iam", "kms", "logs", "ssm")
"""Services whose resources have a type before their name."""


@promise(
    id="users-stay-in-place",
    what="a user can do nothing from outside its own place",
    why="a password that got out is worth nothing elsewhere",
)
def users_stay_in_place(subject: PromiseSubject) -> Iterator[Breach]:
    for user in subject.users:
        own: dict[str, None] = {}
        for source in subject.sources:
            known = [place.name for place in source.places if place.is_room or place.may_push]
            for power in powers.powers(user, source):
                if not known:
                    what = f"lets {user.name} {power.action} from {source.name}"
                    yield Breach(place=power.decision.statements[0].place, what=what)
                own.update(dict.fromkeys(known))
        if len(own) > 1:
            yield Breach(place=user.address, what=f"works from {' and '.join(own)}, which are not one place")


@promise(
    id="nobody-administers",
    what="no user or role can delete a repository, change its settings or change IAM, and none but a build's can "
    "assume another role",
    why="whoever can change the rules is not bound by them",
)
def nobody_administers(subject: PromiseSubject) -> Iterator[Breach]:
    for identity in subject.model.identities:
        for statement in powers.allowing(identity):
            found = filter(_administers, powers.actions(statement))
            action = next((one for one in found if one.lower() != ASSUME or identity.arn not in subject.builds), None)
            if action is not None:
                yield Breach(place=statement.place, what=f"lets {identity.name} {action}")


def _administers(action: str) -> bool:
    lower = action.lower()
    if lower.startswith("codecommit:"):
        return action not in codecommit.READS and action not in codecommit.MIRRORING
    return lower.startswith(_ADMINISTRATION) and not lower.startswith(_ADMINISTRATION_READS)


@promise(
    id="policies-name-what-they-mean",
    what="a policy names its actions, its resources where they have names, and what it uses a key for",
    why="a wildcard grows with every service that AWS adds",
)
def policies_name_what_they_mean(subject: PromiseSubject) -> Iterator[Breach]:
    for identity in subject.model.identities:
        own = [policy for policy in identity.policies if policy is not aws_managed(policy.name)]
        for statement in (statement for policy in own for statement in policy.statements):
            if statement.allows and (vague := _vague(statement)):
                yield Breach(place=statement.place, what=f"allows {identity.name} {vague}")


def _vague(statement: Statement) -> str:
    """What a statement allows without naming it, or names without meaning it."""
    if statement.but_actions or statement.but_resources:
        return "everything but what it names"
    if statement.action_patterns:
        return ", ".join(filter(has_wildcard, statement.actions))
    if any(action.startswith("kms:") for action in statement.named_actions) and not _says_what_for(statement):
        return f"{statement.actions[0]} for whatever the key encrypts"
    if "*" in statement.resources and not statement.named_actions <= _WITHOUT_RESOURCE:
        listed = ", ".join(action for action in statement.actions if action.lower() not in _WITHOUT_RESOURCE)
        return f"{listed} on every resource"
    is_tagged = tags.are_demanded(statement)
    vague = [one for one in statement.resources if one != "*" and _is_everything(one, is_tagged=is_tagged)]
    if vague:
        return f"{statement.actions[0]} on {vague[0]}"
    services = {Arn.of(resource).service for resource in statement.resources if resource != "*"}
    acting = {action: action.split(":")[0].lower().replace("sts", "iam") for action in statement.actions}
    strange = [action for action, service in acting.items() if services and service not in services]
    return f"{', '.join(strange)}, which is no action on what it names" if strange else ""


def _says_what_for(statement: Statement) -> bool:
    """Whether a key may be used for repositories alone, or for parameters that the statement names."""
    return any(
        condition.operator == "StringEquals"
        and not (condition.if_exists or condition.quantifier)
        and (
            condition.key == "kms:encryptioncontext:parameter_arn"
            or (condition.key == "kms:viaservice" and all(map(_THROUGH_CODECOMMIT.fullmatch, condition.values)))
        )
        for condition in statement.conditions
    )


def _is_everything(resource: str, *, is_tagged: bool) -> bool:
    """Whether a pattern names no resource: it leaves the account, the region or the whole name open.

    With `is_tagged`, the statement applies only to repositories with a tag that Terraform alone sets.
    """
    named = Arn.of(resource)
    in_place = (named.region, named.account) if named.service != "s3" else ()
    if any(map(has_wildcard, in_place)):
        return True
    if resource.startswith("arn:aws:ec2:") and named.resource == "network-interface/*":
        return False  # the interface that a build gets is not known before
    name = named.resource
    if named.service == "codecommit" and is_tagged:
        return False
    if named.service == "codecommit" and has_wildcard(name[:1]):
        return True  # names that begin alike belong together; names that end alike do not
    if named.service in _WITH_TYPES:
        name = re.split(r"[/:]", name, maxsplit=1)[-1]
    return not name.strip("*?/:")


@promise(
    id="roles-are-for-services",
    what="only AWS services can assume a role, and one build's role the role that writes for it",
    why="people who can assume a role can push from wherever they are",
)
def roles_are_for_services(subject: PromiseSubject) -> Iterator[Breach]:
    for role in subject.roles:
        for statement in role.trust.statements if role.trust else ():
            if not statement.allows or _is_for_one_build(statement, subject.builds):
                continue
            if statement.but_principals or set(statement.principals or ()) != {"Service"}:
                yield Breach(place=statement.place, what=f"lets others than a service assume {role.name}")
            elif statement.named_actions != {"sts:assumerole"} or statement.action_patterns or statement.but_actions:
                yield Breach(place=statement.place, what=f"lets a service do more than assume {role.name}")
            elif not _WITHOUT_SOURCE.issuperset(statement.services) and not is_for_account(statement, role.account):
                yield Breach(place=statement.place, what=f"lets a service assume {role.name} for another account")


def _is_for_one_build(statement: Statement, builds: Collection[str]) -> bool:
    """Whether a trust lets one build's role, and nobody else, assume a role."""
    named = (statement.principals or {}).get("AWS", ())
    return (
        not (statement.but_principals or statement.but_actions or statement.action_patterns)
        and statement.named_actions == {ASSUME}
        and set(statement.principals or ()) == {"AWS"}
        and len(named) == 1
        and named[0] in builds
    )


@promise(
    id="only-builds-write",
    what="only a build's role can write to a repository, or the role that a build assumes",
    why="on a machine that people can log in to, its role's credentials can be copied and used elsewhere",
)
def only_builds_write(subject: PromiseSubject) -> Iterator[Breach]:
    for role in subject.roles:
        if role.trusted_services <= {"codebuild.amazonaws.com"} and role.trusted_principals <= subject.builds.keys():
            continue
        for statement in powers.allowing(role):
            written = next((action for action in powers.actions(statement) if action in codecommit.WRITES), None)
            if written is not None:
                yield Breach(place=statement.place, what=f"lets {role.name} {written}, which is not a build's role")


@promise(
    id="no-secret-in-state",
    what="Terraform creates no password or key of a user",
    why="its state would contain it in clear text",
)
def no_secret_in_state(subject: PromiseSubject) -> Iterator[Breach]:
    for user in subject.users:
        for secret in user.secrets:
            yield Breach(place=secret, what=f"puts a password or a key of {user.name} into Terraform's state")
