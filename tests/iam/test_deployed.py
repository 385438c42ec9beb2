import pytest

from errors import RefusedError
from iam.statements import UnsupportedError
from tests.iam.changes import (
    SOURCE_IP,
    Change,
    Json,
    added,
    every,
    fact,
    findings,
    prd,
    variable,
    without_fact,
    without_prefix_check,
)
from tests.terraform import Stacks


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda stacks: stacks["prd-codecommit"]["provider"]["aws"][0].pop("allowed_account_ids"),
            "prd-codecommit: which account it is applied to",
        ),
        (
            added(
                "prd-codecommit",
                "aws_iam_user_policy_attachment",
                user="${aws_iam_user.pull_user.name}",
                policy_arn="arn:aws:iam::aws:policy/SecurityAudit",
            ),
            "prd-codecommit: aws_iam_user_policy_attachment.x: what 'arn:aws:iam::aws:policy/SecurityAudit' "
            "allows; add the document to iam/aws_managed.json",
        ),
        (
            added(
                "dev-gitlab",
                "aws_iam_user_policy_attachment",
                user="kakehashi-prd-pull",
                policy_arn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
            ),
            "dev-gitlab: aws_iam_user_policy_attachment.x: whose it is: no user 'kakehashi-prd-pull' is made here",
        ),
        (
            added("dev-gitlab", "aws_iam_access_key", user="kakehashi-prd-pull"),
            "dev-gitlab: aws_iam_access_key.x: whose it is: no user 'kakehashi-prd-pull' is made here",
        ),
        (
            prd("pull_user_deny", "DenyFromElsewhere", not_actions=["iam:*"]),
            "kakehashi-prd-pull-deny, statement DenyFromElsewhere: both Action and NotAction",
        ),
        (
            prd("pull_user_deny", "DenyFromElsewhere", condition=[{**SOURCE_IP, "values": ["${data.http.x.body}"]}]),
            "kakehashi-prd-pull-deny, statement DenyFromElsewhere: what data.http.x.body will be",
        ),
        (
            prd(
                "pull_user_deny",
                "DenyFromElsewhere",
                condition=[{"test": "Bool", "variable": "aws:MultiFactorAuthPresent", "values": ["false"]}],
            ),
            "kakehashi-prd-pull-deny, statement DenyFromElsewhere: "
            "whether a request has 'aws:multifactorauthpresent', and its value, is not known",
        ),
    ],
)
def test_refuses_terraform_that_it_cannot_evaluate(example: Stacks, change: Change, message: str) -> None:
    with pytest.raises(UnsupportedError) as refused:
        findings(example, change)
    assert refused.value.reason == message


TERMINALS = "dev-gitlab: aws_vpc_security_group_ingress_rule.gitlab_security_group_from_terminals"
OPEN_TERMINALS = variable("dev-gitlab", "work_terminal_cidrs", default=["0.0.0.0/0"])
PORTS = ("http", "https", "ssh")
# A world that is let in contains the isolated room, whatever the reason.
LETS_THE_ROOM_IN = [
    f"rooms-reach-no-git-server: {TERMINALS}_{port}: "
    "lets in 0.0.0.0/0, which overlaps 198.51.100.0/28 of the isolated room"
    for port in PORTS
]
LETS_THE_WORLD_IN = [
    *LETS_THE_ROOM_IN,
    *(f"no-group-is-open: {TERMINALS}_{port}: lets in 0.0.0.0/0" for port in PORTS),
]


def _with_reason(stacks: dict[str, Json]) -> None:
    fact(stacks, "dev-gitlab", variable="work_terminal_cidrs")["open_because"] = "a public GitLab"
    without_prefix_check("dev-gitlab", "work_terminal_cidrs")(stacks)


def _every_message_reworded(stacks: dict[str, Json]) -> None:
    for stack in stacks.values():
        for one in stack["variable"].values():
            for check in one.get("validation", ()):
                check["error_message"] = "Refused."
        for policy in stack["resource"].get("aws_iam_policy", {}).values():
            for check in policy.get("lifecycle", {}).get("precondition", ()):
                check["error_message"] = "Refused."


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (OPEN_TERMINALS, LETS_THE_WORLD_IN),
        (every(OPEN_TERMINALS, _every_message_reworded), LETS_THE_WORLD_IN),
        (every(OPEN_TERMINALS, _with_reason), LETS_THE_ROOM_IN),
        (every(OPEN_TERMINALS, _with_reason, _every_message_reworded), LETS_THE_ROOM_IN),
        (_every_message_reworded, []),
    ],
)
def test_only_a_fact_with_a_reason_allows_an_open_group(example: Stacks, change: Change, expected: list[str]) -> None:
    assert findings(example, change) == expected


NOT_APART = [
    "rooms-never-push: dev-network's NAT addresses: "
    "nothing keeps these addresses apart from those of var.pull_from_cidrs when Terraform plans"
]


def _with_another_precondition(stacks: dict[str, Json]) -> None:
    policy = stacks["prd-codecommit"]["resource"]["aws_iam_policy"]["push_user_deny_policy"]
    policy["lifecycle"]["precondition"][0]["condition"] = "${length(var.pull_from_cidrs) > 0}"


def _with_another_precondition_in_the_fact_too(stacks: dict[str, Json]) -> None:
    _with_another_precondition(stacks)
    fact(stacks, "prd-codecommit", fact="kept apart")["condition"] = "${length(var.pull_from_cidrs) > 0}"


@pytest.mark.parametrize(
    "change",
    [
        without_fact("prd-codecommit", fact="kept apart"),
        _with_another_precondition,
        _with_another_precondition_in_the_fact_too,
    ],
)
def test_a_room_counts_as_kept_apart_only_by_the_precondition_that_a_fact_names(
    example: Stacks, change: Change
) -> None:
    assert findings(example, change) == NOT_APART


PULL_DENY = "kakehashi-prd-pull-deny, statement DenyFromElsewhere"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            without_fact("dev-gitlab", variable="work_terminal_cidrs"),
            f"{TERMINALS}_http: "
            "whose addresses ${toset(var.work_terminal_cidrs)} are, which no fact of the stack is about",
        ),
        (
            without_fact("backlog-bridge", variable="webhook_sender_cidrs"),
            "backlog-bridge: aws_api_gateway_rest_api_policy.webhook_senders, statement DenyOtherSenders: "
            "whose addresses ${var.webhook_sender_cidrs} are, which no fact of the stack is about",
        ),
        (
            every(
                without_fact("prd-codecommit", fact="kept apart"),
                without_fact("prd-codecommit", variable="pull_from_cidrs"),
            ),
            f"{PULL_DENY}: whose addresses ${{var.pull_from_cidrs}} are, which no fact of the stack is about",
        ),
        (
            without_fact("prd-codecommit", fact="output addresses"),
            "kakehashi-prd-push-deny, statement DenyFromElsewhere: what [for address in "
            'values(data.terraform_remote_state.dev_network.outputs.nat_public_ips) : "${address}/32"] will be',
        ),
        (
            every(
                lambda stacks: stacks["prd-codecommit"].update(locals={"room": "${var.pull_from_cidrs}"}),
                prd("pull_user_deny", "DenyFromElsewhere", condition=[{**SOURCE_IP, "values": "${local.room}"}]),
            ),
            f"{PULL_DENY}: what var.pull_from_cidrs will be",
        ),
        (
            added(
                "dev-gitlab",
                "aws_vpc_security_group_ingress_rule",
                cidr_ipv4="${each.value}",
                for_each="${concat(var.work_terminal_cidrs)}",
            ),
            "dev-gitlab: aws_vpc_security_group_ingress_rule.x: what concat(var.work_terminal_cidrs) will be",
        ),
    ],
)
def test_refuses_a_list_of_addresses_without_a_fact(example: Stacks, change: Change, message: str) -> None:
    with pytest.raises(UnsupportedError) as refused:
        findings(example, change)
    assert refused.value.reason == message


def test_refuses_an_unknown_kind_of_fact(example: Stacks) -> None:
    def change(stacks: dict[str, Json]) -> None:
        fact(stacks, "prd-codecommit", variable="pull_from_cidrs")["use"] = "anybody"

    with pytest.raises(RefusedError, match="'anybody' is not a known fact"):
        findings(example, change)
