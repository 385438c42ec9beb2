from collections.abc import Callable

import pytest

from iam.promises import PROMISES
from tests.deployments import DEPLOYMENTS
from tests.iam.changes import (
    SOURCE_IP,
    Change,
    Json,
    added,
    bridge,
    every,
    fact,
    findings,
    nothing,
    prd,
    statement,
    variable,
    without_prefix_check,
)
from tests.iam.test_units import BROKEN
from tests.terraform import Stacks

DIRECTLY = {"test": "BoolIfExists", "variable": "aws:ViaAWSService", "values": ["false"]}
ROOM_AND_NAT = {
    **SOURCE_IP,
    "values": [
        '${[for address in values(data.terraform_remote_state.dev_network.outputs.nat_public_ips) : "${address}/32"]}',
        "198.51.100.0/28",
    ],
}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_every_deployment_keeps_every_promise(synthesised: Callable[[str], Stacks], name: str) -> None:
    assert findings(synthesised(name), nothing) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            prd("push_user_deny", "DenyFromElsewhere", condition=[ROOM_AND_NAT, DIRECTLY]),
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
            prd("pull_user_allow", "Pull", actions=["codecommit:GitPull", "codecommit:PutFile"]),
            [
                "rooms-never-push: kakehashi-prd-pull-allow, statement Pull: "
                "lets kakehashi-prd-pull codecommit:PutFile from the isolated room",
                "pull-users-never-push: kakehashi-prd-pull-allow, statement Pull: "
                "lets kakehashi-prd-pull codecommit:PutFile from the isolated room",
                "nobody-administers: kakehashi-prd-pull-allow, statement Pull: "
                "lets kakehashi-prd-pull codecommit:PutFile",
                "nobody-does-more-than-its-work: kakehashi-prd-pull-allow, statement Pull: "
                "lets kakehashi-prd-pull codecommit:PutFile, which it does not need",
            ],
        ),
        (
            prd("push_user_deny", "DenyFromElsewhere", condition=[{**SOURCE_IP, "values": ["0.0.0.0/1"]}, DIRECTLY]),
            [
                "users-stay-in-place: kakehashi-prd-push-allow, statement PushAndPull: "
                "lets kakehashi-prd-push codecommit:GitPull from 0.0.0.0/1",
            ],
        ),
        (
            prd("push_user_allow", "PushAndPull", actions=["codecommit:GitPush", "iam:CreateAccessKey"]),
            [
                "nobody-administers: kakehashi-prd-push-allow, statement PushAndPull: "
                "lets kakehashi-prd-push iam:CreateAccessKey",
                "nobody-does-more-than-its-work: kakehashi-prd-push-allow, statement PushAndPull: "
                "lets kakehashi-prd-push iam:CreateAccessKey, which it does not need",
                "policies-name-what-they-mean: kakehashi-prd-push-allow, statement PushAndPull: "
                "allows kakehashi-prd-push iam:CreateAccessKey, which is no action on what it names",
            ],
        ),
        (
            bridge("spaces_example_mirror_role_permissions", "MirrorIntoTarget", actions=["codecommit:*"]),
            [
                "nobody-administers: kakehashi-prd-backlog-mirror-example/permissions, statement MirrorIntoTarget: "
                "lets kakehashi-prd-backlog-mirror-example codecommit:AssociateApprovalRuleTemplateWithRepository",
                "nobody-tags: kakehashi-prd-backlog-mirror-example/permissions, statement MirrorIntoTarget: "
                "lets kakehashi-prd-backlog-mirror-example codecommit:CreateRepository",
                "nobody-does-more-than-its-work: kakehashi-prd-backlog-mirror-example/permissions, "
                "statement MirrorIntoTarget: lets kakehashi-prd-backlog-mirror-example "
                "codecommit:AssociateApprovalRuleTemplateWithRepository, which it does not need",
                "policies-name-what-they-mean: kakehashi-prd-backlog-mirror-example/permissions, "
                "statement MirrorIntoTarget: allows kakehashi-prd-backlog-mirror-example codecommit:*",
            ],
        ),
        (
            bridge("spaces_example_role_permissions", "ReadSshKey", resources=["*"]),
            [
                "builds-use-their-own: kakehashi-prd-backlog-build-example/permissions, statement ReadSshKey: "
                "lets kakehashi-prd-backlog-build-example ssm:GetParameter on *, which its unit does not own",
                "policies-name-what-they-mean: kakehashi-prd-backlog-build-example/permissions, statement ReadSshKey: "
                "allows kakehashi-prd-backlog-build-example ssm:GetParameter on every resource",
            ],
        ),
        (
            bridge(
                "spaces_example_role_trust",
                "Assume",
                principals=[{"type": "AWS", "identifiers": ["arn:aws:iam::222222222222:root"]}],
            ),
            [
                "roles-are-for-services: kakehashi-prd-backlog-build-example's trust, statement Assume: "
                "lets others than a service assume kakehashi-prd-backlog-build-example",
                *(
                    "nobody-does-more-than-its-work: kakehashi-prd-backlog-build-example/permissions, "
                    f"statement {sid}: lets kakehashi-prd-backlog-build-example {action}, which it does not need"
                    for sid, action in (
                        ("WriteLogs", "logs:CreateLogStream"),
                        ("ReadSshKey", "ssm:GetParameter"),
                        ("FetchProgram", "s3:GetObject"),
                        ("KeepState", "ssm:GetParameter"),
                        ("ReportMirrors", "events:PutEvents"),
                        ("AssumeRole", "sts:AssumeRole"),
                    )
                ),
            ],
        ),
        (
            added(
                "dev-gitlab",
                "aws_iam_role_policy",
                name="push",
                role="${aws_iam_role.gitlab_role.name}",
                policy='{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:GitPush", '
                '"Resource": "arn:aws:codecommit:ap-northeast-1:222222222222:batch"}}',
            ),
            [
                "only-builds-write: kakehashi-dev-gitlab/push, statement 1: "
                "lets kakehashi-dev-gitlab codecommit:GitPush, which is not a build's role",
                "nobody-does-more-than-its-work: kakehashi-dev-gitlab/push, statement 1: "
                "lets kakehashi-dev-gitlab codecommit:GitPush, which it does not need",
                "nothing-outside-is-named: kakehashi-dev-gitlab/push, statement 1: "
                "lets kakehashi-dev-gitlab use arn:aws:codecommit:ap-northeast-1:222222222222:batch",
            ],
        ),
        (
            bridge("program_transport", "DenyInsecureTransport", effect="Allow"),
            [
                "nothing-is-public: backlog-bridge: aws_s3_bucket_policy.program_policy, "
                "statement DenyInsecureTransport: lets everybody into backlog-bridge: aws_s3_bucket.program_bucket",
            ],
        ),
        (
            added(
                "dev-gitlab",
                "aws_vpc_security_group_ingress_rule",
                cidr_ipv4="0.0.0.0/0",
                ip_protocol="tcp",
                security_group_id="sg-1",
            ),
            [
                "rooms-reach-no-git-server: dev-gitlab: aws_vpc_security_group_ingress_rule.x: "
                "lets in 0.0.0.0/0, which overlaps 198.51.100.0/28 of the isolated room",
                "no-group-is-open: dev-gitlab: aws_vpc_security_group_ingress_rule.x: lets in 0.0.0.0/0",
            ],
        ),
        (
            added(
                "dev-gitlab",
                "aws_vpc_security_group_ingress_rule",
                cidr_ipv4="198.51.100.7/32",
                ip_protocol="tcp",
                security_group_id="sg-1",
            ),
            [
                "rooms-reach-no-git-server: dev-gitlab: aws_vpc_security_group_ingress_rule.x: "
                "lets in 198.51.100.7/32, which overlaps 198.51.100.0/28 of the isolated room",
                "no-group-is-open: dev-gitlab: aws_vpc_security_group_ingress_rule.x: "
                "lets in 198.51.100.7/32, which is in no list of the deployment file",
            ],
        ),
        (
            bridge("webhook_policy", "DenyOtherSenders", actions=["execute-api:ManageConnections"]),
            [
                "no-method-is-open: backlog-bridge: aws_api_gateway_rest_api_policy.webhook_senders, statement Invoke: "
                "lets everybody call backlog-bridge: aws_api_gateway_method.webhook_old_hook_post "
                "from another VPC endpoint",
            ],
        ),
        (
            lambda stacks: stacks["backlog-bridge"]["resource"].pop("aws_api_gateway_rest_api_policy"),
            [
                "no-method-is-open: backlog-bridge: aws_api_gateway_method.webhook_hook_post: "
                "answers everybody: the API has no policy",
                "no-method-is-open: backlog-bridge: aws_api_gateway_method.webhook_old_hook_post: "
                "answers everybody: the API has no policy",
            ],
        ),
        (
            every(
                added("backlog-bridge", "aws_efs_file_system", encrypted=True),
                added(
                    "backlog-bridge",
                    "aws_efs_file_system_policy",
                    file_system_id="${aws_efs_file_system.x.id}",
                    policy='{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", '
                    '"Action": "elasticfilesystem:ClientMount", "Resource": "*", '
                    '"Condition": {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}}}',
                ),
            ),
            [
                "files-are-mounted-over-tls: backlog-bridge: aws_efs_file_system.x: may be mounted without TLS",
            ],
        ),
        (
            lambda stacks: stacks["dev-network"]["resource"]["aws_vpc_endpoint"]["endpoints_s3"].pop("policy"),
            [
                "endpoints-lead-to-this-account: dev-network: aws_vpc_endpoint.endpoints_s3: "
                "leads to every account: it has no policy",
            ],
        ),
        (
            lambda stacks: statement(stacks, "dev-network", "endpoints_s3_policy", "ReadPackages").update(
                actions=["s3:GetObject", "s3:PutObject"]
            ),
            [
                "endpoints-lead-to-this-account: dev-network: aws_vpc_endpoint.endpoints_s3's policy, statement "
                "ReadPackages: allows more than named buckets and Systems Manager of this account, "
                "and reading from AWS",
            ],
        ),
        (
            added("prd-codecommit", "aws_iam_access_key", user="${aws_iam_user.pull_user.name}"),
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
    assert findings(example, change) == expected


def test_every_promise_has_a_change_that_breaks_it() -> None:
    cases = test_a_broken_promise_names_the_policy_and_the_statement.pytestmark[0].args[1]  # type: ignore[attr-defined]
    found = [*(finding for _, expected in cases for finding in expected), *(expected for _, expected in BROKEN)]
    assert {finding.split(":")[0] for finding in found} == {p.id for p in PROMISES}


@pytest.mark.slow
def test_the_api_and_gitlab_may_be_open_for_a_written_reason(changed: Callable[..., Stacks]) -> None:
    opened = changed(
        "example",
        {
            "prd.backlog.webhook.sender_cidrs": ["0.0.0.0/0"],
            "prd.backlog.webhook.open_to_the_world_because": "a test of senders",
            "dev.gitlab.work_terminal_cidrs": ["0.0.0.0/0"],
            "dev.gitlab.open_to_the_world_because": "a public GitLab",
            "prd.codecommit.pull": {"from_vpc_endpoints": ["vpce-0123456789abcdef0"]},
        },
    )
    assert findings(opened, nothing) == []


@pytest.mark.slow
def test_a_room_that_shares_addresses_with_others_is_still_a_room(changed: Callable[..., Stacks]) -> None:
    senders = variable("backlog-bridge", "webhook_sender_cidrs", default=["198.51.100.0/28"])
    assert findings(changed("example", {}), senders) == []

    pushers = changed("example", {"prd.codecommit.push": {"from_cidrs": ["203.0.113.10/32"]}})
    overlapping = variable("prd-codecommit", "push_from_cidrs", default=["198.51.100.0/28"])
    found = findings(pushers, overlapping)
    assert found[0] == (
        "rooms-never-push: kakehashi-prd-push-allow, statement PushAndPull: "
        "lets kakehashi-prd-push codecommit:GitPush from the isolated room and the push user's addresses"
    )


@pytest.mark.slow
def test_a_room_may_be_the_whole_internet_for_a_written_reason(changed: Callable[..., Stacks]) -> None:
    pull = {"from_cidrs": ["0.0.0.0/0"], "open_to_the_world_because": "the room has no addresses of its own"}
    alone = {"prd.codecommit.push": None, "prd.codecommit.pull": pull, "dev.gitlab": None, "dev.proxy": None}
    world = changed("example", alone)
    assert findings(world, nothing) == []


@pytest.mark.slow
def test_a_reason_to_pull_from_everywhere_does_not_open_the_webhook(changed: Callable[..., Stacks]) -> None:
    open_room = changed(
        "example",
        {
            "prd.codecommit.push": {"from_cidrs": ["203.0.113.10/32"]},
            "prd.codecommit.pull.from_cidrs": ["198.51.100.0/28"],
        },
    )

    def opened(stacks: dict[str, Json]) -> None:
        for stack, name in (("prd-codecommit", "pull_from_cidrs"), ("dev-gitlab", "work_terminal_cidrs")):
            variable(stack, name, default=["0.0.0.0/1", "128.0.0.0/1"])(stacks)
        fact(stacks, "prd-codecommit", variable="pull_from_cidrs")["open_because"] = "a test of rooms"
        without_prefix_check("prd-codecommit", "pull_from_cidrs")(stacks)
        condition = [{**SOURCE_IP, "values": ["0.0.0.0/0"]}]
        statement(stacks, "backlog-bridge", "webhook_policy", "DenyOtherSenders").update(condition=condition)

    assert [finding for finding in findings(open_room, opened) if finding.startswith("no-method-is-open")] == [
        "no-method-is-open: backlog-bridge: aws_api_gateway_rest_api_policy.webhook_senders, statement Invoke: "
        "lets everybody call backlog-bridge: aws_api_gateway_method.webhook_old_hook_post "
        "from the isolated room, 128.0.0.0/1"
    ]


def test_a_policy_with_the_name_of_an_aws_policy_counts_as_the_deployments_own(
    synthesised: Callable[[str], Stacks],
) -> None:
    def change(stacks: dict[str, Json]) -> None:
        name = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
        stacks["prd-codecommit"]["resource"]["aws_iam_policy"]["push_user_allow_policy"]["name"] = name
        statement(stacks, "prd-codecommit", "push_user_allow", "PushAndPull")["actions"] = ["codecommit:*"]

    assert "policies-name-what-they-mean" in {one.partition(":")[0] for one in findings(synthesised("example"), change)}
