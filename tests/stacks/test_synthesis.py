import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from cdktf import App, TerraformStack

from errors import RefusedError
from modules.policies import git_users
from settings import Deployment, load
from stacks.base import BaseStack
from stacks.composition import compose
from stacks.synthesis import synthesise
from terraform import facts
from tests.terraform import Stacks

MINIMAL = {
    "name": "kakehashi",
    "owner": "platform-team",
    "region": "ap-northeast-1",
    "prd": {
        "account": {"id": "222222222222"},
        "codecommit": {"repositories": {"a": {}}, "pull": {"from_cidrs": ["198.51.100.0/28"]}},
    },
}

# The longest names that CodeCommit takes, so that few of them fill a policy.
TOO_MANY: dict[str, object] = {f"repository-{number:03}-{'x' * 85}": {} for number in range(400)}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "cdktf.out"


def _written(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def _minimal(folder: Path, repositories: Mapping[str, object]) -> Path:
    file = folder / "minimal.json"
    settings = json.loads(json.dumps(MINIMAL))
    settings["prd"]["codecommit"]["repositories"] = repositories
    file.write_text(json.dumps(settings))
    return file


@pytest.mark.slow
def test_the_same_deployment_gives_the_same_bytes(project: Path, example: Stacks, out: Path) -> None:
    synthesise(load(project / "deployments" / "example.yaml"), out)
    assert _written(out) == _written(example.out)


def test_every_stack_is_applied_to_its_own_account_only(example: Stacks) -> None:
    accounts = {
        "dev-network": "111111111111",
        "dev-proxy": "111111111111",
        "dev-gitlab": "111111111111",
        "prd-codecommit": "222222222222",
        "backlog-bridge": "222222222222",
    }
    assert set(example.terraform) == set(accounts)
    for name, account in accounts.items():
        (provider,) = example[name].json["provider"]["aws"]
        assert provider["allowed_account_ids"] == [account]
        assert provider["region"] == "ap-northeast-1"
        (tags,) = provider["default_tags"]
        assert tags["tags"] == {
            "project": "kakehashi",
            "environment": "dev" if name.startswith("dev") else "prd",
            "owner": "platform-team",
            "managed-by": "kakehashi",
            "cost-center": "4711",
        }


def test_both_majors_of_the_provider_are_allowed(example: Stacks) -> None:
    for terraform in example.terraform.values():
        settings = terraform.json["terraform"]
        assert settings["required_providers"]["aws"] == {"source": "hashicorp/aws", "version": ">= 5.100.0, < 7.0.0"}
        assert settings["required_version"] == ">= 1.10.0"


def test_a_local_state_is_outside_the_output_folder(example: Stacks) -> None:
    path = example["dev-network"].json["terraform"]["backend"]["local"]["path"]
    state = (example.out / "stacks" / "dev-network" / path).resolve()
    assert state == example.out.resolve().parent / "terraform-state" / "kakehashi" / "dev-network.tfstate"
    remote = example["dev-gitlab"].json["data"]["terraform_remote_state"]["dev_network"]
    assert (remote["backend"], remote["config"]) == ("local", {"path": path})


def test_a_state_in_s3_is_locked_and_encrypted_and_other_stacks_read_it(
    synthesised: Callable[[str], Stacks],
) -> None:
    everything = synthesised("everything")
    backend = everything["dev-network"].json["terraform"]["backend"]["s3"]
    assert backend["use_lockfile"] is True
    assert backend["encrypt"] is True
    assert backend["key"] == "teams/platform/kakehashi/dev-network.tfstate"
    remote = everything["dev-gitlab"].json["data"]["terraform_remote_state"]["dev_network"]
    same = ("bucket", "key", "region", "profile", "assume_role")
    assert {name: remote["config"][name] for name in same} == {name: backend[name] for name in same}


def test_the_provider_gets_the_role_and_the_profile(synthesised: Callable[[str], Stacks]) -> None:
    (provider,) = synthesised("everything")["backlog-bridge"].json["provider"]["aws"]
    assert provider["profile"] == "prd"
    assert provider["assume_role"] == [{"role_arn": "arn:aws:iam::222222222222:role/kakehashi-deploy"}]


def test_stacks_are_deployed_after_those_they_read(example: Stacks) -> None:
    manifest = json.loads((example.out / "manifest.json").read_text())
    dependencies = {name: stack["dependencies"] for name, stack in manifest["stacks"].items()}
    assert dependencies == {
        "dev-network": [],
        "dev-proxy": ["dev-network"],
        "dev-gitlab": ["dev-network", "dev-proxy"],
        "prd-codecommit": ["dev-network"],
        "backlog-bridge": ["prd-codecommit"],
    }


def test_every_variable_has_a_type_a_description_and_a_default(example: Stacks) -> None:
    for terraform in example.terraform.values():
        for name, variable in terraform.json["variable"].items():
            assert variable["type"], name
            assert variable["description"].endswith("."), name
            assert "default" in variable, name
            assert variable["nullable"] is False, name
            assert variable.get("validation") or variable["type"] == "bool", name


def test_escapes_text_of_the_deployment_for_terraform(tmp_path: Path, out: Path) -> None:
    nasty = "${path.module} %{ if true } and $${this}"
    synthesise(load(_minimal(tmp_path, {"a": {"description": nasty}})), out)
    terraform = json.loads((out / "stacks" / "prd-codecommit" / "cdk.tf.json").read_text())
    description = terraform["resource"]["aws_codecommit_repository"]["repositories_a"]["description"]
    assert description == "$${path.module} %%{ if true } and $$${this}"


def test_refuses_names_that_would_share_a_terraform_address(tmp_path: Path, out: Path) -> None:
    file = _minimal(tmp_path, {"a.b": {}, "a_b": {}})
    with pytest.raises(RefusedError) as refused:
        synthesise(load(file), out)
    assert str(refused.value) == (
        "error: prd-codecommit: repositories/a.b and repositories/a_b would share the Terraform name "
        "'repositories_a_b'\n"
        "hint: rename one: letters, digits, '_' and '-' tell names apart"
    )
    assert not out.exists()


@pytest.mark.slow
def test_a_refused_deployment_leaves_the_output_unchanged(tmp_path: Path, out: Path) -> None:
    synthesise(load(_minimal(tmp_path, {"a": {}})), out)
    before = _written(out)
    with pytest.raises(RefusedError) as refused:
        synthesise(load(_minimal(tmp_path, TOO_MANY)), out)
    assert str(refused.value) == (
        "error: prd-codecommit: aws_iam_user.pull_user.name: 12 managed policies for this user, AWS attaches 10\n"
        "hint: give beginnings of names that are this deployment's alone in prd.codecommit.own_prefixes, "
        "or divide the repositories among deployments"
    )
    assert _written(out) == before


@pytest.mark.slow
def test_reports_broken_limits_and_promises_together(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_users, "pull", git_users.push)
    with pytest.raises(RefusedError) as refused:
        synthesise(load(_minimal(tmp_path, TOO_MANY)), out)
    limit, *promises = refused.value.problems
    assert limit.where == "prd-codecommit: aws_iam_user.pull_user.name"
    assert {problem.where for problem in promises} >= {"kakehashi-prd-pull-allow, statement PushAndPull"}
    assert refused.value.status == 2
    assert not out.exists()


def test_every_list_of_addresses_has_a_fact(project: Path, synthesised: Callable[[str], Stacks]) -> None:
    for file in (project / "deployments").glob("*.yaml"):
        for name, terraform in synthesised(file.stem).terraform.items():
            lists = {called for called, variable in terraform.json["variable"].items() if "list" in variable["type"]}
            recorded = [fact for fact in facts.read(name, terraform.json) if isinstance(fact, facts.AddressList)]
            assert {fact.variable for fact in recorded} == lists
            assert all(fact.open_because is None for fact in recorded)


def test_every_retention_and_termination_protection_has_a_fact(synthesised: Callable[[str], Stacks]) -> None:
    for name, terraform in synthesised("everything").terraform.items():
        expected = {
            called
            for called in terraform.json["variable"]
            if called.endswith(("_retention_days", "_retention_count", "termination_protection"))
        }
        kinds = facts.LogRetention | facts.Retention | facts.TerminationProtection
        assert {fact.variable for fact in facts.read(name, terraform.json) if isinstance(fact, kinds)} == expected


@pytest.mark.slow
def test_the_deployments_reason_for_an_open_list_is_a_fact(changed: Callable[..., Stacks]) -> None:
    reasons = {
        "prd.codecommit.pull.open_to_the_world_because": "a test of rooms",
        "prd.backlog.webhook.open_to_the_world_because": "a test of ${senders}",
        "dev.gitlab.open_to_the_world_because": "a test of terminals",
    }
    opened = changed("example", reasons)
    found = [fact for name, terraform in opened.terraform.items() for fact in facts.read(name, terraform.json)]
    assert {fact.open_because for fact in found if isinstance(fact, facts.AddressList)} == set(reasons.values())


def test_removes_stacks_of_another_deployment_but_no_state(example: Stacks, tmp_path: Path, out: Path) -> None:
    shutil.copytree(example.out, out)
    gitlab, network = out / "stacks" / "dev-gitlab", out / "stacks" / "dev-network"
    (gitlab / ".terraform").mkdir()
    mine = {"terraform.tfstate", "notes.txt", "ops.auto.tfvars.json", "plan.json"}
    for name in mine:
        (network / name).write_text("{}")
    (out / "stacks" / ".DS_Store").write_text("")
    synthesise(load(_minimal(tmp_path, {"a": {}})), out)
    assert not gitlab.exists()
    assert {path.name for path in network.iterdir()} == mine
    assert (out / "stacks" / "prd-codecommit" / "cdk.tf.json").exists()


def test_keeps_terraforms_own_files(project: Path, out: Path) -> None:
    deployment = load(project / "deployments" / "minimal.yaml")
    synthesise(deployment, out)
    lock = out / "stacks" / "prd-codecommit" / ".terraform.lock.hcl"
    lock.write_text("locked")
    synthesise(deployment, out)
    assert lock.read_text() == "locked"
    assert [path.name for path in out.parent.iterdir()] == ["cdktf.out"]


@pytest.mark.slow
def test_the_command_prints_the_stacks_and_the_next_command(project: Path, out: Path) -> None:
    command = [sys.executable, "main.py"]
    environment = {"PATH": "/usr/bin:/usr/local/bin:/bin", "CDKTF_OUTDIR": str(out)}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[:2] == [f"Terraform of deployments/example.yaml, in {out}:", ""]
    assert lines[2].split() == ["stack", "account", "resources"]
    assert [line.split()[:2] for line in lines[3:8]] == [
        ["dev-network", "111111111111"],
        ["dev-proxy", "111111111111"],
        ["dev-gitlab", "111111111111"],
        ["prd-codecommit", "222222222222"],
        ["backlog-bridge", "222222222222"],
    ]
    assert lines[-1].startswith(f"next: terraform -chdir={out}/stacks/dev-network init")


@pytest.mark.slow
def test_a_wrong_deployment_exits_with_status_2_and_writes_nothing(project: Path, out: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "CDKTF_OUTDIR": str(out), "DEPLOYMENT": "deployments/none.yaml"}
    command = [sys.executable, "main.py"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == "error: deployments/none.yaml: there is no such file"
    assert len(done.stderr.splitlines()) == 2
    assert not out.exists()


def test_removes_the_initialisation_for_another_deployments_state(tmp_path: Path, out: Path) -> None:
    file = _minimal(tmp_path, {"a": {}})
    synthesise(load(file), out)
    initialised = out / "stacks" / "prd-codecommit" / ".terraform"
    initialised.mkdir()
    synthesise(load(file), out)
    assert initialised.exists()
    file.write_text(file.read_text().replace('"kakehashi"', '"another"'))
    synthesise(load(file), out)
    assert not initialised.exists()


@pytest.mark.slow
def test_reports_a_folder_that_cannot_be_written_in_two_lines(project: Path, out: Path) -> None:
    out.write_text("a file")
    environment = {"PATH": "/usr/bin:/usr/local/bin:/bin", "CDKTF_OUTDIR": str(out)}
    command = [sys.executable, "main.py"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == ["error", "hint"]


@pytest.mark.slow
def test_synthesises_where_no_other_program_is_installed(project: Path, out: Path, tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "CDKTF_OUTDIR": str(out), "DEPLOYMENT": "deployments/minimal.yaml"}
    command = [sys.executable, "main.py"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (out / "stacks" / "prd-codecommit" / "cdk.tf.json").is_file()


@pytest.mark.parametrize("name", ["override.tf", "x_override.tf.json", "more.tofu"])
def test_configuration_beside_ours_is_refused_and_stays(tmp_path: Path, name: str) -> None:
    file, out = _minimal(tmp_path, {"a": {}}), tmp_path / "out"
    synthesise(load(file), out)
    (folder,) = (out / "stacks").iterdir()
    written = (folder / "cdk.tf.json").read_text()
    (folder / name).write_text("")
    (folder / "mine.auto.tfvars").write_text("")
    with pytest.raises(RefusedError, match="Terraform would read this file too") as refused:
        synthesise(load(file), out)
    assert [problem.where for problem in refused.value.problems] == [str(folder / name)]
    assert (folder / name).exists()
    assert (folder / "cdk.tf.json").read_text() == written


@pytest.mark.parametrize("name", ["cdk.tf.json", "x.tf", "terraform.tfvars", "../../x"])
def test_a_text_that_terraform_would_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def composed(app: App, deployment: Deployment) -> dict[str, BaseStack]:
        stacks = compose(app, deployment)
        stacks["prd-codecommit"].files = {name: "{}"}
        return stacks

    monkeypatch.setattr("stacks.synthesis.compose", composed)
    with pytest.raises(RefusedError, match="this is a fault of Kakehashi"):
        synthesise(load(_minimal(tmp_path, {"a": {}})), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("override", "value", "expected"),
    [
        ("variable.pull_from_cidrs.default", ["203.0.113.0/28"], "are not the networks of the deployment file"),
        ("terraform.backend.local.path", "elsewhere.tfstate", "is not where the deployment file keeps the state"),
        ("variable.pull_from_cidrs.default", 5, "cannot be read: "),
    ],
)
def test_an_override_that_the_deployment_file_does_not_ask_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, override: str, value: object, expected: str
) -> None:
    def composed(app: App, deployment: Deployment) -> dict[str, BaseStack]:
        stacks = compose(app, deployment)
        stacks["prd-codecommit"].add_override(override, value)
        return stacks

    monkeypatch.setattr("stacks.synthesis.compose", composed)
    with pytest.raises(RefusedError) as raised:
        synthesise(load(_minimal(tmp_path, {"a": {}})), tmp_path / "out")
    assert any(expected in problem.what for problem in raised.value.problems)
    assert not (tmp_path / "out").exists()


def test_a_stack_that_nothing_checks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def composed(app: App, deployment: Deployment) -> dict[str, BaseStack]:
        TerraformStack(app, "another")
        return compose(app, deployment)

    monkeypatch.setattr("stacks.synthesis.compose", composed)
    with pytest.raises(RefusedError, match=r"another/cdk\.tf\.json: nothing checks this file"):
        synthesise(load(_minimal(tmp_path, {"a": {}})), tmp_path / "out")
