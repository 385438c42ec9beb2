"""The record of approved plans, and what is refused as one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.cli import run
from ops.pipelines.approval import digest as digest_of
from tests.terraform.plans import change, plan

AGAIN = "hint: run the pipeline again for this commit, and approve what it shows"
HEAD = "1f2e3d"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's folder, with the output and the plans of two stacks."""
    monkeypatch.chdir(tmp_path)
    entries = {}
    for name in ("network", "users"):
        stack = tmp_path / "cdktf.out" / "stacks" / name
        stack.mkdir(parents=True)
        (stack / "cdk.tf.json").write_text("{}")
        entries[name] = {"workingDirectory": f"stacks/{name}", "synthesizedStackPath": f"stacks/{name}/cdk.tf.json"}
    (tmp_path / "cdktf.out" / "manifest.json").write_text(json.dumps({"stacks": entries}))
    for name in entries:
        _write(tmp_path, name, plan())
    return tmp_path


def _write(folder: Path, stack: str, content: Any, *, lock: str = "", state: str = "") -> None:
    (folder / f"{stack}.json").write_text(json.dumps(content))
    for ending, text in (("lock.hcl", lock), ("tfstate", state)):
        (folder / f"{stack}.{ending}").write_text(text)


def _nothing(*_: Any) -> None: ...


def _record(*plans: str) -> int:
    return run(["approval", "record", "--commit", HEAD, "--to", "approval.json", *plans], _nothing)


@pytest.fixture
def digest(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The digest of the record of both plans, in the folder."""
    assert folder.is_dir()
    assert _record("network.json", "users.json") == 0
    return capsys.readouterr().out.strip()


def _compare(digest: str, *plans: str, commit: str = HEAD) -> int:
    options = ["--digest", digest, "--commit", commit]
    return run(["approval", "compare", "approval.json", *plans, *options], _nothing)


def test_plans_that_are_equal_pass_and_others_are_shown(
    folder: Path, digest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _compare(digest, "network.json") == 0
    _write(folder, "users", plan(change("x.y", "create", None, {"a": "b"})))
    with pytest.raises(RefusedError) as refused:
        _compare(digest, "users.json")
    assert refused.value.status == 3
    assert str(refused.value) == (f"error: approval.json: this plan does more or less than what was approved\n{AGAIN}")
    assert capsys.readouterr().out.startswith("users: x.y: approved nothing, now {")


def test_another_provider_is_a_difference_and_a_comment_in_the_lock_file_is_none(folder: Path) -> None:
    _write(folder, "network", plan(), lock='# by init\nprovider "a" {\n  hashes = ["1"]\n}\n')
    assert _record("network.json", "users.json") == 0
    approved = digest_of((folder / "approval.json").read_text())
    _write(folder, "network", plan(), lock='# by hand\n\nprovider "a" {\n  hashes = ["1"]\n}\n')
    assert _compare(approved, "network.json") == 0
    for lock in ('provider "a" {\n  hashes = ["2"]\n}\n', ""):
        _write(folder, "network", plan(), lock=lock)
        with pytest.raises(RefusedError) as refused:
            _compare(approved, "network.json")
        assert refused.value.status == 3


def test_a_foretold_output_has_the_value_that_the_plan_of_its_stack_says(folder: Path) -> None:
    def reads(address: Any, reference: str = "data.terraform_remote_state.network.outputs.address") -> Any:
        state = {"address": "data.terraform_remote_state.network", "mode": "data", "values": {"outputs": address}}
        resource = {"address": "x.y", "expressions": {"a": {"constant_value": f"${{{reference}}}"}}}
        configuration = {"root_module": {"resources": [resource]}}
        prior = {"values": {"root_module": {"resources": [state]}}}
        return plan(configuration=configuration, prior_state=prior)

    def compared(*, unknown: bool, now: Any) -> int:
        changed = {"actions": ["update"], "before": "old", "after_unknown": unknown}
        changed |= {} if unknown else {"after": "192.0.2.9"}
        _write(folder, "network", plan(output_changes={"address": changed}))
        _write(folder, "users", reads({"address": "old"}))
        assert _record("network.json", "users.json") == 0
        _write(folder, "users", reads(now))
        try:
            return _compare(digest_of((folder / "approval.json").read_text()), "users.json")
        except RefusedError as refused:
            return refused.status

    assert compared(unknown=False, now={"address": "192.0.2.9"}) == 0
    assert compared(unknown=False, now={"address": "0.0.0.0/0#"}) == 3
    assert compared(unknown=False, now={}) == 3
    assert compared(unknown=True, now={"address": "192.0.2.10"}) == 0


def test_refuses_another_record_and_one_of_another_commit(folder: Path, digest: str) -> None:
    with pytest.raises(RefusedError) as refused:
        _compare(digest, "network.json", commit="other")
    assert str(refused.value) == f"error: approval.json: it is of the commit '{HEAD}', and this is 'other'\n{AGAIN}"
    record = folder / "approval.json"
    record.write_text(record.read_text() + "\n")
    with pytest.raises(RefusedError) as refused:
        _compare(digest, "network.json")
    assert refused.value.status == 1
    assert str(refused.value) == f"error: approval.json: it is not the record that was approved\n{AGAIN}"


def _lacking(record: Any) -> str:
    del record["stacks"]["users"]
    return json.dumps(record)


def _with_another(record: Any) -> str:
    record["stacks"]["more"] = record["stacks"]["users"]
    return json.dumps(record)


RECORDS: dict[str, tuple[Callable[[Any], str], str]] = {
    "a stack is missing": (_lacking, "the stack 'users' is in cdktf.out alone"),
    "a stack is too many": (_with_another, "the stack 'more' is not in cdktf.out"),
    "of another format": (lambda record: json.dumps({**record, "format": 2}), "it is no record of approved plans"),
    "no object": (lambda _: "[]", "it is no record of approved plans"),
    "no JSON": (lambda _: "{", "it is no record of approved plans"),
    "with a key twice": (
        lambda record: json.dumps(record).replace('{"commit"', '{"commit": "x", "commit"', 1),
        "it is no record of approved plans",
    ),
}


@pytest.mark.usefixtures("digest")
@pytest.mark.parametrize("what", RECORDS)
def test_refuses_a_record_that_is_not_whole(folder: Path, what: str) -> None:
    doctored, message = RECORDS[what]
    text = doctored(json.loads((folder / "approval.json").read_text()))
    (folder / "approval.json").write_text(text)
    with pytest.raises(RefusedError) as refused:
        _compare(digest_of(text), "network.json")
    assert (refused.value.status, refused.value.problems[0].what) == (1, message)


PLANS = {
    "": "it is empty",
    "{": "it is not complete JSON: Expecting property name enclosed in double quotes at line 1, column 2",
    '{"format_version": "1.2", "format_version": "1.2"}': "it is no JSON that Terraform writes: 'format_version' comes "
    "twice in one object",
    json.dumps({**plan(), "resource_changes": [{"address": "a", "change": {}}]}): "Terraform does not write plans like "
    "this, at resource_changes.0.change.actions, resource_changes.0.type",
}


@pytest.mark.parametrize("text", PLANS)
def test_refuses_a_plan_that_cannot_be_read(folder: Path, digest: str, text: str) -> None:
    (folder / "network.json").write_text(text)
    for reading in ([_compare, digest, "network.json"], [_record, "network.json", "users.json"]):
        read: Any = reading[0]
        with pytest.raises(RefusedError) as refused:
            read(*reading[1:])
        assert (refused.value.status, refused.value.problems[0].what) == (1, PLANS[text])


def test_refuses_to_record_other_stacks_than_the_output_has(folder: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        _record("network.json")
    assert refused.value.status == 1
    assert str(refused.value) == (
        "error: the plans: the stack 'users' is in cdktf.out alone\n"
        "hint: write the pipeline again with `main.py ci`, which names the stacks"
    )
    assert not (folder / "approval.json").exists()


def test_a_sensitive_value_is_compared_by_the_lineage_of_the_state(folder: Path) -> None:
    secret = plan(change("x.y", "create", None, {"a": "correct horse"}, unknown={}, sensitive=({}, {"a": True})))
    _write(folder, "network", secret, state=json.dumps({"lineage": "one"}))
    assert _record("network.json", "users.json") == 0
    text = (folder / "approval.json").read_text()
    assert "correct horse" not in text
    assert _compare(digest_of(text), "network.json") == 0
    for state in (json.dumps({"lineage": "two"}), ""):
        _write(folder, "network", secret, state=state)
        with pytest.raises(RefusedError) as refused:
            _compare(digest_of(text), "network.json")
        assert refused.value.status == 3
    _write(folder, "network", secret, state="[]")
    with pytest.raises(RefusedError) as refused:
        _compare(digest_of(text), "network.json")
    assert str(refused.value) == (
        "error: network.tfstate: it is not a state of Terraform's\nhint: write it with `terraform state pull`"
    )
