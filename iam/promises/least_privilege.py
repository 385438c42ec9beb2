"""Promises about what identities are for: each may do what its work needs, within the deployment, and nothing else."""

from collections.abc import Iterator

from iam import codecommit, powers
from iam.aws_managed import aws_managed
from iam.chains import may_assume
from iam.matching import names_action
from iam.model import Identity
from iam.promises.promise import Breach, PromiseSubject, promise
from iam.statements import Condition, Statement
from terraform.arns import Arn

# With a key of its own, CodeCommit asks KMS in the name of who reads or writes:
# https://docs.aws.amazon.com/codecommit/latest/userguide/encryption.html
REPOSITORY_KEYS = frozenset(
    f"kms:{action}"
    for action in (
        "Decrypt",
        "DescribeKey",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncryptFrom",
        "ReEncryptTo",
    )
)
WRITE_LOGS = frozenset(("logs:CreateLogStream", "logs:PutLogEvents"))

_USERS = frozenset((*codecommit.READS, codecommit.PUSH)) | REPOSITORY_KEYS
"""What a user may do: use Git, look at what is in the repositories, and use their keys."""

# https://docs.aws.amazon.com/codebuild/latest/userguide/auth-and-access-control-iam-identity-based-access-control.html
NETWORK_INTERFACES = frozenset(
    f"ec2:{action}"
    for action in (
        "CreateNetworkInterface",
        "CreateNetworkInterfacePermission",
        "DeleteNetworkInterface",
        "DescribeDhcpOptions",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeVpcs",
    )
)

# https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html
_MANAGED = frozenset(
    (
        *(f"ec2messages:{name}Message" for name in ("Acknowledge", "Delete", "Fail")),
        *(f"ec2messages:{name}" for name in ("GetEndpoint", "GetMessages", "SendReply")),
        *(f"ssm:{name}" for name in ("DescribeAssociation", "DescribeDocument", "GetDocument", "ListAssociations")),
        *(f"ssm:{name}" for name in ("ListInstanceAssociations", "PutComplianceItems", "PutInventory")),
        *(f"ssm:Update{name}" for name in ("AssociationStatus", "InstanceAssociationStatus", "InstanceInformation")),
        *(f"ssmmessages:{what}{name}Channel" for what in ("Create", "Open") for name in ("Control", "Data")),
    )
)

_MIRROR = frozenset((*codecommit.READS, *codecommit.MIRRORING)) | REPOSITORY_KEYS
"""What it takes to mirror into repositories."""

_BUILD = (
    WRITE_LOGS
    | NETWORK_INTERFACES
    | {"events:PutEvents", "kms:Decrypt", "s3:GetObject", "s3:GetObjectVersion"}
    | {"ssm:GetParameter", "ssm:GetParameters", "ssm:PutParameter"}
)
"""What every build needs: its log, program and key, what it remembers of its mirrors, and to say that some differ.

Builds made by an earlier version read their key with GetParameters. The promise builds-use-their-own is narrower."""

_ROLES = {
    "codebuild.amazonaws.com": _BUILD | _MIRROR | {"s3:PutObject"},
    "apigateway.amazonaws.com": frozenset(("codebuild:StartBuild",)),
    "scheduler.amazonaws.com": frozenset(("codebuild:StartBuild", "ec2:StartInstances", "ec2:StopInstances")),
    "events.amazonaws.com": frozenset(("events:PutEvents",)),
    "ec2.amazonaws.com": WRITE_LOGS
    | _MANAGED
    | {"autoscaling:CompleteLifecycleAction", "s3:PutObject", "ssm:GetParameter", "ssm:PutParameter"},
    "vpc-flow-logs.amazonaws.com": WRITE_LOGS | {"logs:DescribeLogGroups", "logs:DescribeLogStreams"},
    "dlm.amazonaws.com": frozenset(),
}
"""What a role may do, by the service that assumes it."""

_MANAGED_POLICIES = {
    "dlm.amazonaws.com": frozenset(
        ("arn:aws:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRoleForAMIManagement",)
    ),
}
"""The policies of AWS's own that a role may have, by the service that assumes it."""


@promise(
    id="nobody-does-more-than-its-work",
    what="a user may use Git, a role may do what its service needs, and neither may do anything else",
    why="every other action could carry code out or change the rules",
)
def nobody_does_more(subject: PromiseSubject) -> Iterator[Breach]:
    for identity in subject.model.identities:
        wanted, managed = _work(identity, subject)
        for policy in identity.policies:
            if policy is aws_managed(policy.name):
                if policy.name not in managed:
                    yield Breach(place=policy.name, what=f"is no policy that {identity.name} needs")
                continue
            for statement in policy.statements:
                more = [action for action in powers.actions(statement) if action.lower() not in wanted]
                if statement.allows and more:
                    yield Breach(place=statement.place, what=f"lets {identity.name} {more[0]}, which it does not need")


def _work(identity: Identity, subject: PromiseSubject) -> tuple[frozenset[str], frozenset[str]]:
    """The actions that an identity needs, in lower case, and the policies of AWS's own."""
    if identity.trust is None:
        return _lower(_USERS), frozenset()
    if identity.trusted_principals:
        is_for_builds = identity.trusted_principals <= subject.builds.keys()
        return _lower(_MIRROR) if is_for_builds else frozenset(), frozenset()
    if any(map(may_assume, powers.allowing(identity))):
        return _lower(_BUILD | {"sts:AssumeRole"}) if identity.arn in subject.builds else frozenset(), frozenset()
    services = identity.trusted_services
    if len(services) != 1:
        return frozenset(), frozenset()
    (service,) = services
    return _lower(_ROLES.get(service, frozenset())), _MANAGED_POLICIES.get(service, frozenset())


def _lower(actions: frozenset[str]) -> frozenset[str]:
    return frozenset(action.lower() for action in actions)


_TOLD = {
    "events:source": ("kakehashi.backlog",),
    "events:detail-type": ("Mirrors differ", "Mirrors equal again"),
}
"""What builds tell EventBridge: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html"""

_PUT_EVENTS = "events:putevents"


@promise(
    id="builds-tell-of-mirrors-alone",
    what="an event that a build sends is one of its own source and says that mirrors differ or are equal again",
    why="an event that passes for another program's would start what nobody asked for, or hide what happened",
)
def builds_tell_of_mirrors_alone(subject: PromiseSubject) -> Iterator[Breach]:
    for identity in subject.model.identities:
        if identity.trusted_services == {"events.amazonaws.com"} and not identity.trusted_principals:
            continue  # it hands on what another region's bus has
        for statement in powers.allowing(identity):
            if names_action(statement, _PUT_EVENTS):
                exact = {one.key for one in statement.conditions if _says_exactly(one)}
                for key in sorted(_TOLD.keys() - exact):
                    yield Breach(place=statement.place, what=f"lets {identity.name} send events of any {key[7:]}")


def _says_exactly(condition: Condition) -> bool:
    return (
        condition.operator == "StringEquals"
        and not (condition.if_exists or condition.quantifier)
        and set(condition.values) <= set(_TOLD.get(condition.key, ()))
    )


@promise(
    id="nothing-outside-is-named",
    what="a policy names resources of its own account, buckets of the deployment, and repositories of its region",
    why="what may be written elsewhere can be read there",
)
def nothing_outside_is_named(subject: PromiseSubject) -> Iterator[Breach]:
    for identity in subject.model.identities:
        buckets = {
            resource.arn
            for resource in subject.model.resources
            if resource.account == identity.account and Arn.of(resource.arn).service == "s3"
        }
        regions = {Arn.of(repository.arn).region for repository in subject.model.repositories}
        for policy in identity.policies:
            for statement in policy.statements if policy is not aws_managed(policy.name) else ():
                for outside in _outside(statement, identity.account, buckets, regions):
                    yield Breach(place=statement.place, what=f"lets {identity.name} use {outside}")


def _outside(statement: Statement, account: str, buckets: set[str], regions: set[str]) -> Iterator[str]:
    for resource in statement.resources if statement.allows and not statement.but_resources else ():
        if resource == "*":
            continue  # policies-name-what-they-mean says which actions may
        if statement.has_variables and "${" in resource:
            yield resource
            continue
        named = Arn.of(resource)
        if named.service == "s3":
            if resource.partition("/")[0] not in buckets:
                yield resource
        elif named.account != account or (named.service == "codecommit" and named.region not in regions):
            yield resource
