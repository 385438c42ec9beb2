"""What is new and gone in the projects that a deployment file names, and what --agree writes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import main
from errors import RefusedError
from ops.backlog.discovery import discover
from settings import load
from settings.backlog import mirrors
from tests.ops.backlog.backlog_stand_in import API_KEY, BacklogFault, BacklogStandIn
from tests.ops.production import Production
from tests.settings.whole_file import ED25519

pytestmark = pytest.mark.emulator

PARAMETER = "/kakehashi/backlog/api-key"
_BEFORE = f"""\
name: kakehashi
owner: platform-team
region: ap-northeast-1
prd:
  account: {{ id: "222222222222" }}
  backlog:
    spaces:
      example:
        domain: backlog.jp
        known_hosts: [example.git.backlog.jp ssh-ed25519 {ED25519}]
        ssh_key_parameter: /kakehashi/backlog/ssh-key
        api_key_parameter: {PARAMETER}
    repositories:
      site:   # by hand
        {{ space: example, project: WEB, repository: site, target: {{ create: site }} }}
      web:    # all of WEB
        space: example
        from_project: WEB
        except: [scratch]
        target: {{ create_prefix: web- }}
        agreed: [app]   # asked for by the web team
    webhook: {{ sender_cidrs: [192.0.2.16/28] }}
"""
GONE = (
    "error: prd.backlog.repositories.web.agreed: 'app' is gone from example/WEB, or the API key's user does not see "
    "it\n"
    "hint: it stays in the list, and its mirror fails; to end it and keep web-app, first take it out of the state "
    "(terraform state rm aws_codecommit_repository.repositories_web-app), then remove the name: otherwise Terraform "
    "refuses to delete it\n"
)


@pytest.fixture
def file(world: Production, backlog: BacklogStandIn, tmp_path: Path) -> Path:
    """A deployment file that names the project WEB, whose repositories are app, site and scratch."""
    backlog.repositories["WEB"] = ["app", "site", "scratch"]
    world.client("ssm").put_parameter(Name=PARAMETER, Value=f"{API_KEY}\n", Type="SecureString", Overwrite=True)
    file = tmp_path / "bridge.yaml"
    file.write_text(_BEFORE)
    return file


def _discover(file: Path, *, agreeing: bool = False, as_json: bool = False) -> bool:
    return discover(load(file), file, agreeing=agreeing, as_json=as_json)


def _refusal(command: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        command()
    return str(caught.value)


def test_a_complete_list_is_in_order(file: Path, backlog: BacklogStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    assert _discover(file, agreeing=True) is True
    assert capsys.readouterr() == ("web: example/WEB has 3 Git repositories, all as agreed\n", "")
    assert file.read_text() == _BEFORE
    assert backlog.calls == ["GET /api/v2/projects/WEB/git/repositories"]


def test_shows_what_is_new_and_writes_it_on_agreement_alone(
    file: Path, backlog: BacklogStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    backlog.repositories["WEB"] += ["Shop.Front", "2024"]
    assert _discover(file) is False
    assert capsys.readouterr() == (
        "web: example/WEB has 5 Git repositories, DIFFERS\n"
        "  new: Shop.Front, as the mirror web-shop-front into web-Shop.Front\n"
        "  new: 2024, as the mirror web-2024 into web-2024\n",
        "",
    )
    assert file.read_text() == _BEFORE
    assert _discover(file, agreeing=True) is True
    assert capsys.readouterr().out == (
        "web: example/WEB has 5 Git repositories, agreed\n"
        "  agreed to: Shop.Front, as the mirror web-shop-front into web-Shop.Front\n"
        "  agreed to: 2024, as the mirror web-2024 into web-2024\n"
        "next: make synth, review and apply the plan of backlog-bridge; then the new mirrors run\n"
    )
    assert file.read_text() == _BEFORE.replace("[app] ", '[app, Shop.Front, "2024"] ')
    prd = load(file).prd
    assert prd is not None
    assert prd.backlog is not None
    assert list(mirrors(prd.backlog)) == ["site", "web-app", "web-shop-front", "web-2024"]
    assert _discover(file) is True


@pytest.mark.parametrize("agreeing", [False, True])
def test_drops_nothing_that_is_gone(
    file: Path, backlog: BacklogStandIn, capsys: pytest.CaptureFixture[str], *, agreeing: bool
) -> None:
    backlog.repositories["WEB"] = ["site", "shop"]
    assert _discover(file, agreeing=agreeing) is False
    said = capsys.readouterr()
    assert "  gone: app, the mirror web-app into web-app\n" in said.out
    assert said.err == GONE
    assert "agreed: [app, shop] " in file.read_text() if agreeing else file.read_text() == _BEFORE


def test_says_that_terraform_deletes_what_is_not_protected(
    file: Path, backlog: BacklogStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(f"{_BEFORE}    deletion_protected: false\n")
    backlog.repositories["WEB"] = []
    assert _discover(file) is False
    assert "then remove the name: otherwise Terraform deletes it\n" in capsys.readouterr().err


def test_a_name_that_fits_no_mirror_is_left_to_a_person(
    file: Path, backlog: BacklogStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    backlog.repositories["WEB"] += ["App", "x" * 37, "a\x1b[2Jb", "../../etc", "ok"]
    assert _discover(file, agreeing=True) is False
    where, by_hand = "prd.backlog.repositories.web.agreed", "name it by hand: write"
    said = capsys.readouterr()
    unfit = "hint: rename it in Backlog: use letters, digits, '_', '.' and '-', starting with a letter or digit"
    assert said.err.splitlines() == [
        f"error: {where}: '{'a'}\\\\x1b[2Jb' is no name that a setting takes",
        unfit,
        f"error: {where}: '../../etc' is no name that a setting takes",
        unfit,
        f"error: {where}: 'App' and 'app' would both be the mirror 'web-app'",
        f"hint: {by_hand} App into `except`, and give it an entry with `repository: App`",
        f"error: {where}: 'web-{'x' * 37}' is no key of a mirror: it has 41 characters, a key has at most 40",
        f"hint: {by_hand} {'x' * 37} into `except`, and give it an entry with `repository: {'x' * 37}`",
    ]
    assert "\x1b" not in said.out
    assert file.read_text() == _BEFORE.replace("[app] ", "[app, ok] ")


def test_a_name_that_another_entry_has_is_left_to_a_person_although_that_entry_comes_later(
    file: Path, backlog: BacklogStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    later = "      batch: { space: example, project: OPS, repository: batch, target: { create: web-batch } }\n"
    file.write_text(_BEFORE.replace("    webhook:", f"{later}    webhook:"))
    backlog.repositories["WEB"] += ["batch", "shop"]
    assert _discover(file, agreeing=True) is False
    assert "'web-batch' is already the target of 'web-batch'" in capsys.readouterr().err
    assert "agreed: [app, shop] " in file.read_text()


def test_prints_json_for_programs(file: Path, backlog: BacklogStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    backlog.repositories["WEB"] = ["site", "shop", "x" * 37]
    assert main.main(["backlog-repositories", str(file), "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["written"] is False
    (project,) = printed["projects"]
    unfit = project.pop("by_hand")
    assert project == {
        "entry": "web",
        "space": "example",
        "project": "WEB",
        "repositories": 3,
        "new": [{"repository": "shop", "key": "web-shop", "target": "web-shop"}],
        "gone": [{"repository": "app", "key": "web-app", "target": "web-app"}],
    }
    assert [one["repository"] for one in unfit] == ["x" * 37]


def test_a_failed_reading_writes_nothing(file: Path, backlog: BacklogStandIn) -> None:
    backlog.repositories["WEB"] += ["shop"]
    backlog.faults.append(BacklogFault(404, b'{"errors": [{"message": "No project.", "code": 6, "moreInfo": ""}]}'))
    assert main.main(["backlog-repositories", str(file), "--agree"]) == 1
    assert file.read_text() == _BEFORE


def test_asks_for_the_key_of_the_api(file: Path, world: Production, backlog: BacklogStandIn) -> None:
    parameters = world.client("ssm")
    parameters.put_parameter(Name=PARAMETER, Value="two words", Type="SecureString", Overwrite=True)
    again = "delete it, revoke the key in Backlog, and store a new one as a SecureString"
    assert _refusal(lambda: _discover(file)) == (
        f"error: {PARAMETER}: this is not a key of Backlog's API: it is empty, or has spaces or line ends\n"
        f"hint: {again}"
    )
    parameters.delete_parameter(Name=PARAMETER)
    parameters.put_parameter(Name=PARAMETER, Value=API_KEY, Type="String")
    assert _refusal(lambda: _discover(file)) == (
        f"error: {PARAMETER}: the parameter is a String, which is not encrypted\nhint: {again}"
    )
    parameters.delete_parameter(Name=PARAMETER)
    assert _refusal(lambda: _discover(file)) == (
        f"error: {PARAMETER}: there is no such parameter\n"
        "hint: issue a key in Backlog (personal settings, API), write it into a file, and store that: "
        f"aws ssm put-parameter --type SecureString --name {PARAMETER} --value file://KEY_FILE"
    )
    file.write_text(_BEFORE.replace(f"        api_key_parameter: {PARAMETER}\n", ""))
    assert _refusal(lambda: _discover(file)) == (
        "error: prd.backlog.spaces.example: there is no api_key_parameter\n"
        "hint: issue a key in Backlog, store it as an SSM SecureString, and name that in api_key_parameter"
    )
    assert backlog.calls == []


def test_refuses_a_file_that_names_no_project(file: Path) -> None:
    start, end = _BEFORE.index("      web:"), _BEFORE.index("    webhook:")
    file.write_text(_BEFORE[:start] + _BEFORE[end:])
    assert _refusal(lambda: _discover(file)) == (
        "error: prd.backlog.repositories: no entry names a project\n"
        "hint: give an entry of prd.backlog.repositories `from_project: KEY`, as deployments/everything.yaml has it"
    )
