"""Policies that were written so that the evaluation would conclude too little from them."""

from collections.abc import Callable
from typing import Any

import pytest

from errors import RefusedError
from tests.iam.changes import Change, Json, added, bridge, every, findings, prd, statement, variable
from tests.terraform import Stacks

PRD, BRIDGE, GITLAB, NETWORK = "prd-codecommit", "backlog-bridge", "dev-gitlab", "dev-network"
REPOSITORY = "arn:aws:codecommit:ap-northeast-1:222222222222:"
PUSH = "codecommit:GitPush"
KEY = "arn:aws:kms:ap-northeast-1:222222222222:key/1234abcd-12ab-34cd-86ef-1234567890ab"


def condition(test: str, variable: str, *values: str) -> Json:
    return {"test": test, "variable": variable, "values": list(values)}


def more(document: str, *statements: Json, stack: str = PRD) -> Change:
    """Adds statements to a policy."""
    return lambda stacks: stacks[stack]["data"]["aws_iam_policy_document"][document]["statement"].extend(
        [{"sid": f"More{number}", **one} for number, one in enumerate(statements)]
    )


def allow(*conditions: Json, on: str = f"{REPOSITORY}application", action: str = PUSH) -> Json:
    return {"effect": "Allow", "actions": [action], "resources": [on], "condition": list(conditions)}


def deny(*conditions: Json, on: str = "*") -> Json:
    return {"effect": "Deny", "actions": [PUSH], "resources": [on], "condition": list(conditions)}


def pulls(*statements: Json) -> Change:
    """Gives the pull user more statements."""
    return more("pull_user_allow", *statements)


def argument(stack: str, kind: str, name: str, **changes: Any) -> Change:
    return lambda stacks: stacks[stack]["resource"][kind][name].update(changes)


USERNAME = condition("StringNotEquals", "aws:username", "${aws_iam_user.pull_user.id}")
REGIONS = condition("StringEquals", "aws:RequestedRegion", "ap-northeast-2", "ap-northeast-1")
ACCOUNTS = condition("StringEquals", "aws:ResourceAccount", "999999999999", "222222222222")
OTHER_AGENTS = condition("StringNotEquals", "aws:UserAgent", "evil")
STRANGER = "arn:aws:iam::999999999999:role/::111111111111:/x"
ANYBODY = [{"type": "Service", "identifiers": ["cloudfront.amazonaws.com"]}]

ROOM = "rooms-never-push"
WORK = "nobody-does-more-than-its-work"
NAMES = "policies-name-what-they-mean"
OUTSIDE = "nothing-outside-is-named"

ATTACKS: dict[str, tuple[Change, str]] = {
    "a user's id is its name": (pulls(allow(), deny(USERNAME)), ROOM),
    "an exception for a repository": (
        pulls(
            allow(),
            {**deny(), "resources": [], "not_resources": ["${aws_codecommit_repository.repositories_application.arn}"]},
        ),
        "which resources a Deny leaves out",
    ),
    "a Deny has a narrower pattern": (pulls(allow(on=f"{REPOSITORY}a*"), deny(on=f"{REPOSITORY}aA*")), ROOM),
    "a Deny has one more character": (pulls(allow(on=f"{REPOSITORY}a*"), deny(on=f"{REPOSITORY}a?*")), ROOM),
    "a Deny names one of two characters": (pulls(allow(on=f"{REPOSITORY}a?"), deny(on=f"{REPOSITORY}ax")), ROOM),
    "a Deny names one region": (
        pulls(allow(on="arn:aws:codecommit:*:222222222222:x"), deny(on="arn:aws:codecommit:AnyOther:222222222222:x")),
        ROOM,
    ),
    "a variable with a default": (
        pulls(allow(on=REPOSITORY + "&{aws:SourceAccount, 'application'}")),
        "which resources",
    ),
    "the first of two values fails": (
        pulls(allow(REGIONS, condition("StringNotEquals", "aws:RequestedRegion", "ap-northeast-2"))),
        ROOM,
    ),
    "a Deny names the first of two values": (
        pulls(allow(ACCOUNTS), deny(condition("StringEquals", "aws:ResourceAccount", "999999999999"))),
        "a key that a Deny tests too",
    ),
    "a key that a Deny tests too": (
        every(
            pulls(allow(condition("StringLike", "aws:UserAgent", "*"))),
            prd("pull_user_deny", "DenyFromElsewhere", condition=[OTHER_AGENTS]),
        ),
        "a key that a Deny tests too",
    ),
    "two conditions on a key": (
        pulls(
            allow(
                condition("StringLike", "codecommit:References", "refs/*"),
                condition("StringLikeIfExists", "codecommit:References", "*/main"),
            )
        ),
        "which values of 'codecommit:references' meet two conditions",
    ),
    "a variable in a condition": (
        pulls(allow(condition("StringEquals", "codecommit:References", "refs/heads/&{aws:username}"))),
        "a variable in a condition",
    ),
    "a wildcard that is none": (pulls(allow(condition("StringEquals", "codecommit:References", "x*"))), ROOM),
    "a Deny with an exception": (
        every(
            pulls(allow(on=f"{REPOSITORY}infra*")),
            pulls({**deny(), "resources": [], "not_resources": [f"{REPOSITORY}infrastructure"]}),
        ),
        "which resources a Deny leaves out",
    ),
    "a whole VPC": (
        prd("pull_user_deny", "DenyFromElsewhere", condition=[condition("StringNotEquals", "aws:SourceVpc", "vpc-1")]),
        "which VPC endpoints a whole VPC has",
    ),
    "an expression as a key": (
        pulls(allow({"test": "StringEquals", "variable": "${local.k}", "values": ["x"]})),
        "whose value is not resolved",
    ),
    "every key": (
        more(
            "spaces_example_role_permissions",
            allow(on="arn:aws:ssm:ap-northeast-1:222222222222:parameter/*", action="ssm:GetParameters"),
            stack=BRIDGE,
        ),
        NAMES,
    ),
    "a bucket of the other account": (
        more(
            "spaces_example_role_permissions",
            allow(on="arn:aws:s3:::kakehashi-dev-gitlab-backups-111111111111/x", action="s3:PutObject"),
            stack=BRIDGE,
        ),
        OUTSIDE,
    ),
    "more values than are tried": (
        pulls(allow(*(condition("StringEquals", f"aws:Key{key}", *"abcdef") for key in range(3)))),
        "more than 100 combinations",
    ),
    "a key must be there": (
        pulls(allow(condition("Null", "codecommit:References", "false"))),
        "'codecommit:references', and its value, is not known",
    ),
    "a text in any case": (
        pulls(allow(condition("StringEqualsIgnoreCase", "codecommit:References", "refs/heads/main"))),
        "'codecommit:references', and its value, is not known",
    ),
    "any value, if the key exists": (
        pulls(deny(condition("ForAnyValue:StringEqualsIfExists", "aws:TagKeys", "x"))),
        "what ForAnyValue with IfExists means",
    ),
    "a key of several values compared as one": (
        pulls(deny(condition("StringEquals", "aws:TagKeys", "x"))),
        "a key of several values without a set operator",
    ),
    "an address as a text": (
        pulls(allow(condition("StringEquals", "aws:SourceIp", "198.51.100.5"))),
        "an address that is compared as a text",
    ),
    "five parts of an ARN": (
        prd("pull_user_deny", "DenyFromElsewhere", resources=[], not_resources=["arn:aws:codecommit"]),
        "fewer than six parts",
    ),
    "capital letters in a service": (
        prd("pull_user_deny", "DenyFromElsewhere", resources=["arn:aws:CodeCommit:*:*:*"]),
        "not written out in lower case",
    ),
    "a wildcard in a type": (
        pulls(allow(on="arn:aws:iam::222222222222:us*/x", action="iam:GetUser")),
        "with a wildcard in its type",
    ),
    "a character that stands for any": (pulls(allow(on=f"{REPOSITORY}\ue000")), "resource '"),
    "every ARN": (pulls(allow(on="arn:*", action="codecommit:GitPull")), "fewer than six parts"),
    "every repository": (pulls(allow(on="arn:aws:codecommit:*:*:*", action="codecommit:GitPull")), NAMES),
    "every repository here": (pulls(allow(on=f"{REPOSITORY}*", action="codecommit:GitPull")), NAMES),
    "every bucket": (
        more("spaces_example_role_permissions", allow(on="arn:aws:s3:::*", action="s3:GetObject"), stack=BRIDGE),
        NAMES,
    ),
    "a bucket of somebody else": (
        more("spaces_example_role_permissions", allow(on="arn:aws:s3:::x/*", action="s3:PutObject"), stack=BRIDGE),
        OUTSIDE,
    ),
    "a repository of another account": (
        more(
            "spaces_example_role_permissions",
            allow(on="arn:aws:codecommit:ap-northeast-1:999999999999:x"),
            stack=BRIDGE,
        ),
        OUTSIDE,
    ),
    "a role's variable with a default": (
        more("spaces_example_role_permissions", allow(on=REPOSITORY + "&{aws:SourceAccount, 'x'}"), stack=BRIDGE),
        OUTSIDE,
    ),
    "a build with another program": (
        pulls(allow(on="arn:aws:codebuild:ap-northeast-1:222222222222:project/x", action="codebuild:StartBuild")),
        WORK,
    ),
    "a policy of AWS's own on a role that does not need it": (
        added(
            BRIDGE,
            "aws_iam_role_policy_attachment",
            role="${aws_iam_role.spaces_example_role.name}",
            policy_arn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
        ),
        WORK,
    ),
    "every VPC endpoint": (
        prd("pull_user_deny", "DenyFromElsewhere", condition=[condition("StringNotLike", "aws:SourceVpce", "vpce-*")]),
        "which VPC endpoints",
    ),
    "two inline policies of one name": (
        every(
            added(PRD, "aws_iam_user_policy", name="x", user="kakehashi-prd-pull", policy='{"Statement": []}'),
            lambda stacks: stacks[PRD]["resource"]["aws_iam_user_policy"].update(
                y={"name": "x", "user": "${aws_iam_user.pull_user.id}", "policy": '{"Statement": []}'}
            ),
        ),
        "2 policies of kakehashi-prd-pull named 'x'",
    ),
    "a role of one name in two stacks": (
        added(PRD, "aws_iam_role", name="kakehashi-prd-backlog-webhook", assume_role_policy='{"Statement": []}'),
        "2 users or roles of one name",
    ),
    "two policies of an API": (
        lambda stacks: stacks[BRIDGE]["resource"]["aws_api_gateway_rest_api_policy"].update(
            x=stacks[BRIDGE]["resource"]["aws_api_gateway_rest_api_policy"]["webhook_senders"]
        ),
        "which of two policies of an API counts",
    ),
    "two policies of a bucket": (
        lambda stacks: stacks[BRIDGE]["resource"]["aws_s3_bucket_policy"].update(
            x=stacks[BRIDGE]["resource"]["aws_s3_bucket_policy"]["program_policy"]
        ),
        "which of two policies of aws_s3_bucket.program_bucket counts",
    ),
    "another stage of the API": (
        every(
            bridge(
                "webhook_policy",
                "DenyOtherSenders",
                resources=["${aws_api_gateway_rest_api.webhook_api.execution_arn}/hook/*"],
            ),
            lambda stacks: stacks[BRIDGE]["resource"]["aws_api_gateway_stage"].update(
                x=stacks[BRIDGE]["resource"]["aws_api_gateway_stage"]["webhook_stage"] | {"stage_name": "open"}
            ),
        ),
        "no-method-is-open",
    ),
    "a role of another account with this one's number in its path": (
        lambda stacks: statement(stacks, GITLAB, "backups_transport", "DenyInsecureTransport").update(
            effect="Allow", principals=[{"type": "AWS", "identifiers": [STRANGER]}]
        ),
        "nothing-is-public",
    ),
    "a service that works for every account": (
        lambda stacks: statement(stacks, GITLAB, "backups_transport", "DenyInsecureTransport").update(
            effect="Allow", principals=ANYBODY
        ),
        "for every account",
    ),
    "a bucket without a public access block": (
        lambda stacks: stacks[GITLAB]["resource"].pop("aws_s3_bucket_public_access_block"),
        "without a public access block",
    ),
    "a service assumes a role for every account": (
        bridge("spaces_example_role_trust", "Assume", condition=[]),
        "for another account",
    ),
    "public addresses in no list": (
        added(GITLAB, "aws_vpc_security_group_ingress_rule", cidr_ipv4="203.0.113.200/32"),
        "which is in no list of the deployment file",
    ),
    "IPv6 addresses in no list": (
        added(GITLAB, "aws_vpc_security_group_ingress_rule", cidr_ipv6="2400::/16"),
        "which is in no list of the deployment file",
    ),
    "another state's outputs": (
        lambda stacks: stacks[PRD]["data"]["terraform_remote_state"]["dev_network"]["config"].update(profile="evil"),
        " as the single addresses in ",
    ),
    "addresses that are not the NAT gateways'": (
        lambda stacks: stacks[NETWORK]["output"]["nat_public_ips"].update(value={"a": "203.0.113.200"}),
        "whose addresses",
    ),
    "an Elastic IP address of no NAT gateway": (
        every(
            added(NETWORK, "aws_eip", domain="vpc"),
            lambda stacks: stacks[NETWORK]["output"]["nat_public_ips"]["value"].update(a="${aws_eip.x.public_ip}"),
        ),
        "whose addresses",
    ),
    "a NAT gateway's address that no list has": (
        lambda stacks: stacks[NETWORK]["output"]["nat_public_ips"]["value"].pop("a"),
        "whose addresses",
    ),
    "repositories by the end of their names": (pulls(allow(on=f"{REPOSITORY}*a*", action="codecommit:GitPull")), NAMES),
    "repositories by one character": (pulls(allow(on=f"{REPOSITORY}?pplication", action="codecommit:GitPull")), NAMES),
    "a repository of another region": (
        pulls(allow(on="arn:aws:codecommit:us-west-2:222222222222:application", action="codecommit:GitPull")),
        OUTSIDE,
    ),
    "a key for every service": (pulls(allow(on=KEY, action="kms:Decrypt")), NAMES),
    "a key for another service": (
        pulls(
            allow(
                condition("StringEquals", "kms:ViaService", "s3.ap-northeast-1.amazonaws.com"),
                on=KEY,
                action="kms:GenerateDataKey",
            )
        ),
        NAMES,
    ),
    "a key for requests without a service": (
        pulls(
            allow(
                condition("StringEqualsIfExists", "kms:ViaService", "codecommit.ap-northeast-1.amazonaws.com"),
                on=KEY,
                action="kms:Decrypt",
            )
        ),
        NAMES,
    ),
    "a list that may be empty": (variable(PRD, "pull_from_cidrs", validation=[]), "against what the variable takes"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused(example: Stacks, name: str) -> None:
    change, expected = ATTACKS[name]
    try:
        found = findings(example, change)
    except RefusedError as error:
        found = [str(problem.what) for problem in error.problems]
    assert any(expected in finding for finding in found), found


@pytest.mark.parametrize("condition", ["length(", "cidrnetmask", "sum(", "!can(regex(", "setproduct("])
def test_a_list_that_terraform_does_not_check_is_refused(example: Stacks, condition: str) -> None:
    def change(stacks: dict[str, Json]) -> None:
        checks = stacks[PRD]["variable"]["pull_from_cidrs"]["validation"]
        kept = [check for check in checks if condition not in check["condition"]]
        assert len(kept) < len(checks)
        checks[:] = kept

    with pytest.raises(RefusedError, match=r"does not check|whether it may overlap|against what the variable takes"):
        findings(example, change)


@pytest.mark.slow
def test_lists_of_one_stack_that_no_precondition_keeps_apart_are_refused(changed: Callable[..., Stacks]) -> None:
    own_list = changed("example", {"prd.codecommit.push": {"from_cidrs": ["203.0.113.200/32"]}})

    def change(stacks: dict[str, Json]) -> None:
        for policy in stacks[PRD]["resource"]["aws_iam_policy"].values():
            policy.pop("lifecycle", None)

    with pytest.raises(RefusedError, match=r"whether these addresses are also in var\.pull_from_cidrs"):
        findings(own_list, change)


@pytest.fixture(scope="module")
def everything(synthesised: Callable[[str], Stacks]) -> Stacks:
    return synthesised("everything")


@pytest.mark.parametrize(
    "listed", [{"vault": []}, {"batch_operators": "${var.pull_from_cidrs}", "vault": []}, [], None]
)
def test_a_room_that_the_list_of_all_rooms_leaves_out_is_refused(everything: Stacks, listed: object) -> None:
    def change(stacks: dict[str, Json]) -> None:
        stacks[PRD]["locals"]["room_cidrs"] = listed

    with pytest.raises(RefusedError, match="no networks of room 'batch_operators'"):
        findings(everything, change)


@pytest.mark.parametrize("user", ["push_user", "rooms_batch_operators"])
def test_a_room_that_no_precondition_keeps_apart_is_refused(everything: Stacks, user: str) -> None:
    def change(stacks: dict[str, Json]) -> None:
        del stacks[PRD]["resource"]["aws_iam_policy"][f"{user}_deny_policy"]["lifecycle"]

    with pytest.raises(RefusedError, match=r"whether these addresses are also in var\.pull_from_cidrs, flatten\("):
        findings(everything, change)
