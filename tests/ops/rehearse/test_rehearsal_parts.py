"""How a rehearsal reads stacks, chooses changes and sets up Terraform, without running anything."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from errors import RefusedError
from ops.rehearse import variation
from ops.rehearse.command import rehearse
from ops.rehearse.environment import environment, write_profiles
from ops.rehearse.prerequisites import Prerequisites
from ops.rehearse.stacks import RehearsalStack, StateBucket, read
from ops.rehearse.workspace import ResourceCounter
from terraform.facts import AddressList, Fact, LogRetention, Retention, to_metadata
from tests.ops.rehearse import sample_deployment
from tests.ops.rehearse.sample_deployment import DEV, HANDOVER, REGION

PREREQUISITES = Prerequisites(region=REGION)


def stack(**document: Any) -> RehearsalStack:
    provider = {"aws": [{"region": REGION, "allowed_account_ids": [DEV], **document.pop("provider", {})}]}
    return RehearsalStack(name="a", document={"provider": provider, **document})


def recorded(defaults: dict[str, object], *facts: Fact) -> RehearsalStack:
    """A stack with variables of these defaults, and facts about them."""
    variables = {
        name: {"type": "number" if isinstance(default, int) else "list(string)", "default": default}
        for name, default in defaults.items()
    }
    return stack(variable=variables, **{"//": {"metadata": {"kakehashi": to_metadata(facts)}}})


def reported(planned: list[tuple[str, str]], done: list[tuple[str, str]]) -> list[str]:
    """What is shown while Terraform reports these addresses with these actions."""
    lines: list[dict[str, Any]] = [
        *(
            {"type": "planned_change", "change": {"action": action, "resource": {"addr": address}}}
            for address, action in planned
            if action != "read"
        ),
        {"type": "change_summary", "changes": {"operation": "plan", "add": 1, "change": 0, "remove": 0}},
        *(
            {"type": "apply_complete", "hook": {"action": action, "resource": {"addr": address}}}
            for address, action in done
        ),
        {"type": "change_summary", "changes": {"operation": "apply", "add": 1, "change": 0, "remove": 0}},
    ]
    texts: list[str] = []
    count = ResourceCounter(texts.append)
    for line in lines:
        count(json.dumps({"@message": "for people", **line}))
    return texts


def never_seen(marks: list[str | int]) -> list[int]:
    return [0] * len(marks)


def test_refuses_a_stack_without_exactly_one_account(tmp_path: Path) -> None:
    out = sample_deployment.write(tmp_path / "out", provider={"allowed_account_ids": []})
    with pytest.raises(RefusedError) as caught:
        read(out)
    assert str(caught.value) == (
        "error: dev: its provider does not name one account (allowed_account_ids)\n"
        "hint: name the account that is meant: a rehearsal emulates that one"
    )


def test_reads_the_location_of_the_state(tmp_path: Path) -> None:
    _, prd = read(sample_deployment.write(tmp_path / "local"))
    assert prd.buckets == set()
    assert prd.state_files == {
        "../../../terraform-state/sample/dev.tfstate",
        "../../../terraform-state/sample/prd.tfstate",
    }
    _, prd = read(sample_deployment.write(tmp_path / "s3", bucket="states"))
    assert prd.buckets == {StateBucket(name="states", region=REGION)}
    assert prd.state_objects == {"states/sample/dev.tfstate", "states/sample/prd.tfstate"}
    assert prd.state_files == set()


def test_unlocking_changes_prevent_destroy_and_nothing_else(tmp_path: Path) -> None:
    _, prd = read(sample_deployment.write(tmp_path / "out"))
    assert prd.protected == ["aws_codecommit_repository.app"]
    text = json.dumps(prd.document)
    assert json.dumps(prd.without_protection()) == text.replace('"prevent_destroy": true', '"prevent_destroy": false')
    assert json.dumps(prd.document) == text


def test_refuses_a_folder_without_synthesised_stacks(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        rehearse(tmp_path, PREREQUISITES, handover=HANDOVER)
    assert str(caught.value) == (
        f"error: {tmp_path}: has no manifest.json\nhint: name the folder that `python main.py` or `cdktf synth` wrote"
    )


def test_refuses_to_start_without_terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RefusedError) as caught:
        rehearse(sample_deployment.write(tmp_path / "out"), PREREQUISITES, handover=HANDOVER)
    assert str(caught.value) == (
        "error: terraform: is not on PATH\n"
        "hint: install Terraform 1.10 or later: https://developer.hashicorp.com/terraform/install"
    )


@pytest.mark.slow
def test_refuses_state_that_a_copy_would_share(tmp_path: Path) -> None:
    out = sample_deployment.write(tmp_path / "out")
    file = out / "stacks/dev/cdk.tf.json"
    file.write_text(file.read_text().replace("../../../terraform-state/sample/dev", "/srv/state/dev"))
    with pytest.raises(RefusedError, match=r"dev: its state is at /srv/state/dev\.tfstate, outside the folder"):
        rehearse(out, PREREQUISITES, handover=HANDOVER, messages=Console(quiet=True))


def test_no_aws_or_terraform_setting_of_the_user_reaches_terraform(tmp_path: Path) -> None:
    users = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_SESSION_TOKEN": "real",
        "AWS_PROFILE": "real",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://real",
        "AWS_ENDPOINT_URL_S3": "https://real",
        "TF_VAR_push_cidrs": "[]",
        "TF_CLI_ARGS_apply": "-target=x",
        "TF_WORKSPACE": "real",
        "TF_CLI_CONFIG_FILE": "/home/me/.terraformrc",
        "MOTO_ACCOUNT_ID": "1",
    }
    env = environment(
        stack(), endpoint="http://127.0.0.1:1", aws_folder=tmp_path, plugin_cache=tmp_path / "p", inherited=users
    )
    assert {key: value for key, value in env.items() if key.startswith("AWS_")} == {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": DEV,
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }
    assert {key for key in env if key.startswith(("TF_", "MOTO_"))} == {
        "TF_CLI_CONFIG_FILE",
        "TF_IN_AUTOMATION",
        "TF_INPUT",
        "TF_PLUGIN_CACHE_DIR",
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE",
    }
    assert env["TF_CLI_CONFIG_FILE"] == "/home/me/.terraformrc"
    assert (env["PATH"], env["HOME"]) == ("/bin", "/home/me")


def test_a_stack_that_assumes_a_role_starts_from_another_account(tmp_path: Path) -> None:
    assuming = stack(provider={"assume_role": [{"role_arn": f"arn:aws:iam::{DEV}:role/deploy"}]})
    env = environment(assuming, endpoint="", aws_folder=tmp_path, plugin_cache=tmp_path, inherited={})
    assert env["AWS_ACCESS_KEY_ID"] == "000000000000"


def test_only_the_profiles_that_a_stack_names_are_defined(tmp_path: Path) -> None:
    write_profiles(stack(), tmp_path)
    assert (tmp_path / "config").read_text() == ""
    assert (tmp_path / "credentials").read_text() == ""
    write_profiles(stack(provider={"profile": "people"}), tmp_path)
    assert (tmp_path / "config").read_text() == f"[profile people]\nregion = {REGION}\n"
    assert (tmp_path / "credentials").read_text() == (
        f"[people]\naws_access_key_id = {DEV}\naws_secret_access_key = rehearsal\n"
    )


@pytest.mark.parametrize(
    ("fact", "default", "after"),
    [
        (LogRetention(variable="x"), 30, 1),
        (LogRetention(variable="x"), 1, 3),
        (Retention(variable="x", low=1, high=1000), 7, 8),
        (Retention(variable="x", low=1, high=10), 10, 9),
        (AddressList(variable="x", use="push user"), ["198.51.100.7/32"], ["198.51.100.7/32", "203.0.113.1/32"]),
        (AddressList(variable="x", use="push user"), ["203.0.113.1/32"], ["203.0.113.1/32", "203.0.113.2/32"]),
        (AddressList(variable="x", use="push user"), ["203.0.113.0/24"], ["203.0.113.0/24", "198.51.100.1/32"]),
    ],
)
def test_chooses_another_allowed_value(fact: Fact, default: object, after: object) -> None:
    (chosen,) = variation.choose(recorded({"x": default}, fact), never_seen)
    assert (chosen.variable, chosen.after) == ("x", after)


@pytest.mark.parametrize("low", [1, 5])
def test_chooses_no_retention_outside_its_bounds(low: int) -> None:
    offered: list[str | int] = []

    def counts(marks: list[str | int]) -> list[int]:
        offered.extend(marks)
        return never_seen(marks)

    variation.choose(recorded({"x": 6}, Retention(variable="x", low=low, high=8)), counts)
    assert offered == [7, 8, *range(5, max(low, 2) - 1, -1)]


def test_offers_every_retention_that_cloudwatch_accepts() -> None:
    offered: list[str | int] = []

    def counts(marks: list[str | int]) -> list[int]:
        offered.extend(marks)
        return never_seen(marks)

    variation.choose(recorded({"x": 30}, LogRetention(variable="x")), counts)
    assert {3288, 3653} <= set(offered)


def test_chooses_the_value_that_is_rarest_in_the_account() -> None:
    (chosen,) = variation.choose(
        recorded({"days": 30}, LogRetention(variable="days")), lambda marks: [int(mark != 60) for mark in marks]
    )
    assert str(chosen) == "days 30 → 60"


def test_changes_one_retention_and_one_address_list_of_a_stack() -> None:
    given = recorded(
        {"cache": 30, "logs": 30, "pull": [], "push": [], "log_retention_days": 30},
        Retention(variable="cache", low=1, high=3650),
        LogRetention(variable="logs"),
        AddressList(variable="push", use="push user"),
        AddressList(variable="pull", use="room"),
    )
    assert [one.variable for one in variation.choose(given, never_seen)] == ["logs", "pull"]


def test_adds_no_address_that_another_list_of_the_deployment_contains() -> None:
    room = recorded({"pull": ["198.51.100.7/32"]}, AddressList(variable="pull", use="room"))
    terminals = recorded({"terminals": ["203.0.113.0/25"]}, AddressList(variable="terminals", use="work terminals"))
    (chosen,) = variation.choose(room, never_seen, listed=variation.listed_networks([room, terminals]))
    assert chosen.mark == "203.0.113.128/32"


def test_changes_no_variable_without_a_fact() -> None:
    assert variation.choose(recorded({"log_retention_days": 30, "push_cidrs": []}), never_seen) == []


def test_only_resources_that_are_created_changed_or_deleted_are_counted() -> None:
    made = [("a.created", "create"), ("a.updated", "update"), ("a.deleted", "delete")]
    assert reported([("data.a.b", "read"), *made], [("data.a.b", "read"), *made]) == [
        f"{done} of 3 resources" for done in range(4)
    ]


def test_resources_are_counted_as_a_synthesis_counts_them_whatever_their_instances() -> None:
    steps = [('a.many["x/y"]', "create"), ("a.many[0]", "create"), ("a.one", "create")]
    assert reported(steps, steps) == [f"{done} of 2 resources" for done in (0, 0, 1, 2)]


def test_a_replaced_resource_is_finished_when_it_is_deleted_and_created() -> None:
    steps = [("a.one", "delete"), ("a.one", "create")]
    assert reported([("a.one", "replace")], steps) == [f"{done} of 1 resource" for done in (0, 0, 1)]
