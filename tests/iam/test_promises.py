import copy
from collections.abc import Callable
from typing import Any

import pytest

from errors import RefusedError
from iam import deployed
from iam.policy import UnsupportedError
from iam.promises import PROMISES, broken
from tests.terraform import Stacks

Json = dict[str, Any]
Change = Callable[[dict[str, Json]], object]


def _findings(stacks: Stacks, change: Change) -> list[str]:
    """What is broken once the synthesised Terraform is changed: promise, place and what happens there."""
    changed: dict[str, Json] = copy.deepcopy(
        {name: dict(terraform.json) for name, terraform in stacks.terraform.items()}
    )
    change(changed)
    return [f"{f.promise.id}: {f.place}: {f.what}" for f in broken(deployed.read(changed))]


def _statement(stacks: dict[str, Json], stack: str, document: str, sid: str) -> Json:
    statements = stacks[stack]["data"]["aws_iam_policy_document"][document]["statement"]
    found: Json = next(statement for statement in statements if statement["sid"] == sid)
    return found


def _prd(document: str, sid: str, **changes: Any) -> Change:
    return lambda stacks: _statement(stacks, "prd-codecommit", document, sid).update(changes)


def _bridge(document: str, sid: str, **changes: Any) -> Change:
    return lambda stacks: _statement(stacks, "backlog-bridge", document, sid).update(changes)


def _added(stack: str, kind: str, **arguments: Any) -> Change:
    return lambda stacks: stacks[stack]["resource"].setdefault(kind, {}).update(x=arguments)


def _variable(stack: str, name: str, **changes: Any) -> Change:
    return lambda stacks: stacks[stack]["variable"][name].update(changes)


def _fact(stacks: dict[str, Json], stack: str, **wanted: str) -> Json:
    facts = stacks[stack]["//"]["metadata"]["kakehashi"]["facts"]
    found: Json = next(fact for fact in facts if wanted.items() <= fact.items())
    return found


def _without_fact(stack: str, **wanted: str) -> Change:
    def change(stacks: dict[str, Json]) -> None:
        facts = stacks[stack]["//"]["metadata"]["kakehashi"]["facts"]
        facts.remove(_fact(stacks, stack, **wanted))

    return change


def _all(*changes: Change) -> Change:
    return lambda stacks: [change(stacks) for change in changes]


def _nothing(_: dict[str, Json]) -> None:
    """No change."""


SOURCE_IP = {"test": "NotIpAddress", "variable": "aws:SourceIp"}
DIRECTLY = {"test": "BoolIfExists", "variable": "aws:ViaAWSService", "values": ["false"]}
ROOM_AND_NAT = {
    **SOURCE_IP,
    "values": [
        '${[for address in values(data.terraform_remote_state.dev_network.outputs.nat_public_ips) : "${address}/32"]}',
        "198.51.100.0/28",
    ],
}


@pytest.mark.parametrize("name", ["backlog-only", "everything", "example", "gitlab-existing-vpc", "minimal"])
def test_every_deployment_keeps_every_promise(synthesised: Callable[[str], Stacks], name: str) -> None:
    assert _findings(synthesised(name), _nothing) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            _prd("push_user_deny", "DenyFromElsewhere", condition=[ROOM_AND_NAT, DIRECTLY]),
            [
                "rooms-never-push: kakehashi-prd-push-allow, statement PushAndPull: "
                "lets kakehashi-prd-push codecommit:GitPush from the isolated room",
                "pull-users-never-push: kakehashi-prd-push-allow, statement PushAndPull: "
                "lets kakehashi-prd-push codecommit:GitPush from dev-network's NAT addresses",
                "users-stay-in-place: prd-codecommit: aws_iam_user.push_user: "
                "works from the isolated room and dev-network's NAT addresses, which are not one place",
            ],
        ),
        (
            _prd("pull_user_allow", "Pull", actions=["codecommit:GitPull", "codecommit:PutFile"]),
            [
                "rooms-never-push: kakehashi-prd-pull-allow, statement Pull: "
                "lets kakehashi-prd-pull codecommit:PutFile from the isolated room",
                "pull-users-never-push: kakehashi-prd-pull-allow, statement Pull: "
                "lets kakehashi-prd-pull codecommit:PutFile from the isolated room",
                "nobody-administers: kakehashi-prd-pull-allow, statement Pull: "
                "lets kakehashi-prd-pull codecommit:PutFile",
            ],
        ),
        (
            _prd("push_user_deny", "DenyFromElsewhere", condition=[{**SOURCE_IP, "values": ["0.0.0.0/1"]}, DIRECTLY]),
            [
                "users-stay-in-place: kakehashi-prd-push-allow, statement PushAndPull: "
                "lets kakehashi-prd-push codecommit:GitPull from 0.0.0.0/1",
            ],
        ),
        (
            _prd("push_user_allow", "PushAndPull", actions=["codecommit:GitPush", "iam:CreateAccessKey"]),
            [
                "nobody-administers: kakehashi-prd-push-allow, statement PushAndPull: "
                "lets kakehashi-prd-push iam:CreateAccessKey",
                "policies-name-what-they-mean: kakehashi-prd-push-allow, statement PushAndPull: "
                "allows kakehashi-prd-push iam:CreateAccessKey, which is no action on what it names",
            ],
        ),
        (
            _bridge("mirrors_batch_role_permissions", "MirrorIntoTarget", actions=["codecommit:*"]),
            [
                "nobody-administers: kakehashi-prd-backlog-mirror-batch/permissions, statement MirrorIntoTarget: "
                "lets kakehashi-prd-backlog-mirror-batch codecommit:AssociateApprovalRuleTemplateWithRepository",
                "policies-name-what-they-mean: kakehashi-prd-backlog-mirror-batch/permissions, "
                "statement MirrorIntoTarget: allows kakehashi-prd-backlog-mirror-batch codecommit:*",
            ],
        ),
        (
            _bridge("mirrors_batch_role_permissions", "ReadSshKey", resources=["*"]),
            [
                "policies-name-what-they-mean: kakehashi-prd-backlog-mirror-batch/permissions, statement ReadSshKey: "
                "allows kakehashi-prd-backlog-mirror-batch ssm:GetParameters on every resource",
            ],
        ),
        (
            _bridge(
                "mirrors_batch_role_trust",
                "Assume",
                principals=[{"type": "AWS", "identifiers": ["arn:aws:iam::222222222222:root"]}],
            ),
            [
                "roles-are-for-services: kakehashi-prd-backlog-mirror-batch's trust, statement Assume: "
                "lets others than a service become kakehashi-prd-backlog-mirror-batch",
            ],
        ),
        (
            _added(
                "dev-gitlab",
                "aws_iam_role_policy",
                name="push",
                role="${aws_iam_role.gitlab_role.name}",
                policy='{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:GitPush", '
                '"Resource": "arn:aws:codecommit:ap-northeast-1:222222222222:batch"}}',
            ),
            [
                "only-builds-write: kakehashi-dev-gitlab/push, statement 1: "
                "lets kakehashi-dev-gitlab codecommit:GitPush, which is no role of builds",
            ],
        ),
        (
            _bridge("cache_transport", "DenyInsecureTransport", effect="Allow"),
            [
                "nothing-is-public: backlog-bridge: aws_s3_bucket_policy.cache_policy, "
                "statement DenyInsecureTransport: lets everybody into backlog-bridge: aws_s3_bucket.cache_bucket",
            ],
        ),
        (
            _added(
                "dev-gitlab",
                "aws_vpc_security_group_ingress_rule",
                cidr_ipv4="0.0.0.0/0",
                ip_protocol="tcp",
                security_group_id="sg-1",
            ),
            ["no-group-is-open: dev-gitlab: aws_vpc_security_group_ingress_rule.x: lets in 0.0.0.0/0"],
        ),
        (
            _bridge("webhook_policy", "DenyOtherSenders", actions=["execute-api:ManageConnections"]),
            [
                "no-method-is-open: backlog-bridge: aws_api_gateway_rest_api_policy.webhook_senders, statement Invoke: "
                "lets everybody call backlog-bridge: aws_api_gateway_method.webhook_hooks_website_post "
                "from another VPC endpoint",
            ],
        ),
        (
            lambda stacks: stacks["backlog-bridge"]["resource"].pop("aws_api_gateway_rest_api_policy"),
            [
                "no-method-is-open: backlog-bridge: aws_api_gateway_method.webhook_hooks_batch_post: "
                "answers everybody: the API has no policy",
                "no-method-is-open: backlog-bridge: aws_api_gateway_method.webhook_hooks_website_post: "
                "answers everybody: the API has no policy",
            ],
        ),
        (
            _added("prd-codecommit", "aws_iam_access_key", user="${aws_iam_user.pull_user.name}"),
            [
                "no-secret-in-state: prd-codecommit: aws_iam_access_key.x: "
                "puts a password or a key of kakehashi-prd-pull into Terraform's state",
            ],
        ),
        (
            lambda stacks: stacks["prd-codecommit"]["resource"]["aws_iam_policy"]["push_user_deny_policy"].pop(
                "lifecycle"
            ),
            [
                "rooms-never-push: dev-network's NAT addresses: "
                "nothing keeps these addresses apart from those of var.pull_from_cidrs when Terraform plans",
            ],
        ),
    ],
)
def test_a_broken_promise_names_the_policy_and_the_statement(
    example: Stacks, change: Change, expected: list[str]
) -> None:
    assert _findings(example, change) == expected


def test_every_promise_has_a_change_that_breaks_it() -> None:
    cases = test_a_broken_promise_names_the_policy_and_the_statement.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {finding.split(":")[0] for _, expected in cases for finding in expected} == {p.id for p in PROMISES}


def test_a_written_reason_opens_the_api_and_gitlab(changed: Callable[..., Stacks]) -> None:
    opened = changed(
        "example",
        {
            "prd.backlog.webhook.sender_cidrs": ["0.0.0.0/0"],
            "prd.backlog.webhook.open_to_the_world_because": "a test of senders",
            "dev.gitlab.work_terminal_cidrs": ["0.0.0.0/0"],
            "dev.gitlab.open_to_the_world_because": "a public GitLab",
        },
    )
    assert _findings(opened, _nothing) == []


def test_a_room_is_one_whatever_else_its_addresses_are(changed: Callable[..., Stacks]) -> None:
    senders = changed("example", {"prd.backlog.webhook.sender_cidrs": ["198.51.100.0/28"]})
    assert _findings(senders, _nothing) == []

    pushers = changed("example", {"prd.codecommit.push": {"from_cidrs": ["203.0.113.10/32"]}})
    overlapping = _variable("prd-codecommit", "push_from_cidrs", default=["198.51.100.0/28"])
    found = _findings(pushers, overlapping)
    assert found[0] == (
        "rooms-never-push: kakehashi-prd-push-allow, statement PushAndPull: "
        "lets kakehashi-prd-push codecommit:GitPush from the isolated room and the push user's addresses"
    )


def test_a_room_that_is_the_world_holds_what_backlog_sends_from(changed: Callable[..., Stacks]) -> None:
    pull = {"from_cidrs": ["0.0.0.0/0"], "open_to_the_world_because": "the room has no addresses of its own"}
    world = changed("example", {"prd.codecommit.push": None, "prd.codecommit.pull": pull})
    assert _findings(world, _nothing) == []


def test_a_reason_to_pull_from_everywhere_is_none_to_call_the_webhook(changed: Callable[..., Stacks]) -> None:
    open_room = changed(
        "example",
        {
            "prd.codecommit.push": {"from_cidrs": ["203.0.113.10/32"]},
            "prd.codecommit.pull.from_cidrs": ["198.51.100.0/28"],
        },
    )

    def opened(stacks: dict[str, Json]) -> None:
        _variable("prd-codecommit", "pull_from_cidrs", default=["0.0.0.0/1", "128.0.0.0/1"])(stacks)
        _fact(stacks, "prd-codecommit", variable="pull_from_cidrs")["open_because"] = "a test of rooms"
        condition = [{**SOURCE_IP, "values": ["0.0.0.0/0"]}]
        _statement(stacks, "backlog-bridge", "webhook_policy", "DenyOtherSenders").update(condition=condition)

    assert [finding for finding in _findings(open_room, opened) if finding.startswith("no-method-is-open")] == [
        "no-method-is-open: backlog-bridge: aws_api_gateway_rest_api_policy.webhook_senders, statement Invoke: "
        "lets everybody call backlog-bridge: aws_api_gateway_method.webhook_hooks_website_post "
        "from the isolated room, 128.0.0.0/1"
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            _added("prd-codecommit", "aws_iam_group_policy", name="x"),
            "prd-codecommit: what aws_iam_group_policy does to access",
        ),
        (
            lambda stacks: stacks["prd-codecommit"]["resource"]["aws_iam_user"]["pull_user"].update(
                permissions_boundary="arn:aws:iam::aws:policy/ReadOnlyAccess"
            ),
            "prd-codecommit: aws_iam_user.pull_user: what permissions_boundary does to access",
        ),
        (
            _added(
                "prd-codecommit",
                "aws_iam_user_policy_attachment",
                user="${aws_iam_user.pull_user.name}",
                policy_arn="arn:aws:iam::aws:policy/AdministratorAccess",
            ),
            "prd-codecommit: aws_iam_user_policy_attachment.x: what 'arn:aws:iam::aws:policy/AdministratorAccess' "
            "allows; add the document to iam/aws_managed.json",
        ),
        (
            _added(
                "dev-gitlab",
                "aws_iam_user_policy_attachment",
                user="kakehashi-prd-pull",
                policy_arn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
            ),
            "dev-gitlab: aws_iam_user_policy_attachment.x: whose it is: no user 'kakehashi-prd-pull' is made here",
        ),
        (
            _added("dev-gitlab", "aws_iam_access_key", user="kakehashi-prd-pull"),
            "dev-gitlab: aws_iam_access_key.x: whose it is: no user 'kakehashi-prd-pull' is made here",
        ),
        (
            _added("backlog-bridge", "aws_efs_file_system_policy", file_system_id="fs-1", policy="{}"),
            "backlog-bridge: what the policy of aws_efs_file_system_policy does to access",
        ),
        (
            _added("dev-gitlab", "aws_vpc_security_group_ingress_rule", prefix_list_id="pl-1"),
            "dev-gitlab: aws_vpc_security_group_ingress_rule.x: whom a prefix list names",
        ),
        (
            _prd("pull_user_deny", "DenyFromElsewhere", not_actions=["iam:*"]),
            "kakehashi-prd-pull-deny, statement DenyFromElsewhere: both Action and NotAction",
        ),
        (
            _prd("pull_user_deny", "DenyFromElsewhere", condition=[{**SOURCE_IP, "values": ["${data.http.x.body}"]}]),
            "kakehashi-prd-pull-deny, statement DenyFromElsewhere: what data.http.x.body will be",
        ),
        (
            _prd(
                "pull_user_deny",
                "DenyFromElsewhere",
                condition=[{"test": "Bool", "variable": "aws:MultiFactorAuthPresent", "values": ["false"]}],
            ),
            "kakehashi-prd-pull-deny, statement DenyFromElsewhere: "
            "whether a request has 'aws:multifactorauthpresent', and its value, is not known",
        ),
    ],
)
def test_what_cannot_be_told_is_said_and_not_guessed(example: Stacks, change: Change, message: str) -> None:
    with pytest.raises(UnsupportedError) as refused:
        _findings(example, change)
    assert str(refused.value) == message


TERMINALS = "dev-gitlab: aws_vpc_security_group_ingress_rule.gitlab_security_group_from_terminals"
OPEN_TERMINALS = _variable("dev-gitlab", "work_terminal_cidrs", default=["0.0.0.0/0"])
LETS_THE_WORLD_IN = [f"no-group-is-open: {TERMINALS}_{port}: lets in 0.0.0.0/0" for port in ("http", "https", "ssh")]


def _with_reason(stacks: dict[str, Json]) -> None:
    _fact(stacks, "dev-gitlab", variable="work_terminal_cidrs")["open_because"] = "a public GitLab"


def _every_message_reworded(stacks: dict[str, Json]) -> None:
    for stack in stacks.values():
        for variable in stack["variable"].values():
            for check in variable.get("validation", ()):
                check["error_message"] = "Refused."
        for policy in stack["resource"].get("aws_iam_policy", {}).values():
            for check in policy.get("lifecycle", {}).get("precondition", ()):
                check["error_message"] = "Refused."


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (OPEN_TERMINALS, LETS_THE_WORLD_IN),
        (_all(OPEN_TERMINALS, _every_message_reworded), LETS_THE_WORLD_IN),
        (_all(OPEN_TERMINALS, _variable("dev-gitlab", "work_terminal_cidrs", validation=[])), LETS_THE_WORLD_IN),
        (_all(OPEN_TERMINALS, _with_reason), []),
        (_all(OPEN_TERMINALS, _with_reason, _every_message_reworded), []),
        (_every_message_reworded, []),
    ],
)
def test_only_a_fact_with_a_reason_opens_a_group_to_the_world(
    example: Stacks, change: Change, expected: list[str]
) -> None:
    assert _findings(example, change) == expected


NOT_APART = [
    "rooms-never-push: dev-network's NAT addresses: "
    "nothing keeps these addresses apart from those of var.pull_from_cidrs when Terraform plans"
]


def _with_another_precondition(stacks: dict[str, Json]) -> None:
    policy = stacks["prd-codecommit"]["resource"]["aws_iam_policy"]["push_user_deny_policy"]
    policy["lifecycle"]["precondition"][0]["condition"] = "${length(var.pull_from_cidrs) > 0}"


@pytest.mark.parametrize("change", [_without_fact("prd-codecommit", fact="kept apart"), _with_another_precondition])
def test_a_room_is_kept_apart_only_by_the_precondition_that_a_fact_is_about(example: Stacks, change: Change) -> None:
    assert _findings(example, change) == NOT_APART


PULL_DENY = "kakehashi-prd-pull-deny, statement DenyFromElsewhere"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            _without_fact("dev-gitlab", variable="work_terminal_cidrs"),
            f"{TERMINALS}_http: "
            "whose addresses ${toset(var.work_terminal_cidrs)} are, which no fact of the stack is about",
        ),
        (
            _without_fact("backlog-bridge", variable="webhook_sender_cidrs"),
            "backlog-bridge: aws_api_gateway_rest_api_policy.webhook_senders, statement DenyOtherSenders: "
            "whose addresses ${var.webhook_sender_cidrs} are, which no fact of the stack is about",
        ),
        (
            _all(
                _without_fact("prd-codecommit", fact="kept apart"),
                _without_fact("prd-codecommit", variable="pull_from_cidrs"),
            ),
            f"{PULL_DENY}: whose addresses ${{var.pull_from_cidrs}} are, which no fact of the stack is about",
        ),
        (
            _without_fact("prd-codecommit", fact="output addresses"),
            "kakehashi-prd-push-deny, statement DenyFromElsewhere: what [for address in "
            'values(data.terraform_remote_state.dev_network.outputs.nat_public_ips) : "${address}/32"] will be',
        ),
        (
            _all(
                lambda stacks: stacks["prd-codecommit"].update(locals={"room": "${var.pull_from_cidrs}"}),
                _prd("pull_user_deny", "DenyFromElsewhere", condition=[{**SOURCE_IP, "values": "${local.room}"}]),
            ),
            f"{PULL_DENY}: whose addresses ${{local.room}} are, which no fact of the stack is about",
        ),
        (
            _added(
                "dev-gitlab",
                "aws_vpc_security_group_ingress_rule",
                cidr_ipv4="${each.value}",
                for_each="${concat(var.work_terminal_cidrs)}",
            ),
            "dev-gitlab: aws_vpc_security_group_ingress_rule.x: what concat(var.work_terminal_cidrs) will be",
        ),
    ],
)
def test_a_list_of_addresses_without_a_fact_is_not_known(example: Stacks, change: Change, message: str) -> None:
    with pytest.raises(UnsupportedError) as refused:
        _findings(example, change)
    assert str(refused.value) == message


def test_a_fact_that_is_not_known_is_refused(example: Stacks) -> None:
    def change(stacks: dict[str, Json]) -> None:
        _fact(stacks, "prd-codecommit", variable="pull_from_cidrs")["use"] = "anybody"

    with pytest.raises(RefusedError, match="'anybody' is not a known fact"):
        _findings(example, change)
