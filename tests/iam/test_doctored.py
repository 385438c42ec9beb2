"""Terraform that was changed so that a fact or a variable's default hides who has access."""

import copy
import json
from typing import Any

import pytest

from iam.statements import UnsupportedError
from tests.iam.changes import SOURCE_IP, Change, Json, added, every, fact, findings, prd, without_prefix_check
from tests.terraform import Stacks

PRD, BRIDGE = "prd-codecommit", "backlog-bridge"
LISTED = "data.terraform_remote_state.dev_network.outputs.nat_public_ips"
SINGLE = f'[for address in values({LISTED}) : "${{address}}/32"]'


def _replaced(old: str, new: str) -> Change:
    """A change of a text wherever it is in prd-codecommit, also in facts."""

    def change(stacks: dict[str, Json]) -> None:
        before = json.dumps(stacks[PRD])
        after = before.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1])
        assert after != before
        stacks[PRD] = json.loads(after)

    return change


def _with_variable(stack: str, default: Any) -> Change:
    return lambda stacks: stacks[stack]["variable"].update(sneak={"type": "any", "default": default})


def _with_fact(changes: Json, **wanted: str) -> Change:
    return lambda stacks: fact(stacks, PRD, **wanted).update(changes)


def _refusal(stacks: Stacks, change: Change) -> str:
    with pytest.raises(UnsupportedError) as refused:
        findings(stacks, change)
    return refused.value.reason


@pytest.mark.parametrize(
    "change",
    [
        _replaced("/32", "/0"),
        _replaced(SINGLE, f'concat(["203.0.113.0/24"], {SINGLE})'),
        _replaced(SINGLE, '["0.0.0.0/0"]'),
        every(_with_variable(PRD, ["0.0.0.0/0"]), _replaced(SINGLE, "concat(var.sneak, [])")),
        _replaced("outputs.nat_public_ips", "outputs.private_subnet_cidrs"),
        _with_fact({"stack": "nowhere"}, fact="output addresses"),
        _with_fact({"output": "vpc_id"}, fact="output addresses"),
    ],
)
def test_refuses_an_expression_that_does_not_list_the_single_addresses_of_the_output(
    example: Stacks, change: Change
) -> None:
    assert " as the single addresses in " in _refusal(example, change)


def _policy(**statement: Any) -> str:
    statement = {"Effect": "Allow", "Action": "codecommit:GitPull", "Resource": "*", **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _user_policy(policy: str) -> Change:
    return added(PRD, "aws_iam_user_policy", user="${aws_iam_user.pull_user.name}", name="x", policy=policy)


def _trusted(stacks: dict[str, Json]) -> None:
    documents = stacks[BRIDGE]["data"]["aws_iam_policy_document"]
    trust = next(document for name, document in documents.items() if name.endswith("reconciliation_role_trust"))
    trust["statement"][0]["principals"][0]["identifiers"] = "${var.sneak}"


def _bucket_principal(stacks: dict[str, Json]) -> None:
    document = stacks["dev-gitlab"]["data"]["aws_iam_policy_document"]["backups_transport"]
    allow = {**copy.deepcopy(document["statement"][0]), "effect": "Allow", "sid": "A", "actions": ["s3:GetObject"]}
    allow["principals"] = [{"type": "AWS", "identifiers": "${toset(var.sneak)}"}]
    document["statement"].append(allow)


def _opened(cidr: str) -> Change:
    return added("dev-gitlab", "aws_vpc_security_group_ingress_rule", cidr_ipv4=cidr)


def _denied_from(address: str) -> Change:
    return prd("pull_user_deny", "DenyFromElsewhere", condition=[{**SOURCE_IP, "values": [address]}])


@pytest.mark.parametrize(
    ("stack", "default", "change", "unknown"),
    [
        (PRD, _policy(), _user_policy("${var.sneak}"), "var.sneak"),
        (
            PRD,
            ["codecommit:GitPull"],
            _user_policy(_policy(Action="@").replace('"@"', "${jsonencode(var.sneak)}")),
            "jsonencode(var.sneak)",
        ),
        (PRD, "codecommit:GitPull", _user_policy(_policy(Action="${var.sneak}")), "var.sneak"),
        (PRD, "application", _user_policy(_policy(Resource="arn:${var.sneak}")), "var.sneak"),
        (PRD, ["codecommit:GitPull"], prd("pull_user_allow", "Pull", actions="${var.sneak}"), "var.sneak"),
        (
            PRD,
            ["codecommit:GitPull"],
            prd("pull_user_allow", "Pull", actions="${toset(var.sneak)}"),
            "toset(var.sneak)",
        ),
        (PRD, "GitPull", prd("pull_user_allow", "Pull", actions=["codecommit:${var.sneak}"]), "var.sneak"),
        (PRD, "x", prd("pull_user_allow", "Pull", resources=["arn:${var.sneak}"]), "var.sneak"),
        (BRIDGE, ["scheduler.amazonaws.com"], _trusted, "var.sneak"),
        ("dev-gitlab", ["111111111111"], _bucket_principal, "toset(var.sneak)"),
        (PRD, "28", _denied_from("198.51.100.0/${var.sneak}"), "var.sneak"),
        (
            PRD,
            "198.51.100.0/28",
            every(lambda stacks: stacks[PRD].update(locals={"a": "${var.sneak}"}), _denied_from("${local.a}")),
            "var.sneak",
        ),
        ("dev-gitlab", 16, _opened("10.0.0.0/${var.sneak}"), "var.sneak"),
        (
            "dev-gitlab",
            "10.0.0.0/16",
            every(lambda stacks: stacks["dev-gitlab"].update(locals={"a": "${var.sneak}"}), _opened("${local.a}")),
            "var.sneak",
        ),
    ],
)
def test_refuses_to_decide_by_a_variables_default(
    example: Stacks, stack: str, default: Any, change: Change, unknown: str
) -> None:
    assert _refusal(example, every(_with_variable(stack, default), change)).endswith(f"what {unknown} will be")


def test_refuses_a_local_value_that_refers_to_itself(example: Stacks) -> None:
    change = every(
        lambda stacks: stacks[PRD].update(locals={"a": "${local.b}", "b": "${local.a}"}),
        prd("pull_user_allow", "Pull", resources="${local.a}"),
    )
    assert _refusal(example, change).endswith("what local.a will be")


def _copied_room(stacks: dict[str, Json]) -> None:
    stacks["dev-network"]["variable"]["pull_from_cidrs"] = stacks[PRD]["variable"]["pull_from_cidrs"]
    room = fact(stacks, PRD, variable="pull_from_cidrs")
    stacks["dev-network"].setdefault("//", {}).setdefault("metadata", {})["kakehashi"] = {"facts": [dict(room)]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            every(
                lambda stacks: stacks[PRD]["//"]["metadata"]["kakehashi"]["facts"].remove(
                    fact(stacks, PRD, fact="kept apart")
                ),
                _with_fact({"use": "push user"}, variable="pull_from_cidrs"),
            ),
            f"{PRD}: var.pull_from_cidrs: addresses for push user, which var.push_from_cidrs lists",
        ),
        (
            _with_fact({"room": "batch"}, variable="pull_from_cidrs"),
            f"{PRD}: var.pull_from_cidrs: addresses for room, which var.room_batch_from_cidrs lists",
        ),
        (_copied_room, "facts: 2 lists of addresses for room"),
    ],
)
def test_refuses_a_fact_that_gives_a_list_another_use(example: Stacks, change: Change, message: str) -> None:
    assert _refusal(example, change) == message


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without_prefix_check(PRD, "pull_from_cidrs"), "no"),
        (_replaced("[1] >= 8, false", "[1] >= 0, false"), "no"),
        (_with_fact({"open_because": "a test"}, variable="pull_from_cidrs"), "a"),
    ],
)
def test_refuses_a_reason_for_wide_networks_that_the_variable_contradicts(
    example: Stacks, change: Change, reason: str
) -> None:
    assert _refusal(example, change) == (
        f"{PRD}: var.pull_from_cidrs: {reason} reason for wide networks, against what the variable takes"
    )


def _moved_precondition(kind: str, **arguments: Any) -> Change:
    def change(stacks: dict[str, Json]) -> None:
        moved = stacks[PRD]["resource"]["aws_iam_policy"]["push_user_deny_policy"].pop("lifecycle")
        added(PRD, kind, **arguments, lifecycle=moved)(stacks)

    return change


@pytest.mark.parametrize(
    "change",
    [
        _replaced("${try(!anytrue([for pair in setproduct([", "${try(true || !anytrue([for pair in setproduct(["),
        _replaced("], var.pull_from_cidrs) :", "], setsubtract(var.pull_from_cidrs, [])) :"),
        _moved_precondition("terraform_data"),
        _moved_precondition("terraform_data", count=0),
        _moved_precondition("aws_ebs_volume", for_each="${toset([])}"),
    ],
)
def test_only_the_exact_precondition_on_a_policy_proves_that_a_room_is_kept_apart(
    example: Stacks, change: Change
) -> None:
    assert findings(example, change) == [
        "rooms-never-push: dev-network's NAT addresses: "
        "nothing keeps these addresses apart from those of var.pull_from_cidrs when Terraform plans"
    ]
