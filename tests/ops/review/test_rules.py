"""Each rule finds its case, and every resource type is in one of the tables."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.review import PlanFile, review, run
from ops.review.resource_types import ACCESS, IRRELEVANT, LOSSES, SAFEGUARDS, is_classified
from ops.review.rules import RULES
from tests.ops.review import server_cases
from tests.ops.review.dangerous import DANGEROUS
from tests.ops.review.plans import found_rules, real, reviewed
from tests.ops.review.rule_cases import CASES as OTHER_CASES
from tests.ops.review.rule_cases import PlannedChange, deny, only_from, policy, updated
from tests.terraform import Stacks
from tests.terraform.plans import change, plan

_OF_OUTPUTS = ("guard-changed", "guard-lifted", "not-compared", "state-elsewhere")
"""Rules whose cases are in test_lifecycle.py, because no plan shows what they find."""

CASES = {**OTHER_CASES, **server_cases.CASES}


@pytest.mark.parametrize("rule", sorted(CASES))
def test_a_rule_finds_its_case_and_nothing_in_a_similar_one(rule: str) -> None:
    case = CASES[rule]
    review = reviewed(plan(*case.found, **case.more))
    findings = review.dangerous if case.is_dangerous else review.notes
    assert (rule, case.at) in {(finding.rule, finding.address) for finding in findings}
    similar = reviewed(plan(*case.not_found, **case.not_found_more))
    assert rule not in {finding.rule for finding in (*similar.dangerous, *similar.notes)}


@pytest.mark.parametrize(
    ("rule", "changes"),
    [(rule, changes) for rule, _, changes in DANGEROUS],
    ids=[f"{rule}: {what}" for rule, what, _ in DANGEROUS],
)
def test_a_dangerous_change_is_named_by_its_rule(rule: str, changes: Sequence[PlannedChange]) -> None:
    assert rule in {finding.rule for finding in reviewed(plan(*changes)).dangerous}


_OF_SEVERAL = ("foretold", "stale-input")


def test_an_input_is_stale_when_its_stack_changes_it() -> None:
    """The rule needs two plans, so it is not among CASES."""
    reading = {"root_module": {"resources": [{"x": "data.terraform_remote_state.stack.outputs.addresses"}]}}

    def two(actions: list[str], before: object) -> set[tuple[str, str]]:
        output = {"actions": actions, "before": before, "after": ["192.0.2.2"]}
        network = plan(output_changes={"addresses": output})
        return found_rules(reviewed(network, plan(configuration=reading)))

    assert two(["update"], ["192.0.2.1"]) == {("stale-input", "data.terraform_remote_state.stack")}
    assert two(["no-op"], ["192.0.2.2"]) == set()


def test_what_follows_from_an_output_is_foretold_where_stacks_are_applied_in_order() -> None:
    order = ("dev-network", "prd-codecommit")
    files = sorted(real("nat-address-replaced"), key=lambda file: order.index(file.stack))
    found = review(files, [], in_order=True).dangerous
    policy = "aws_iam_policy.push_user_deny_policy"
    assert [(one.rule, one.address) for one in found if one.stack == order[1]] == [("foretold", policy)]
    assert found[-1].what == "may be changed in `policy`, which refers to `dev-network.nat_public_ips`"
    assert found[-1].digest is not None, "it can be acknowledged"
    other = files[0].text.replace('"54.214.0.1"', '"192.0.2.1"')
    changed = review([replace(files[0], text=other), files[1]], [], in_order=True).dangerous[-1]
    assert (changed.rule, changed.what) == ("foretold", found[-1].what)
    assert changed.digest != found[-1].digest, "an acknowledgement is of one change of the output"

    stale = ("stale-input", "data.terraform_remote_state.dev_network")
    assert stale in found_rules(review(files, []))
    assert stale in found_rules(review(files[::-1], [], in_order=True)), "the reader is applied first"


def test_what_is_foretold_through_local_values_is_said_for_a_stack_that_was_never_applied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    of = "data.terraform_remote_state.stack.outputs.addresses"
    expressions = {"input": {"constant_value": "${local.text}", "references": ["local.text"]}}
    resource = {"address": "terraform_data.it", "mode": "managed", "expressions": expressions}
    output = {"actions": ["update"], "before": ["192.0.2.1"], "after": ["192.0.2.2"]}
    (tmp_path / "stack.json").write_text(json.dumps(plan(output_changes={"addresses": output})))
    (tmp_path / "reader.json").write_text(json.dumps(plan(configuration={"root_module": {"resources": [resource]}})))
    made_from = tmp_path / "after" / "stacks" / "reader" / "cdk.tf.json"
    made_from.parent.mkdir(parents=True)
    made_from.write_text(json.dumps({"locals": {"text": f"${{{of}}}"}}))
    (tmp_path / "before").mkdir()
    options: dict[str, Any] = {"allow": [], "because": [], "acknowledged": None, "platform": "gitlab", "post_to": None}
    files = [str(tmp_path / "stack.json"), str(tmp_path / "reader.json")]
    assert run(files, **options, outputs=(tmp_path / "before", tmp_path / "after"), in_order=True) == 3
    assert (
        "`reader/terraform_data.it` may be changed in `input`, which refers to `stack.addresses`"
        in capsys.readouterr().out
    )


def test_an_input_stays_stale_where_it_decides_which_objects_there_are() -> None:
    of = "data.terraform_remote_state.stack.outputs.addresses"
    resource = {"address": "terraform_data.it", "mode": "managed", "for_each_expression": {"references": [of]}}
    output = {"actions": ["update"], "before": ["192.0.2.1"], "after": ["192.0.2.2"]}
    plans = (
        plan(output_changes={"addresses": output}),
        plan(configuration={"root_module": {"resources": [{**resource, "expressions": {"input": f"${{{of}}}"}}]}}),
    )
    files = [
        PlanFile(stack=name, where="p", text=json.dumps(one))
        for name, one in zip(("stack", "stack-1"), plans, strict=True)
    ]
    assert found_rules(review(files, [], in_order=True)) == {("stale-input", "data.terraform_remote_state.stack")}


def test_a_provider_is_upgraded_when_the_lock_files_have_different_versions() -> None:
    def rules(applied: str, planned: str) -> set[tuple[str, str]]:
        locks = tuple(f'provider "example/aws" {{\n  version = "{version}"\n}}\n' for version in (applied, planned))
        file = PlanFile(stack="stack", where="plan.json", text=json.dumps(plan()), locks=(locks[0], locks[1]))
        return found_rules(review([file], []))

    assert rules("5.100.0", "6.25.0") == {("provider-upgraded", "example/aws")}
    assert rules("5.100.0", "5.100.0") == set()


def _lock(*hashes: str, more: str = "") -> str:
    lines = "".join(f'    "{one}",\n' for one in hashes)
    return f'provider "example/aws" {{\n{more}  version = "5.1.0"\n  hashes = [\n{lines}  ]\n}}\n'


LOCKS = {
    # The lock files of the last apply and of the plan, and whether the review is to say something.
    "equal": (_lock("h1:a", "zh:b"), _lock("h1:a", "zh:b"), False),
    "fewer hashes": (_lock("h1:a", "zh:b"), _lock("h1:a"), False),
    "other constraints": (
        _lock("h1:a"),
        _lock("h1:a").replace("  hashes", '  constraints = ">= 5.0"\n  hashes'),
        False,
    ),
    "no hash is the same": (_lock("h1:a"), _lock("h1:b"), True),
    "a hash is added": (_lock("h1:a"), _lock("h1:a", "h1:b"), True),
    "a hash is added with an escape": (_lock("h1:a"), _lock("h1:a", "h1\\u003ab"), True),
    "no lock file of the last apply": ("", _lock("h1:a"), True),
    "no lock file of the plan": (_lock("h1:a"), "", True),
    "another provider": (_lock("h1:a"), _lock("h1:a") + _lock("h1:c").replace("aws", "other"), True),
    "an entry that is written otherwise": (_lock("h1:a"), _lock("h1:b", more="  # a comment\n"), True),
    "neither": ("", "", False),
}


@pytest.mark.parametrize("what", LOCKS)
def test_the_packages_of_a_provider_are_those_of_the_last_apply_where_there_was_one(what: str) -> None:
    applied, planned, is_found = LOCKS[what]
    resource = {"address": "terraform_data.it", "mode": "managed", "type": "terraform_data", "values": {}}
    state = {"values": {"root_module": {"resources": [resource]}}}
    file = PlanFile(stack="stack", where="p", text=json.dumps(plan(prior_state=state)), locks=(applied, planned))
    found = {rule for rule, _ in found_rules(review([file], []))}
    assert found == ({"provider-upgraded"} if is_found else set())


def test_a_first_apply_has_no_lock_file_to_compare() -> None:
    file = PlanFile(stack="stack", where="p", text=json.dumps(plan()), locks=("", _lock("h1:a")))
    assert found_rules(review([file], [])) == set()


def test_every_rule_has_a_case_and_a_reason() -> None:
    assert sorted(rule.id for rule in RULES) == sorted([*CASES, *_OF_OUTPUTS, *_OF_SEVERAL, "provider-upgraded"])
    assert all(rule.what.endswith(".") and rule.why.endswith(".") for rule in RULES)


@pytest.mark.slow
@pytest.mark.parametrize("deployment", ["backlog-only", "everything", "example"])
def test_every_type_of_the_example_deployments_is_classified(
    synthesised: Callable[[str], Stacks], deployment: str
) -> None:
    emitted = {kind for stack in synthesised(deployment).terraform.values() for kind in stack.json["resource"]}
    assert {kind for kind in emitted if not is_classified(kind)} == set(), (
        "classify it in ops/review/resource_types.toml"
    )


def test_irrelevant_types_are_in_no_other_table() -> None:
    others = {*ACCESS, *(kind for table in (LOSSES, SAFEGUARDS) for kinds in table.values() for kind in kinds)}
    assert others & set(IRRELEVANT) == set()
    assert all(len(reason) > 10 for reason in IRRELEVANT.values())


def test_finds_every_loss_when_an_object_is_destroyed_or_replaced() -> None:
    for rule, kinds in LOSSES.items():
        for kind in kinds:
            for actions in (["delete"], ["delete", "create"], ["create", "delete"]):
                found = reviewed(plan(change(f"{kind}.it", actions, {"id": "x"}, None)))
                assert (rule, f"{kind}.it") in found_rules(found)


def test_finds_every_safeguard_that_is_destroyed_and_none_that_is_replaced() -> None:
    for rule, kinds in SAFEGUARDS.items():
        for kind in kinds:
            gone = reviewed(plan(change(f"{kind}.it", "delete", {"id": "x"})))
            assert (rule, f"{kind}.it") in found_rules(gone)
            replaced = reviewed(plan(change(f"{kind}.it", ["create", "delete"], {"id": "x"}, {"id": "y"})))
            assert rule not in {finding.rule for finding in replaced.dangerous}


def test_a_deny_is_wider_when_it_exempts_more_addresses_and_not_when_fewer() -> None:
    def widened(was: list[str], now: list[str]) -> bool:
        before, after = (policy(deny(Condition=only_from(*networks))) for networks in (was, now))
        found = reviewed(plan(updated("aws_iam_policy", "policy", before, after)))
        return "policy-widened" in {finding.rule for finding in found.dangerous}

    assert widened(["192.0.2.0/28"], ["192.0.2.0/28", "198.51.100.7/32"])
    assert widened(["192.0.2.0/28"], ["192.0.2.0/24"])
    assert not widened(["192.0.2.0/28", "198.51.100.7/32"], ["192.0.2.0/28"])
    assert not widened(["192.0.2.0/24"], ["192.0.2.0/28"])


def test_a_policy_is_open_only_when_a_value_in_it_cannot_be_resolved() -> None:
    """Terraform calls both policies unknown, but the ARN of a named repository is known before it exists."""
    case = CASES["policy-open"]
    document, attached = case.found
    references = {"references": ["aws_codecommit_repository.it.arn"]}
    reads = {"address": document["address"], "expressions": {"statement": [{"resources": references}]}}
    resources = case.more["configuration"]["root_module"]["resources"]
    constants = {"region": {"constant_value": "ap-northeast-1"}, "allowed_account_ids": {"constant_value": ["2"]}}
    configuration = {
        "root_module": {"resources": [reads, *resources[1:]]},
        "provider_config": {"aws": {"expressions": constants}},
    }
    repository = change("aws_codecommit_repository.it", "create", None, {"repository_name": "batch"})
    resolved = reviewed(plan(document, attached, repository, configuration=configuration))
    assert "policy-open" not in {finding.rule for finding in resolved.notes}
    assert ("policy-widened", "aws_iam_policy.it") in found_rules(resolved)


def test_a_policy_that_is_not_understood_is_unknown_before_and_after_the_apply() -> None:
    odd = policy({**deny(), "Surprise": "?"})
    for before, after in ((odd, policy(deny())), (policy(deny()), odd)):
        found = reviewed(plan(updated("aws_iam_policy", "policy", before, after)))
        assert ("policy-unknown", "aws_iam_policy.it") in found_rules(found)


def test_a_released_address_is_not_taken_for_one_that_ends_like_it() -> None:
    released = change("aws_eip.it", "delete", {"public_ip": "1.2.3.4"})
    rules = {"other": "11.2.3.4/32", "same": "1.2.3.4/32"}
    kept = [
        change(f"aws_vpc_security_group_ingress_rule.{name}", "no-op", values, values)
        for name, values in {name: {"cidr_ipv4": network} for name, network in rules.items()}.items()
    ]
    (found,) = [one for one in reviewed(plan(released, *kept)).dangerous if one.rule == "address-lost"]
    assert "ingress_rule.same" in found.what
    assert "ingress_rule.other" not in found.what
