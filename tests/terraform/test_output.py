"""Reading an output folder of cdktf, and refusing a wrong one."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from terraform.output import Number, Stack, StateLocation, load, read

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes an output folder with these stacks, each given by the names of those that it depends on."""

    def stacks(document: object = None, **dependencies: list[str]) -> Path:
        out = tmp_path / "cdktf.out"
        entries: dict[str, Any] = {}
        for name, needed in dependencies.items():
            (out / "stacks" / name).mkdir(parents=True)
            (out / "stacks" / name / "cdk.tf.json").write_text(json.dumps(document or {}))
            entries[name] = {
                "dependencies": needed,
                "synthesizedStackPath": f"stacks/{name}/cdk.tf.json",
                "workingDirectory": f"stacks/{name}",
            }
        (out / "manifest.json").write_text(json.dumps({"stacks": entries}))
        return out

    return stacks


def refusal(out: Path) -> str:
    with pytest.raises(RefusedError) as refused:
        read(out)
    return str(refused.value).replace(str(out), "OUT")


def change(out: Path, **entry: object) -> None:
    """Change the manifest's entry for the stack `web`."""
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["stacks"]["web"] |= entry
    (out / "manifest.json").write_text(json.dumps(manifest))


HINT = "hint: name the folder that `python main.py` or `cdktf synth` wrote"
NOT_CDKTFS = f"error: OUT: has a manifest.json that cdktf did not write\n{HINT}"


def test_stacks_come_after_their_dependencies_and_otherwise_as_in_the_manifest(write: Write) -> None:
    stacks = read(write(last=["second", "first"], second=["first"], other=[], first=[]))
    assert [stack.name for stack in stacks] == ["other", "first", "second", "last"]
    assert stacks[3].dependencies == {"second", "first"}


def test_refuses_a_dependency_that_is_not_in_the_manifest(write: Write) -> None:
    assert refusal(write(web=["network"])) == f"error: OUT: lacks the stack network, which web depends on\n{HINT}"


def test_refuses_stacks_that_depend_on_each_other(write: Write) -> None:
    refused = refusal(write(a=["c"], b=["a"], c=["b"]))
    assert refused == f"error: OUT: has stacks that depend on each other: a → b → c → a\n{HINT}"


def test_refuses_a_folder_without_a_manifest(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"error: OUT: has no manifest.json\n{HINT}"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"stacks": {"web": {}}}', '{"stacks": {"web": []}}'])
def test_refuses_a_manifest_that_cdktf_did_not_write(text: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(text)
    assert refusal(tmp_path) == NOT_CDKTFS


@pytest.mark.parametrize("name", ["../web", "..", "a/b", "/web"])
def test_refuses_a_stack_name_that_leads_to_another_folder(name: str, write: Write) -> None:
    out = write(web=[])
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["stacks"][name] = manifest["stacks"].pop("web")
    (out / "manifest.json").write_text(json.dumps(manifest))
    assert refusal(out) == NOT_CDKTFS


@pytest.mark.parametrize(
    "entry",
    [
        {"workingDirectory": "../elsewhere"},
        {"workingDirectory": "../elsewhere", "synthesizedStackPath": "../elsewhere/cdk.tf.json"},
        {"synthesizedStackPath": "../elsewhere/cdk.tf.json"},
        {"synthesizedStackPath": "stacks/other/cdk.tf.json"},
        {"workingDirectory": "..\\elsewhere", "synthesizedStackPath": "..\\elsewhere\\cdk.tf.json"},
    ],
)
def test_refuses_a_stack_with_a_folder_or_file_outside_the_output(entry: Mapping[str, str], write: Write) -> None:
    out = write(web=[], other=[])
    (out.parent / "elsewhere").mkdir()
    (out.parent / "elsewhere" / "cdk.tf.json").write_text("{}")
    change(out, **entry)
    assert refusal(out) == NOT_CDKTFS


def test_reads_a_manifest_that_cdktf_wrote_on_windows(write: Write) -> None:
    out = write(web=[])
    change(out, workingDirectory="stacks\\web", synthesizedStackPath="stacks\\web\\cdk.tf.json")
    assert [stack.file for stack in read(out)] == [out / "stacks" / "web" / "cdk.tf.json"]


def test_refuses_a_stack_file_that_links_out_of_its_folder(write: Write, tmp_path: Path) -> None:
    out = write(web=[])
    (tmp_path / "secret").write_text("{}")
    (out / "stacks/web/cdk.tf.json").unlink()
    (out / "stacks/web/cdk.tf.json").symlink_to(tmp_path / "secret")
    linked = f"error: OUT/stacks/web/cdk.tf.json: is a link that leads out of the stack's folder\n{HINT}"
    assert refusal(out) == linked
    assert refusal(out / "stacks/web") == linked.replace("OUT/stacks/web", "OUT")


def test_refuses_another_file_that_links_out_of_the_stacks_folder(write: Write, tmp_path: Path) -> None:
    (stack,) = read(write(web=[]))
    (stack.folder / "assets").mkdir()
    (stack.folder / "assets" / "it").write_text("")
    assert stack.other_files() == [stack.folder / "assets" / "it"]
    (tmp_path / "secret").write_text("of this machine")
    (stack.folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(RefusedError, match="link: is a link that leads out of the stack's folder"):
        stack.other_files()


def test_reads_the_folder_of_one_stack(write: Write) -> None:
    (stack,) = read(write({"output": {}}, web=[]) / "stacks" / "web")
    assert (stack.name, stack.document, stack.dependencies) == ("web", {"output": {}}, frozenset())


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"output": {"a": {"value": 1, "value": 2}}}', "'value' comes twice in one object"),
        ('{"a": NaN}', "NaN is no number"),
        ("[]", "it is no object"),
    ],
)
def test_refuses_json_that_terraform_refuses(text: str, what: str, tmp_path: Path) -> None:
    file = tmp_path / "cdk.tf.json"
    file.write_text(text)
    with pytest.raises(RefusedError) as refused:
        load(file)
    assert str(refused.value) == f"error: {file}: is no JSON that Terraform takes: {what}\nhint: synthesise it again"


def test_keeps_every_digit_of_numbers_on_request(tmp_path: Path) -> None:
    (tmp_path / "cdk.tf.json").write_text('{"a": [1.0, 12345678901234567890.10, 1e400, 7], "b": "7"}')
    (exact,) = read(tmp_path, exact_numbers=True)
    assert exact.document == {"a": ["1.0", "12345678901234567890.10", "1e400", "7"], "b": "7"}
    assert [isinstance(number, Number) for number in exact.document["a"]] == [True] * 4
    assert not isinstance(exact.document["b"], Number)
    (plain,) = read(tmp_path)
    assert plain.document["a"][3] == 7


BLOCKS: dict[str, Any] = {
    "provider": {"aws": [{"region": "eu-west-1", "allowed_account_ids": ["111111111111"]}, {"alias": "other"}]},
    "variable": {"//": "of cdktf", "days": {"default": 30}},
    "resource": {
        "aws_sns_topic": {"news": {"name": "news", "lifecycle": {"prevent_destroy": True}}},
        "aws_sqs_queue": {"mail": {"lifecycle": [{"prevent_destroy": False}]}},
    },
    "data": {"terraform_remote_state": {"it": {"backend": "s3", "config": {"bucket": "states", "key": "it"}}}},
    "terraform": {"backend": {"local": {"path": "../web.tfstate"}}},
}


def in_lists(value: object) -> object:
    """The same Terraform with every object in a list, as Terraform's JSON syntax allows."""
    return [{key: in_lists(item) for key, item in value.items()}] if isinstance(value, dict) else value


LISTED: dict[str, Any] = {
    **{block: in_lists(BLOCKS[block]) for block in ("variable", "resource", "terraform")},
    "provider": [{"aws": provider} for provider in BLOCKS["provider"]["aws"]],
    "data": [{"terraform_remote_state": [BLOCKS["data"]["terraform_remote_state"]]}],
}


@pytest.mark.parametrize("document", [BLOCKS, LISTED], ids=["objects", "lists"])
def test_reads_a_stacks_account_variables_resources_and_states(document: Mapping[str, Any]) -> None:
    stack = Stack(name="web", document=document)
    assert (stack.account, stack.region) == ("111111111111", "eu-west-1")
    assert stack.variables == {"days": {"default": 30}}
    assert [(kind, name) for kind, name, _ in stack.resources()] == [
        ("aws_sns_topic", "news"),
        ("aws_sqs_queue", "mail"),
    ]
    assert stack.protected == ["aws_sns_topic.news"]
    assert [str(state) for state in stack.states] == ["../web.tfstate", "s3://states/it"]


@pytest.mark.parametrize(
    "accounts", [[], ["111111111111", "222222222222"], ["${var.account}"], "111111111111", [111111111111]]
)
def test_the_account_is_unknown_unless_the_provider_names_exactly_one(accounts: object) -> None:
    stack = Stack(name="web", document={"provider": {"aws": [{"allowed_account_ids": accounts}]}})
    assert stack.account is None
    assert Stack(name="web", document={}).account is None


@pytest.mark.parametrize(
    ("terraform", "backend", "place"),
    [
        ({}, "local", "terraform.tfstate"),
        ({"backend": {"local": {}}}, "local", "terraform.tfstate"),
        ({"backend": {"s3": {"bucket": "states", "key": "web"}}}, "s3", "s3://states/web"),
        ({"backend": {"gcs": {"bucket": "states"}}}, "gcs", "gcs"),
    ],
)
def test_says_where_the_state_is_kept(terraform: object, backend: str, place: str) -> None:
    state = Stack(name="web", document={"terraform": terraform}).state
    assert isinstance(state, StateLocation)
    assert (state.backend, str(state)) == (backend, place)
