import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from errors import RefusedError
from iam.ways import BY_IAM, NARROWED
from modules.policies import git_users
from modules.policies.statement import PolicyCondition, PolicyStatement
from ops import access
from settings import load
from stacks.synthesis import synthesise
from tests.deployments import DEPLOYMENTS
from tests.terraform import Stacks


@pytest.fixture(scope="module")
def found(example: Stacks) -> access.Access:
    return access.access(example.out)


def test_the_terminal_shows_who_pushes_from_where_and_why(
    found: access.Access, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    access.show(found)
    printed = capsys.readouterr().out
    block = printed.split("\nkakehashi-prd-push\n")[1].split("\nkakehashi")[0].splitlines()
    assert block[:7] == [
        "  may      GitPull, GitPush",
        "  on       application, infrastructure",
        "  from     dev-network's NAT addresses",
        "           an AWS service on its behalf",
        "  because  allowed by kakehashi-prd-push-allow, statement PushAndPull",
        "",
        "  may not  GitPull, GitPush, DeleteRepository, BatchGetCommits and 9 more",
    ]
    assert "kept  rooms-never-push: nobody can push from an isolated room's addresses\n" in printed
    assert "240.0.0" not in printed


def test_each_identity_has_one_block(found: access.Access, capsys: pytest.CaptureFixture[str]) -> None:
    access.show(found)
    headings = [line for line in capsys.readouterr().out.splitlines() if line.startswith("kakehashi")]
    assert headings.count("kakehashi-prd-pull") == 1
    assert len(headings) == len(set(headings))


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 40])
def test_no_name_is_broken_and_no_line_is_wider_than_the_terminal(
    synthesised: Callable[[str], Stacks],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    everything = access.access(synthesised("everything").out)
    monkeypatch.setenv("COLUMNS", "1000")
    access.show(everything)
    words = capsys.readouterr().out.split()
    monkeypatch.setenv("COLUMNS", str(columns))
    access.show(everything)
    printed = capsys.readouterr().out
    assert printed.split() == words
    lines = printed.splitlines()
    assert [line for line in lines if len(line) > columns and " " in line.strip().split("  ")[-1]] == []
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.slow
def test_the_json_has_the_fields_that_the_page_lists(project: Path, synthesised: Callable[[str], Stacks]) -> None:
    everything = access.access(synthesised("everything").out)
    document = json.loads(access.as_json(everything))
    assert access.as_json(access.access(synthesised("everything").out)) == access.as_json(everything)
    actions = {action for line in document["other_resources"] for action in line["actions"]}
    assert "s3:*" in actions  # a pattern is named as the policy has it
    assert [action for action in actions if not action.isascii()] == []
    page = (project / "docs" / "access.md").read_text(encoding="utf-8")
    table = page.split("## The JSON\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `([^`]+)` \| ([a-z ]+) \|", table, re.MULTILINE) == list(_fields(document))


def _fields(value: dict[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    """Every field with its type, as the page names them."""
    for name, field in value.items():
        kind = {str: "text", bool: "true or false", list: "list"}[type(field)]
        if kind == "list" and isinstance(field[0] if field else "", dict):
            yield from _fields(max(field, key=lambda one: len(str(one))), f"{place}{name}[].")
        else:
            yield f"{place}{name}", "list of texts" if kind == "list" else kind


def test_lines_are_the_whole_matrix_and_nothing_else(found: access.Access) -> None:
    rows = {(r.principal, r.action, r.resource, r.source): r.allowed for r in found.rows}
    able = {r.principal for r in found.rows if r.allowed}
    lines = [line for line in access.lines(found.rows) if line.actions != ("anything",)]
    cells = [
        ((who, do, on, at), line.allowed)
        for line in lines
        for who in line.principals
        for do in line.actions
        for on in line.resources
        for at in line.sources
    ]
    assert len(cells) == len(dict(cells))
    assert dict(cells) == {cell: allowed for cell, allowed in rows.items() if cell[0] in able}


@pytest.mark.slow
def test_the_command_writes_markdown_and_json(project: Path, tmp_path: Path) -> None:
    markdown, document = tmp_path / "access.md", tmp_path / "access.json"
    done = subprocess.run(
        [sys.executable, "main.py", "access", "deployments/minimal.yaml", "--markdown", markdown, "--json", document],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (
        "| `kakehashi-prd-push` | **may** | `GitPull`, `GitPush` | `infrastructure` | the push user's addresses<br>"
        "an AWS service on its behalf | allowed by kakehashi-prd-push-allow, statement PushAndPull |\n"
    ) in markdown.read_text()
    written = json.loads(document.read_text())
    assert all(promise["kept"] for promise in written["promises"])
    assert written["places"][0] == {
        "name": "the isolated room",
        "networks": ["198.51.100.0/28"],
        "vpc_endpoints": [],
        "is_room": True,
        "known_before_apply": True,
    }
    assert {line["allowed"] for line in written["repositories"]} == {True, False}


def test_the_readme_shows_lines_of_the_matrix(project: Path, found: access.Access) -> None:
    printed = access.as_markdown(found).splitlines()
    section = (project / "README.md").read_text().split("\n## Who may do what, from where\n")[1].split("\n## ")[0]
    shown = [line for line in section.splitlines() if line.startswith("| `")]
    assert len(shown) == 3
    assert [line for line in shown if line not in printed] == []


@pytest.mark.slow
def test_every_cell_of_the_markdown_renders_as_the_line_says(synthesised: Callable[[str], Stacks]) -> None:
    everything = access.access(synthesised("everything").out)
    tokens = MarkdownIt().enable("table").parse(access.as_markdown(everything))
    cells = [
        "".join(child.content for child in after.children or () if child.type in ("text", "code_inline"))
        for before, after in pairwise(tokens)
        if before.type == "td_open"
    ]
    lines = access.lines([row for row in everything.rows if row.is_repository])
    assert cells[5 : 6 * len(lines) : 6] == [line.because for line in lines]
    resources = [", ".join(line.resources) for line in lines]
    assert cells[3 : 6 * len(lines) : 6] == resources


def test_a_broken_promise_stops_the_synthesis_and_nothing_is_written(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = git_users.push
    monkeypatch.setattr(git_users, "pull", push)
    with pytest.raises(RefusedError) as refused:
        synthesise(load(project / "deployments" / "minimal.yaml"), tmp_path / "out")
    assert str(refused.value) == "\n".join(
        (
            "error: kakehashi-prd-pull-allow, statement PushAndPull: "
            "lets kakehashi-prd-pull codecommit:GitPush from the isolated room",
            "hint: in every deployment nobody can push from an isolated room's addresses: "
            "what is in the room may not get out, whoever's password is used there",
            "error: kakehashi-prd-pull-allow, statement PushAndPull: "
            "lets kakehashi-prd-pull codecommit:GitPush from the isolated room",
            "hint: in every deployment a user that works from a room cannot write from anywhere: "
            "its password is known in the room, and people may take it out of the room",
        )
    )
    assert not (tmp_path / "out").exists()


def test_a_policy_that_cannot_be_evaluated_stops_the_synthesis(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_with_mfa(cidrs: object) -> PolicyStatement:  # noqa: ARG001
        condition = PolicyCondition(test="Bool", variable="aws:MultiFactorAuthPresent", values=("false",))
        return PolicyStatement(sid="Deny", effect="Deny", actions=("*",), resources=("*",), conditions=(condition,))

    monkeypatch.setattr(git_users, "only_from", only_with_mfa)
    with pytest.raises(RefusedError) as refused:
        synthesise(load(project / "deployments" / "minimal.yaml"), tmp_path / "out")
    assert str(refused.value) == (
        "error: kakehashi-prd-push-deny, statement Deny: "
        "cannot be evaluated: whether a request has 'aws:multifactorauthpresent', and its value, is not known\n"
        "hint: write it another way, or add it to iam/, which says who may do what"
    )


@pytest.mark.slow
def test_every_promise_is_kept_in_every_deployment(synthesised: Callable[[str], Stacks]) -> None:
    for name in DEPLOYMENTS:
        assert not access.access(synthesised(name).out).findings, name


def test_a_policy_that_cannot_be_evaluated_is_an_error_of_two_lines(example: Stacks, tmp_path: Path) -> None:
    out = tmp_path / "cdktf.out"
    shutil.copytree(example.out, out)
    file = out / "stacks" / "prd-codecommit" / "cdk.tf.json"
    file.write_text(file.read_text().replace('"NotIpAddress"', '"NearIpAddress"', 1))
    with pytest.raises(RefusedError) as refused:
        access.access(out)
    error, hint = str(refused.value).splitlines()
    assert error.startswith("error: ")
    assert "cannot be evaluated" in error
    assert hint.startswith("hint: ")


def test_the_ways_of_builds_say_what_keeps_them_from_other_repositories(
    synthesised: Callable[[str], Stacks], found: access.Access, capsys: pytest.CaptureFixture[str]
) -> None:
    roles = ("kakehashi-prd-backlog-build-example", "kakehashi-prd-backlog-mirror-example")
    (space,) = json.loads(access.as_json(found))["units"]
    assert (space["roles"], sorted(space["repositories"]), space["by_tag"]) == ([*roles], ["batch", "website"], False)
    assert space["protection"] == NARROWED
    access.show(found)
    assert " → ".join(roles) in " ".join(capsys.readouterr().out.split())
    by_mirror = access.access(synthesised("backlog-only").out)
    for unit in json.loads(access.as_json(by_mirror))["units"]:
        assert (len(unit["roles"]), len(unit["repositories"]), unit["protection"]) == (1, 1, BY_IAM)
    assert f"\n\n{BY_IAM}\n" in access.as_markdown(by_mirror)
