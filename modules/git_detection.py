"""Notifies people when Git is used from an unexpected address, or a credential for it is created."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cdktf import TerraformCount, TerraformLocal, TerraformProvider, Token
from cdktf_cdktf_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktf_cdktf_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from constructs import Construct

from modules.alert_topic import AlertTopic, AlertTopicProps, Message
from modules.elsewhere import elsewhere, pattern_values
from modules.explained import explain
from modules.labels import Labels
from modules.policies import alerts, roles
from modules.role import Role, RoleProps

# IAM's events are delivered in this region only:
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html#eb-rule-did-not-trigger-iam
IAM_REGION = "us-east-1"

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
_PATTERN_CHARACTERS = 2_048
_LONGEST_SOURCE = len('{"cidr":"255.255.255.255/31"},')

STATE = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

_DIVIDED = f"""\
A rule in the state ENABLED gets no events that CloudTrail marks as read-only: pulls, and the first of each push. \
A pattern cannot say "not in this network" and has at most {_PATTERN_CHARACTERS:,} characters, so several rules may \
together list all other networks. It refuses a /32, and takes a single address as it is. How many networks of \
{_LONGEST_SOURCE} characters fit is the second argument of chunklist: with another role in the pattern, fewer do.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html"""

_EVENTS = {"pushes": "GitPush", "pulls": "GitPull"}
_NUMBER = "-${count.index + 1}"

FROM_ELSEWHERE = Message(
    paths={
        "what": "$.detail.eventName",
        "repository": "$.detail.additionalEventData.repositoryName",
        "who": "$.detail.userIdentity.arn",
        "address": "$.detail.sourceIPAddress",
        "time": "$.detail.eventTime",
        "error": "$.detail.errorCode",
    },
    text="<what> of <repository> by <who> from <address> at <time>: nobody is expected to work from there. <error>",
)
CREDENTIALS = Message(
    paths={
        "what": "$.detail.eventName",
        "user": "$.detail.requestParameters.userName",
        "policy": "$.detail.requestParameters.policyArn",
        "who": "$.detail.userIdentity.arn",
        "address": "$.detail.sourceIPAddress",
        "time": "$.detail.eventTime",
        "error": "$.detail.errorCode",
    },
    text="<what> for <user> <policy> by <who> from <address> at <time>. <error>",
)

_VIA_CLOUDTRAIL = {"detail-type": ["AWS API Call via CloudTrail"]}

_CREDENTIALS = (
    "CreateServiceSpecificCredential",
    "ResetServiceSpecificCredential",
    "UpdateServiceSpecificCredential",
    "UploadSSHPublicKey",
)
_OF_GIT_USERS = (
    "AddUserToGroup",
    "AttachUserPolicy",
    "CreateAccessKey",
    "CreateLoginProfile",
    "DeleteUserPermissionsBoundary",
    "DeleteUserPolicy",
    "DetachUserPolicy",
    "PutUserPermissionsBoundary",
    "PutUserPolicy",
    "UpdateAccessKey",
    "UpdateLoginProfile",
    "UpdateUser",
)
_OF_THEIR_POLICIES = ("CreatePolicyVersion", "SetDefaultPolicyVersion")

# The longest list of the builds' roles in a pattern: sources need the rest.
_ROLES_CHARACTERS = 1_000


@dataclass(frozen=True, kw_only=True)
class GitDetectionProps:
    """The expected sources of pushes and pulls.

    `push_cidrs` and `pull_cidrs` are Terraform expressions of lists of networks; without any, every push or pull is
    unexpected. `vpc_endpoint_ids` are those that the pull user works through, and `room_endpoints` is a Terraform
    expression of the list of the rooms', if any room has some. `builder_roles` are the names of the builds' roles,
    which work from AWS's addresses; all start with `builder_role_prefix`. `git_user_prefixes` start the names of the
    users for Git, and of their policies.
    """

    labels: Labels
    region: str
    account_id: str
    emails: Sequence[str]
    push_cidrs: Sequence[str]
    pull_cidrs: Sequence[str]
    vpc_endpoint_ids: Sequence[str]
    room_endpoints: str | None
    builder_roles: Sequence[str]
    builder_role_prefix: str
    git_user_prefixes: Sequence[str]
    iam_provider: TerraformProvider | None
    """The provider of IAM_REGION, where `region` is another."""


class GitDetection(AlertTopic):
    """A topic for pushes and pulls from unexpected sources, and for what changes the access of the users for Git.

    The account needs a CloudTrail trail of management events, read and write: EventBridge gets the events from it.
    """

    def __init__(self, scope: Construct, id: str, props: GitDetectionProps) -> None:
        super().__init__(
            scope,
            id,
            AlertTopicProps(name=props.labels.name("git-detection"), account_id=props.account_id, emails=props.emails),
        )
        selected = selections(props, self._named)
        for key, event in _EVENTS.items():
            count = TerraformCount.of(Token.as_number(selected[key].count)) if selected[key].count is not None else None
            rule = CloudwatchEventRule(
                self,
                key,
                count=count,
                name=f"{props.labels.name(f'{key}-from-elsewhere', limit=60)}{'' if count is None else _NUMBER}",
                description=f"{event} from where nobody is expected to work",
                event_pattern=selected[key].pattern,
                state=STATE,
            )
            explain(rule, _DIVIDED)
            self.notify(rule, FROM_ELSEWHERE, count)
        self._credentials(props, selected["credentials"].pattern)

    def _named(self, id: str, value: object) -> str:
        # By name, because cdktf nests templates when a string has the same token twice.
        return f"local.{TerraformLocal(self, id, value).friendly_unique_id}"

    def _credentials(self, props: GitDetectionProps, pattern: str) -> None:
        rule = CloudwatchEventRule(
            self,
            "credentials",
            name=props.labels.name("git-credentials", limit=64),
            description="Access of a user for Git was changed, or a credential for Git was made",
            event_pattern=pattern,
            state=STATE,
        )
        self.notify(rule, CREDENTIALS)
        if props.iam_provider is None:
            return
        bus_arn = f"arn:aws:events:{props.region}:{props.account_id}:event-bus/default"
        role = Role(
            self,
            "forwarding_role",
            RoleProps(
                name=props.labels.name("git-detection", limit=64),
                description=f"Hands IAM's events on from {IAM_REGION}",
                trust=roles.assumed_by("events", account_id=props.account_id),
                permissions=[alerts.put_events(bus_arn)],
            ),
        )
        forwarded = CloudwatchEventRule(
            self,
            "forwarded_credentials",
            provider=props.iam_provider,
            name=props.labels.name("git-credentials-forwarded", limit=64),
            description="Hands what concerns users for Git on to where people are told of it",
            event_pattern=pattern,
            state=STATE,
        )
        explain(forwarded, f"IAM's events are delivered in {IAM_REGION} only.")
        CloudwatchEventTarget(
            self,
            "forwarded_credentials_to_bus",
            provider=props.iam_provider,
            rule=forwarded.name,
            arn=bus_arn,
            role_arn=role.role.arn,
            depends_on=role.permissions,
        )


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What a rule selects: an event pattern; `count` says into how many rules it is divided, if into several."""

    pattern: str
    count: str | None = None


Named = Callable[[str, object], str]
"""Gives a local value a name, and returns the reference to it."""


def selections(props: GitDetectionProps, named: Named) -> dict[str, Selection]:
    """What every rule selects, by its id."""
    expected = {
        key: f"${{{_joined(cidrs)}}}"
        for key, cidrs in (("pushes", props.push_cidrs), ("pulls", props.pull_cidrs))
        if cidrs
    }
    others = named("elsewhere", elsewhere(named("expected", expected))) if expected else ""
    sources = {key: f"{others}.{key}" for key in expected}
    return {
        "pushes": _elsewhere("pushes", sources.get("pushes"), (), props, named),
        "pulls": _elsewhere("pulls", sources.get("pulls"), _endpoints(props, named), props, named),
        "credentials": Selection(pattern=_access_changed(props)),
    }


def _joined(cidrs: Sequence[str]) -> str:
    return cidrs[0] if len(cidrs) == 1 else f"concat({', '.join(cidrs)})"


def _endpoints(props: GitDetectionProps, named: Named) -> Sequence[str] | str:
    """The VPC endpoints that are expected: themselves, or the reference to a list if rooms have some.

    AWS refuses an empty list in `anything-but`, and in HCL people may remove the last room that has endpoints.
    """
    if props.room_endpoints is None:
        return props.vpc_endpoint_ids
    expected = f'coalescelist({props.room_endpoints}, ["none"])'
    if props.vpc_endpoint_ids:
        expected = f"concat({json.dumps(list(props.vpc_endpoint_ids))}, {props.room_endpoints})"
    return named("expected_endpoints", f"${{{expected}}}")


def _elsewhere(
    id: str, networks: str | None, endpoints: Sequence[str] | str, props: GitDetectionProps, named: Named
) -> Selection:
    """What selects Git that is used in `networks`, the reference to a list; everywhere without it."""
    detail: dict[str, object] = {"eventSource": ["codecommit.amazonaws.com"], "eventName": [_EVENTS[id]]}
    once = id == "pushes"
    if others := _others_than_builds(props, once=once):
        detail["$or"] = [*others, *([_REFUSED] if once else [])]
    if endpoints:
        but = endpoints if isinstance(endpoints, str) else list(endpoints)
        detail["vpcEndpointId"] = [{"exists": False}, {"anything-but": but}]
    if networks is not None:
        detail["sourceIPAddress"] = "sources"
    pattern = _json({"source": ["aws.codecommit"], **_VIA_CLOUDTRAIL, "detail": detail})
    in_a_rule = _in_a_rule(pattern, endpoints)
    if isinstance(endpoints, str):
        pattern = pattern.replace(_json(endpoints), f"${{jsonencode({endpoints})}}")
    if networks is None:
        return Selection(pattern=pattern)
    sources = named(f"{id}_sources", f"${{chunklist({networks}, {in_a_rule})}}")
    return Selection(
        pattern=pattern.replace('"sources"', f"${{jsonencode({pattern_values(f'{sources}[count.index]')})}}"),
        count=f"${{length({sources})}}",
    )


def _in_a_rule(pattern: str, endpoints: Sequence[str] | str) -> str:
    """A Terraform expression of how many networks fit into a pattern, which has `endpoints` as they are."""
    free = _PATTERN_CHARACTERS - len(pattern)
    if not isinstance(endpoints, str):
        return str(max(1, free // _LONGEST_SOURCE))
    free += len(_json(endpoints))
    return f"max(1, floor(({free} - length(jsonencode({endpoints}))) / {_LONGEST_SOURCE}))"


def _access_changed(props: GitDetectionProps) -> str:
    policies = [f"arn:aws:iam::{props.account_id}:policy/{one}-" for one in props.git_user_prefixes]
    return _json(
        {
            "source": ["aws.iam"],
            **_VIA_CLOUDTRAIL,
            "detail": {
                "eventSource": ["iam.amazonaws.com"],
                "$or": [
                    {"eventName": _CREDENTIALS},
                    {
                        "eventName": _OF_GIT_USERS,
                        "requestParameters": {"userName": [{"prefix": one} for one in props.git_user_prefixes]},
                    },
                    {
                        "eventName": _OF_THEIR_POLICIES,
                        "requestParameters": {"policyArn": [{"prefix": one} for one in policies]},
                    },
                ],
            },
        }
    )


# CloudTrail logs a push twice: what it asks first is read-only. A refused push ends there.
_PUSHED = {"readOnly": [False]}
_REFUSED = {"errorCode": [{"exists": True}]}


def _others_than_builds(props: GitDetectionProps, *, once: bool) -> list[dict[str, object]]:
    """What `$or` takes for Git that no build's role uses; with `once`, a push counts with its second event.

    `anything-but` wants the field to be there, and only the events of roles have an issuer. Where the roles' names are
    too many for a pattern, their common prefix has to do.
    """
    counted: dict[str, object] = dict(_PUSHED) if once else {}
    if not props.builder_roles:
        return [counted] if counted else []
    roles_arns = [f"arn:aws:iam::{props.account_id}:role/{name}" for name in props.builder_roles]
    issuer = {"sessionContext": {"sessionIssuer": {"arn": [{"anything-but": roles_arns}]}}}
    exact: list[dict[str, object]] = [
        {"userIdentity": {"type": [{"anything-but": "AssumedRole"}]}},
        {"userIdentity": issuer},
    ]
    if len(_json({"$or": exact})) <= _ROLES_CHARACTERS:
        return [{**counted, **one} for one in exact]
    prefix = f"arn:aws:sts::{props.account_id}:assumed-role/{props.builder_role_prefix}"
    return [{**counted, "userIdentity": {"arn": [{"anything-but": {"prefix": prefix}}]}}]


def _json(pattern: Mapping[str, object] | str) -> str:
    return json.dumps(pattern, sort_keys=True, separators=(",", ":"))
