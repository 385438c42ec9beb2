"""What no plan shows is compared in the outputs of the last apply and of the plan."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.review import PlanFile, review
from ops.review.acknowledgements import Acknowledgement
from ops.review.outcome import Review
from ops.review.outputs import compared, of
from terraform.address_lists import apart, no_overlap, of_all_rooms
from terraform.output import Stack
from tests.ops.review.plans import PLANS, comment, real
from tests.terraform import Stacks
from tests.terraform.plans import change, made_from, plan, state_of

Json = dict[str, Any]
Change = Callable[[Json], object]

CONDITION = {"condition": "${length(var.pull) > 0}", "error_message": "Name one."}
OTHER = {"condition": "${true}", "error_message": "Name one."}
OF_ROOMS = {"condition": no_overlap("var.push", [of_all_rooms()])}
APPLIED: Json = {
    "terraform": {
        "backend": {"s3": {"bucket": "ours", "key": "a.tfstate", "encrypt": True}},
        "required_version": ">= 1.10.0",
        "required_providers": {"aws": {"source": "hashicorp/aws", "version": ">= 5.100.0, < 7.0.0"}},
    },
    "provider": {
        "aws": [
            {"region": "ap-northeast-1", "allowed_account_ids": ["222222222222"], "default_tags": [{"tags": {}}]},
            {"alias": "other", "region": "us-east-1", "allowed_account_ids": ["222222222222"]},
        ]
    },
    "data": {
        "terraform_remote_state": {"network": {"backend": "s3", "config": {"bucket": "ours", "key": "b.tfstate"}}},
        "aws_eip": {"it": {"id": "x", "lifecycle": {"postcondition": [CONDITION]}}},
    },
    "resource": {
        "aws_ebs_volume": {"it": {"lifecycle": {"prevent_destroy": True}}},
        "aws_instance": {
            "it": {"lifecycle": {"create_before_destroy": True, "ignore_changes": ["ami"], "precondition": [CONDITION]}}
        },
        "aws_eip": {
            "it": {
                "lifecycle": {
                    "replace_triggered_by": ["terraform_data.it", "terraform_data.other"],
                    "precondition": [{"condition": no_overlap("var.push", ["var.a", "var.b"])}, OF_ROOMS],
                }
            }
        },
    },
    "variable": {
        "pull": {
            "type": "list(string)",
            "nullable": False,
            "sensitive": True,
            "ephemeral": True,
            "validation": [CONDITION, {"condition": f"${{{apart('pull', ['192.0.2.0/28'])}}}"}],
        }
    },
    "output": {"it": {"value": 1, "sensitive": True, "precondition": CONDITION}},
    "check": {"it": {"assert": [CONDITION]}},
    "locals": {"room_cidrs": {"a": "${var.a}", "b": "${local.night}"}, "night": "${var.b}", "other": 1},
}
ROOMS = "local.room_cidrs"
VOLUME, SERVER, PULL = "aws_ebs_volume.it", "aws_instance.it", "var.pull"


def _reviewed(
    changed: Change, *changes: Json, applied: Json = APPLIED, acknowledged: tuple[Acknowledgement, ...] = ()
) -> Review:
    planned = copy.deepcopy(applied)
    changed(planned)
    outputs = (Stack(name="stack", document=applied), Stack(name="stack", document=planned))
    text = json.dumps(plan(*changes, configuration=made_from(planned), prior_state=state_of(applied)))
    return review([PlanFile(stack="stack", where="plan.json", text=text, outputs=outputs)], acknowledged)


def lifecycle(kind: str, **arguments: object) -> Change:
    return lambda terraform: terraform["resource"][kind]["it"]["lifecycle"].update(arguments)


def variable(**arguments: object) -> Change:
    return lambda terraform: terraform["variable"]["pull"].update(arguments)


def rooms(**networks: str) -> Change:
    return lambda terraform: terraform["locals"]["room_cidrs"].update(networks)


def removed(*path: str) -> Change:
    def change(terraform: Json) -> None:
        for step in path[:-1]:
            terraform = terraform[step]
        del terraform[path[-1]]

    return change


def backend(**arguments: object) -> Change:
    return lambda terraform: terraform["terraform"]["backend"]["s3"].update(arguments)


def required(**arguments: object) -> Change:
    return lambda terraform: terraform["terraform"]["required_providers"]["aws"].update(arguments)


def provider(number: int = 0, **arguments: object) -> Change:
    return lambda terraform: terraform["provider"]["aws"][number].update(arguments)


SETTINGS = "provider-settings"
AWS, OTHER_AWS = "provider.aws", "provider.aws.other"

DANGEROUS: dict[str, tuple[Change, str, str]] = {
    "a volume may be destroyed": (lifecycle("aws_ebs_volume", prevent_destroy=False), "guard-lifted", VOLUME),
    "a lifecycle is gone": (removed("resource", "aws_ebs_volume", "it", "lifecycle"), "guard-lifted", VOLUME),
    "a protected resource has another address": (
        lambda terraform: terraform["resource"].update(aws_ebs_volume={"other": {}}),
        "guard-lifted",
        VOLUME,
    ),
    "more is ignored": (lifecycle("aws_instance", ignore_changes=["ami", "tags"]), "guard-lifted", SERVER),
    "all is ignored": (lifecycle("aws_instance", ignore_changes="all"), "guard-lifted", SERVER),
    "another argument is ignored": (lifecycle("aws_instance", ignore_changes=["tags"]), "guard-lifted", SERVER),
    "what was watched is ignored": (lifecycle("aws_ebs_volume", ignore_changes=["size"]), "guard-lifted", VOLUME),
    "destroyed first": (lifecycle("aws_instance", create_before_destroy=False), "guard-lifted", SERVER),
    "no precondition": (lifecycle("aws_instance", precondition=[]), "guard-lifted", SERVER),
    "another precondition": (lifecycle("aws_instance", precondition=[OTHER]), "guard-lifted", SERVER),
    "no postcondition": (removed("data", "aws_eip", "it", "lifecycle"), "guard-lifted", "data.aws_eip.it"),
    "fewer triggers": (lifecycle("aws_eip", replace_triggered_by=["terraform_data.it"]), "guard-lifted", "aws_eip.it"),
    "no validation": (variable(validation=[]), "guard-lifted", PULL),
    "one validation of two": (variable(validation=[CONDITION]), "guard-lifted", PULL),
    "another validation": (variable(validation=[OTHER]), "guard-lifted", PULL),
    "kept apart from other networks": (
        variable(validation=[CONDITION, {"condition": f"${{{apart('pull', ['192.0.2.0/29'])}}}"}]),
        "guard-lifted",
        PULL,
    ),
    "an overlap with another list": (
        lifecycle("aws_eip", precondition=[{"condition": no_overlap("var.push", ["var.a", "var.c"])}, OF_ROOMS]),
        "guard-lifted",
        "aws_eip.it",
    ),
    "an overlap of another list": (
        lifecycle("aws_eip", precondition=[{"condition": no_overlap("var.pull", ["var.a", "var.b"])}, OF_ROOMS]),
        "guard-lifted",
        "aws_eip.it",
    ),
    "a room that is no longer kept apart": (removed("locals", "room_cidrs", "a"), "guard-lifted", ROOMS),
    "a room of other addresses": (rooms(a="${var.c}"), "guard-lifted", ROOMS),
    "a local value that rooms refer to": (
        lambda terraform: terraform["locals"].update(night="${var.c}"),
        "guard-lifted",
        "local.night",
    ),
    "any type": (variable(type="any"), "guard-lifted", PULL),
    "null": (removed("variable", "pull", "nullable"), "guard-lifted", PULL),
    "no longer hidden": (variable(sensitive=False), "guard-lifted", PULL),
    "kept in the state": (removed("variable", "pull", "ephemeral"), "guard-lifted", PULL),
    "an output that shows a secret": (removed("output", "it", "sensitive"), "guard-lifted", "output.it"),
    "an output without its precondition": (removed("output", "it", "precondition"), "guard-lifted", "output.it"),
    "no check": (removed("check"), "guard-lifted", "check.it"),
    "no assertion": (removed("check", "it", "assert"), "guard-lifted", "check.it"),
    "another bucket": (backend(bucket="theirs"), "state-elsewhere", "terraform.backend"),
    "another key of KMS": (backend(kms_key_id="x"), "state-elsewhere", "terraform.backend"),
    "a state without encryption": (backend(encrypt=False), "state-elsewhere", "terraform.backend"),
    "a state in a file": (removed("terraform", "backend"), "state-elsewhere", "terraform.backend"),
    "another stack's state": (
        lambda terraform: terraform["data"]["terraform_remote_state"]["network"]["config"].update(key="c"),
        "state-elsewhere",
        "data.terraform_remote_state.network",
    ),
    "the state that a stranger writes": (
        lambda terraform: terraform["data"]["terraform_remote_state"].update(
            other={"backend": "s3", "config": {"bucket": "theirs", "key": "b.tfstate"}}
        ),
        "state-elsewhere",
        "data.terraform_remote_state.other",
    ),
    "another state under another name": (
        lambda terraform: terraform["data"].update(
            terraform_remote_state={"other": {"backend": "s3", "config": {"bucket": "other", "key": "b.tfstate"}}}
        ),
        "state-elsewhere",
        "data.terraform_remote_state.other",
    ),
    "a provider in any account": (
        lambda terraform: terraform["provider"]["aws"][0].pop("allowed_account_ids"),
        SETTINGS,
        AWS,
    ),
    "a provider in one account more": (
        provider(allowed_account_ids=["222222222222", "999999999999"]),
        SETTINGS,
        AWS,
    ),
    "another server for STS": (provider(endpoints=[{"sts": "https://example.org"}]), SETTINGS, AWS),
    "a proxy": (provider(http_proxy="http://192.0.2.1:3128"), SETTINGS, AWS),
    "a proxy of an alias": (provider(1, http_proxy="http://192.0.2.1:3128"), SETTINGS, OTHER_AWS),
    "any certificate": (provider(insecure=True), SETTINGS, AWS),
    "a foreign role": (provider(assume_role=[{"role_arn": "arn:aws:iam::999999999999:role/x"}]), SETTINGS, AWS),
    "another region of an alias": (provider(1, region="us-east-2"), SETTINGS, OTHER_AWS),
    "no alias": (lambda terraform: terraform["provider"]["aws"].pop(), SETTINGS, OTHER_AWS),
    "another provider": (
        lambda terraform: terraform["provider"].update(tls={"proxy": {"url": "x"}}),
        SETTINGS,
        "provider.tls",
    ),
    "any Terraform": (removed("terraform", "required_version"), SETTINGS, "terraform"),
    "an older Terraform": (
        lambda terraform: terraform["terraform"].update(required_version=">= 1.9"),
        SETTINGS,
        "terraform",
    ),
    "an experiment": (lambda terraform: terraform["terraform"].update(experiments=["x"]), SETTINGS, "terraform"),
    "an older provider": (required(version=">= 1"), SETTINGS, "terraform.required_providers.aws"),
    "a newer provider": (required(version=">= 6, < 8"), SETTINGS, "terraform.required_providers.aws"),
    "another publisher": (required(source="example/aws"), SETTINGS, "terraform.required_providers.aws"),
}


_ALIKE = {"a volume may be destroyed", "a lifecycle is gone"}
"""Changes that leave the same Terraform in other words."""


@pytest.mark.parametrize("name", DANGEROUS)
def test_a_lifted_guard_is_dangerous_though_no_plan_shows_it(name: str) -> None:
    changed, rule, address = DANGEROUS[name]
    found = _reviewed(changed)
    assert {(finding.rule, finding.address) for finding in found.dangerous} == {(rule, address)}


@pytest.mark.slow
@pytest.mark.parametrize("name", DANGEROUS)
def test_a_lifted_guard_can_be_acknowledged_and_another_one_not_with_it(name: str) -> None:
    changed, _, _ = DANGEROUS[name]
    accepted = tuple(
        Acknowledgement(allowed=finding.allowed_as, because="we want that", where="here")
        for finding in _reviewed(changed).dangerous
    )
    assert not _reviewed(changed, acknowledged=accepted).fails
    others = DANGEROUS.keys() - ({name} | (_ALIKE if name in _ALIKE else set()))
    assert all(_reviewed(DANGEROUS[other][0], acknowledged=accepted).fails for other in others)


def _wider(terraform: Json) -> None:
    condition = f"${{{apart('pull', ['192.0.2.0/28', '198.51.100.0/28'])}}}"
    terraform["variable"]["pull"]["validation"][1] = {"condition": condition}


@pytest.mark.parametrize(
    ("changed", "noted"),
    [
        (lambda _: None, set()),
        (lifecycle("aws_ebs_volume", create_before_destroy=True), {VOLUME}),
        (lifecycle("aws_instance", ignore_changes=[]), {SERVER}),
        (lifecycle("aws_instance", precondition=[CONDITION, OTHER]), {SERVER}),
        (lifecycle("aws_instance", precondition=[{**CONDITION, "error_message": "Other words."}]), set()),
        (required(version=">= 6.0.0, < 7.0.0"), {"terraform.required_providers.aws"}),
        (required(version="< 6.1, != 5.101.0,>= 5.100.0"), {"terraform.required_providers.aws"}),
        (lambda terraform: terraform["terraform"].update(required_version=">= 1.11"), {"terraform"}),
        (provider(default_tags=[{"tags": {"cost-center": "1"}}]), set()),
        (provider(profile=None), set()),
        (variable(default=["192.0.2.7/32"], description="x"), set()),
        (_wider, {PULL}),
        (removed("variable"), set()),
        (rooms(c="${var.c}"), {ROOMS}),
        (lambda terraform: terraform["locals"].update(other=2), set()),
        (
            lifecycle(
                "aws_eip",
                precondition=[{"condition": no_overlap("var.push", ["var.a", "var.c", "var.b"])}, OF_ROOMS],
            ),
            {"aws_eip.it"},
        ),
        (lambda terraform: terraform["resource"].update(aws_sns_topic={"it": {"lifecycle": {}}}), set()),
    ],
)
def test_more_guards_are_worth_checking_and_not_dangerous(changed: Change, noted: set[str]) -> None:
    found = _reviewed(changed)
    assert not found.dangerous
    assert {finding.address for finding in found.notes} == noted


def test_two_outputs_of_one_deployment_have_the_same_guards(synthesised: Callable[[str], Stacks]) -> None:
    for terraform in synthesised("everything").terraform.values():
        found = _reviewed(lambda _: None, applied=dict(terraform.json))
        assert not (*found.dangerous, *found.notes)


@pytest.mark.parametrize("stack", ["backlog-bridge", "dev-gitlab", "dev-network", "dev-proxy", "prd-codecommit"])
def test_every_guard_of_a_deployment_is_missed_when_it_is_gone(
    synthesised: Callable[[str], Stacks], stack: str
) -> None:
    applied = dict(synthesised("everything").terraform[stack].json)
    expected = {f"var.{name}" for name in applied["variable"]}
    expected |= {
        f"{kind}.{name}"
        for kind, named in applied["resource"].items()
        for name, resource in named.items()
        if resource.get("lifecycle")
    }
    # Nothing compares them any more.
    expected |= {f"local.{name}" for name in ("room_cidrs", "room_endpoints") if name in applied.get("locals", {})}

    def change(terraform: Json) -> None:
        for block in terraform["variable"].values():
            block.pop("validation", None), block.update(nullable=True)
        for named in terraform["resource"].values():
            for resource in named.values():
                if "lifecycle" in resource:
                    resource["lifecycle"] = {"ignore_changes": "all"}

    found = {finding.address for finding in _reviewed(change, applied=applied).dangerous}
    assert found == expected


def test_a_protected_object_that_the_plan_destroys_is_found_in_the_plan_alone() -> None:
    found = _reviewed(removed("resource", "aws_ebs_volume"), change(VOLUME, "delete", {"id": "vol-1"}))
    assert {(finding.rule, finding.address) for finding in found.dangerous} == {("volume-lost", VOLUME)}


def test_the_comment_says_that_nothing_was_compared() -> None:
    file = PlanFile(stack="network", where="plan.json", text=json.dumps(plan()))
    assert "Not compared: the guards of `network` that no plan shows" in comment(review([file], []))
    assert "Not compared" not in comment(_reviewed(lambda _: None))


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    def write(folder: str, terraform: object = APPLIED) -> Path:
        file = tmp_path / folder / "stacks" / "stack" / "cdk.tf.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(terraform))
        return tmp_path / folder

    return write


def test_reads_a_stack_that_is_in_both_folders(written: Callable[..., Path], tmp_path: Path) -> None:
    before, after = written("before"), written("after")
    read = of("stack", compared((before, after)))
    assert read is not None
    assert [stack.document for stack in read] == [APPLIED, APPLIED]
    assert of("other", (before, after)) is None
    assert of("stack", (tmp_path, after)) is None
    assert of("stack", ()) is None


def test_refuses_what_is_no_folder_and_terraform_that_cannot_be_read(
    written: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(RefusedError) as refused:
        compared((tmp_path / "nowhere", tmp_path))
    assert str(refused.value) == (
        f"error: --outputs: '{tmp_path / 'nowhere'}' is not a folder\n"
        "hint: name a folder such as cdktf.out, which has stacks/STACK/cdk.tf.json"
    )
    odd = written("odd", {"data": {"terraform_remote_state": {"it": {}}}})
    with pytest.raises(RefusedError) as refused:
        of("stack", (odd, odd))
    assert f"error: {odd / 'stacks' / 'stack' / 'cdk.tf.json'}: cannot be read" in str(refused.value)


def _of(*path: str, **arguments: object) -> Change:
    def change(terraform: Json) -> None:
        for step in path:
            terraform = terraform[step]
        for block in terraform if isinstance(terraform, list) else [terraform]:
            block.update(arguments)

    return change


def _not_compared(found: Review) -> list[str]:
    return [finding.what for finding in found.dangerous if finding.rule == "not-compared"]


ELSEWHERE: Json = json.loads((PLANS.parent / "elsewhere.tf.json").read_text())
"""What the real Terraform has made the plans of the stack `elsewhere` from."""


def _planned_elsewhere(after: Json, before: Json = ELSEWHERE) -> Review:
    [file] = [file for file in real("elsewhere-opened") if file.stack == "elsewhere"]
    outputs = (Stack(name="elsewhere", document=before), Stack(name="elsewhere", document=after))
    return review([replace(file, outputs=outputs)], [])


def test_the_output_that_a_real_plan_was_made_from_is_compared() -> None:
    found = _planned_elsewhere(ELSEWHERE)
    assert _not_compared(found) == []
    assert "Not compared" not in comment(found)


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        (_of("resource", "aws_ebs_volume", "data", size=7), "aws_ebs_volume.data"),
        (_of("provider", "aws", allowed_account_ids=["333333333333"]), "provider.aws"),
        (_of("provider", "aws", region="us-east-1"), "provider.aws"),
        (_of("resource", aws_sns_topic={"other": {}}), "aws_sns_topic.other"),
        (removed("resource", "aws_ebs_volume", "data"), "aws_ebs_volume.data"),
        (_of("module", "inner", name="x"), "module.inner"),
        (_of("variable", "volume_zone", default="x"), "var.volume_zone"),
        (_of("output", other={"value": "x"}), "output.other"),
    ],
)
def test_an_output_that_the_plan_was_not_made_from_is_dangerous_and_not_compared(changed: Change, differs: str) -> None:
    other = copy.deepcopy(ELSEWHERE)
    changed(other)
    for named in other["resource"].values():
        for resource in named.values():
            resource.pop("lifecycle", None)
    found = _planned_elsewhere(other)
    assert _not_compared(found) == [f"AFTER is not what this plan was made from: `{differs}` differ"]
    assert "guard-lifted" not in {finding.rule for finding in found.dangerous}
    assert "Not compared: the guards of `elsewhere`" in comment(found)


def test_a_plan_without_its_configuration_is_compared_with_nothing() -> None:
    outputs = (Stack(name="stack", document=APPLIED), Stack(name="stack", document=APPLIED))
    text = json.dumps(plan(prior_state=state_of(APPLIED)))
    [what] = _not_compared(review([PlanFile(stack="stack", where="plan.json", text=text, outputs=outputs)], []))
    assert what.startswith("AFTER is not what this plan was made from")


def _stated(before: Json, *changes: Json, state: Json = APPLIED, **more: object) -> list[str]:
    outputs = (Stack(name="stack", document=before), Stack(name="stack", document=APPLIED))
    text = json.dumps(plan(*changes, configuration=made_from(APPLIED), prior_state=state_of(state), **more))
    return _not_compared(review([PlanFile(stack="stack", where="plan.json", text=text, outputs=outputs)], []))


def test_an_output_that_was_not_applied_last_is_dangerous() -> None:
    without = copy.deepcopy(APPLIED)
    del without["resource"]["aws_ebs_volume"]
    what = "BEFORE is not what was applied last: it {} `aws_ebs_volume.it`, which the state {}"
    assert _stated(without) == [what.format("lacks", "has")]
    assert _stated(APPLIED, change(VOLUME, "create", None, {}), state=without) == [what.format("has", "lacks")]


@pytest.mark.parametrize(("lacks_output", "found"), [(True, ["--outputs"]), (False, [])])
def test_a_stack_with_objects_that_lacks_an_output_that_was_asked_for_is_dangerous(
    lacks_output: bool, found: list[str]
) -> None:
    text = json.dumps(plan(configuration=made_from(APPLIED), prior_state=state_of(APPLIED)))
    file = PlanFile(stack="stack", where="plan.json", text=text, lacks_output=lacks_output)
    assert [one.address for one in review([file], []).dangerous if one.rule == "not-compared"] == found


def test_what_was_imported_moved_or_destroyed_outside_terraform_is_no_other_output() -> None:
    without = copy.deepcopy(APPLIED)
    moved = without["resource"].pop("aws_ebs_volume")["it"]
    assert _stated(without, change(VOLUME, "no-op", {}, {}, importing={"id": "vol-1"})) == []
    without["resource"]["aws_ebs_volume"] = {"old": moved}
    assert _stated(without, change(VOLUME, "no-op", {}, {}, previous_address="aws_ebs_volume.old")) == []
    del without["resource"]["aws_ebs_volume"]
    drift = [change(VOLUME, "delete", {}, None)]
    assert _stated(APPLIED, change(VOLUME, "create", None, {}), state=without, resource_drift=drift) == []
