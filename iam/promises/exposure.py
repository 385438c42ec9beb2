"""Promises about what strangers reach: resources with policies, security groups and the methods of APIs."""

import re
from collections.abc import Iterator
from itertools import chain

from iam.evaluation import evaluate
from iam.model import Endpoint
from iam.operators import is_private, is_world
from iam.promises.promise import Breach, PromiseSubject, is_for_account, promise
from iam.requests import Principal
from iam.sources import RequestSource
from iam.statements import Statement


@promise(
    id="nothing-is-public",
    what="no resource's policy admits everybody or another account",
    why="a cache contains code, and a topic reports what happens to it",
)
def nothing_is_public(subject: PromiseSubject) -> Iterator[Breach]:
    for resource in subject.model.resources:
        for statement in resource.policy.statements if resource.policy else ():
            if not statement.allows:
                continue
            if _admits_strangers(statement, resource.account) and not _only_mounts(statement):
                yield Breach(place=statement.place, what=f"lets everybody into {resource.address}")
            for service in statement.services if not _is_for_account(statement, resource.account) else ():
                what = f"lets {service} into {resource.address} for every account"
                yield Breach(place=statement.place, what=what)


def _admits_strangers(statement: Statement, account: str) -> bool:
    """Whether it names more than services and this account as a whole; its conditions are ignored."""
    if statement.but_principals:
        return True
    named = statement.principals or {}
    return any(
        kind != "Service" and name not in (account, f"arn:aws:iam::{account}:root")
        for kind, names in named.items()
        for name in names
    )


_MOUNTS = frozenset(f"elasticfilesystem:client{what}" for what in ("mount", "rootaccess", "write"))


def _only_mounts(statement: Statement) -> bool:
    """Whether it lets a file system be mounted through its mount targets, whose security groups decide who does.

    https://docs.aws.amazon.com/efs/latest/ug/access-control-block-public-access.html
    """
    is_here = any(
        (one.operator, one.quantifier, one.if_exists, one.key, one.values)
        == ("Bool", None, False, "elasticfilesystem:accessedviamounttarget", ("true",))
        for one in statement.conditions
    )
    return is_here and _does_only(statement, *_MOUNTS)


@promise(
    id="files-are-mounted-over-tls",
    what="a file system's policy denies everybody a connection without TLS",
    why="CodeBuild mounts without an identity, so the network is all that is left to protect the code",
)
def files_are_mounted_over_tls(subject: PromiseSubject) -> Iterator[Breach]:
    for resource in subject.model.resources:
        is_file_system = resource.address.partition(": ")[2].startswith("aws_efs_file_system.")
        statements = resource.policy.statements if resource.policy else ()
        if is_file_system and not any(_denies_plain_text(one, resource.arn) for one in statements):
            yield Breach(place=resource.address, what="may be mounted without TLS")


def _denies_plain_text(statement: Statement, arn: str) -> bool:
    conditions = [(one.operator, one.quantifier, one.if_exists, one.key, one.values) for one in statement.conditions]
    return (
        not statement.allows
        and conditions == [("Bool", None, False, "aws:securetransport", ("false",))]
        and statement.principals in ({"*": ("*",)}, {"AWS": ("*",)})
        and arn in statement.named_resources
        and not (statement.but_actions or statement.but_resources or statement.but_principals)
        and statement.named_actions >= _MOUNTS
    )


def _is_for_account(statement: Statement, account: str) -> bool:
    """Whether a service may use it for this account alone.

    EventBridge takes no condition in the policy of a topic:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    if statement.services == ("events.amazonaws.com",) and statement.named_actions == {"sns:publish"}:
        return not statement.action_patterns and not statement.but_actions
    return is_for_account(statement, account)


_OF_AWS = ("al2023-repos-{region}-de612dc2", "amazon-ssm-{region}")
"""Buckets of AWS's with packages; {region} stands for the endpoint's region.

https://github.com/aws-samples/data-perimeter-policy-examples
"""


@promise(
    id="endpoints-lead-to-this-account",
    what="a VPC endpoint leads to named buckets and Systems Manager of this account, to AWS's packages, "
    "documents and parameters, and to no other account",
    why="what a server writes to a stranger's account has left",
)
def endpoints_lead_to_this_account(subject: PromiseSubject) -> Iterator[Breach]:
    for endpoint in subject.model.endpoints:
        if endpoint.policy is None:
            yield Breach(place=endpoint.address, what="leads to every account: it has no policy")
            continue
        for statement in endpoint.policy.statements:
            is_known = any(leads(statement, endpoint) for leads in _WAYS)
            if statement.allows and not (is_known and _is_for_all_or_own(statement, endpoint.account)):
                what = "allows more than named buckets and Systems Manager of this account, and reading from AWS"
                yield Breach(place=statement.place, what=what)


def _reads_packages(statement: Statement, endpoint: Endpoint) -> bool:
    packages = {f"arn:aws:s3:::{name.format(region=endpoint.region)}/*" for name in _OF_AWS}
    return _does_only(statement, "s3:getobject") and {*statement.resources} <= packages


def _is_for_own(statement: Statement, endpoint: Endpoint) -> bool:
    return (
        _does_only(statement, "s3:getobject", "s3:putobject")
        and all(re.fullmatch(r"arn:aws:s3:::[a-z0-9.-]+/\*", resource) for resource in statement.resources)
        and _is_this_account("resource", statement, endpoint)
    )


def _serves_account(statement: Statement, endpoint: Endpoint) -> bool:
    """Whether it is for this account's identities, with this account's resources where actions take any."""
    services = {action.partition(":")[0].lower() for action in statement.actions}
    return (
        not (statement.but_actions or statement.but_resources)
        and services <= {"ssm", "ssmmessages", "ec2messages"}
        and _is_this_account("principal", statement, endpoint)
        and ("ssm" not in services or _is_this_account("resource", statement, endpoint))
    )


def _reads_from_aws(statement: Statement, endpoint: Endpoint) -> bool:
    owned = tuple(f"arn:aws:ssm:{endpoint.region}::{kind}/" for kind in ("document", "parameter"))
    return (
        _does_only(statement, "ssm:describedocument", "ssm:getdocument", "ssm:getparameter")
        and all(resource.startswith(owned) for resource in statement.resources)
        and _is_this_account("principal", statement, endpoint)
    )


def _is_this_account(whose: str, statement: Statement, endpoint: Endpoint) -> bool:
    """Whether a condition demands that this account is that of the `principal`, or of the `resource`."""
    return any(
        (one.operator, one.quantifier, one.if_exists, one.key, one.values)
        == ("StringEquals", None, False, f"aws:{whose}account", (endpoint.account,))
        for one in statement.conditions
    )


_WAYS = (_reads_packages, _is_for_own, _serves_account, _reads_from_aws)
"""What a statement of an endpoint's policy may be for."""


def _is_for_all_or_own(statement: Statement, account: str) -> bool:
    """Whether it names everybody, who is whoever reaches the endpoint, or this account, and nobody else."""
    named = statement.principals or {}
    mine = {"*", account, f"arn:aws:iam::{account}:root"}
    return not statement.but_principals and named.keys() <= {"*", "AWS"} and {*chain(*named.values())} <= mine


def _does_only(statement: Statement, *actions: str) -> bool:
    """Whether it names resources, and no actions but these."""
    is_negated = statement.but_actions or statement.but_resources
    return not is_negated and not statement.action_patterns and statement.named_actions <= {*actions}


@promise(
    id="no-group-is-open",
    what="no security group lets in the whole internet without a written reason, or addresses that no list names",
    why="GitLab holds the code before it is mirrored",
)
def no_group_is_open(subject: PromiseSubject) -> Iterator[Breach]:
    for opening in subject.model.openings:
        for network in opening.networks:
            if is_world(network) and not opening.may_be_open:
                yield Breach(place=opening.address, what=f"lets in {network}")
            elif not opening.is_listed and not is_private(network):
                yield Breach(
                    place=opening.address, what=f"lets in {network}, which is in no list of the deployment file"
                )


@promise(
    id="no-method-is-open",
    what="no API method answers every sender without a written reason",
    why="whoever can call it starts builds",
)
def no_method_is_open(subject: PromiseSubject) -> Iterator[Breach]:
    for method in subject.model.methods:
        if not method.open_to_all:
            continue
        if method.policy is None:
            yield Breach(place=method.address, what="answers everybody: the API has no policy")
            continue
        for source in filter(_is_anywhere, subject.sources):
            asked = source.request(Principal(kind="anonymous"), "execute-api:Invoke", method.arn)
            decision = evaluate(asked, resource=[method.policy])
            if decision.allowed:
                what = f"lets everybody call {method.address} from {source.name}"
                yield Breach(place=decision.statements[0].place, what=what)


def _is_anywhere(source: RequestSource) -> bool:
    """Whether anybody may be at this address: no smaller place contains it.

    A written reason for the whole internet counts here unless it is a room's or the push user's: those say nothing
    about who may call an API.
    """
    if any(place.may_be_open and not (place.is_room or place.may_push) for place in source.places):
        return False
    return not source.places or all(map(is_world, source.networks))
