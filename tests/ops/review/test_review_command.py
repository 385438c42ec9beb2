"""`main.py review` as a pipeline runs it."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.review import run
from settings import SettingsError
from tests.ops.review.plans import change, plan

HARMLESS = plan(change("aws_sns_topic.it", "create", None, {"name": "it"}))
DANGEROUS = plan(change("aws_eip.it", "delete", {"public_ip": "192.0.2.1"}))
REASON = "the old line is cancelled since Monday"

Review = Callable[..., int]


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., str]:
    def write(content: object, name: str = "dev-network.json") -> str:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(file)

    return write


@pytest.fixture
def reviewing() -> Review:
    def review(*files: str, **more: object) -> int:
        options: dict[str, object] = {
            "allow": [],
            "because": [],
            "acknowledged": None,
            "platform": "github",
            "post_to": None,
        }
        return run(files, **{**options, **more})  # type: ignore[arg-type]

    return review


def test_exit_status_tells_harmless_dangerous_and_unreadable_apart(
    written: Callable[..., str], reviewing: Review, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reviewing(written(HARMLESS)) == 0
    assert reviewing(written(DANGEROUS)) == 3
    assert reviewing(written(HARMLESS, "a.json"), written(DANGEROUS, "b.json")) == 3
    capsys.readouterr()
    file = written("{")
    assert reviewing(written(HARMLESS, "a.json"), file) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"error: {file}: it is not JSON, or cut off: ")
    assert reviewing("no-such-file.json") == 1
    assert capsys.readouterr().err == (
        "error: no-such-file.json: No such file or directory\n"
        "hint: see that the file exists and can be read; a single - reads standard input\n"
    )


def test_the_process_itself_exits_with_3_and_2(project: Path, written: Callable[..., str]) -> None:
    def main(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "main.py", "review", *arguments]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    file = written(DANGEROUS)
    assert main(file) == (3, "")
    status, error = main(file, "--allow", "addres-lost:aws_eip.it", "--because", "no")
    assert (status, error) == (
        2,
        "error: --allow: 'addres-lost' is not a rule\nhint: did you mean address-lost?\n"
        "error: --allow: 'no' is too short for a reason\nhint: say in 20 characters or more why it may happen\n",
    )


def test_the_lock_files_beside_a_plan_tell_an_upgrade(
    written: Callable[..., str], reviewing: Review, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, version in (("dev-network.applied.lock.hcl", "5.100.0"), ("dev-network.lock.hcl", "6.25.0")):
        written(f'provider "registry.terraform.io/hashicorp/aws" {{\n  version = "{version}"\n}}\n', name)
    assert reviewing(written(HARMLESS)) == 3
    assert "is of version `6.25.0`, and the last apply had `5.100.0`" in capsys.readouterr().out


def test_a_plan_is_of_the_stack_that_is_said_or_that_its_file_or_folder_is_named_for(
    written: Callable[..., str], reviewing: Review, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for file, stack in (
        (written(DANGEROUS, "dev-network.json"), "dev-network"),
        (written(DANGEROUS, "prd-codecommit/tfplan.json"), "prd-codecommit"),
        (f"backlog-bridge={written(DANGEROUS)}", "backlog-bridge"),
    ):
        reviewing(file)
        assert f"- `{stack}/aws_eip.it`: is destroyed" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(DANGEROUS).encode())))
    assert reviewing("dev-network=-") == 3
    assert "- `dev-network/aws_eip.it`: is destroyed" in capsys.readouterr().out
    with pytest.raises(SettingsError) as raised:
        reviewing("a=x.json", "a=y.json")
    assert str(raised.value) == (
        "error: PLAN: a would be the stack of several plans\n"
        "hint: write STACK=FILE, or name each file as its stack: prd-codecommit.json"
    )


def test_an_acknowledged_finding_is_shown_with_its_reason_and_is_not_dangerous(
    written: Callable[..., str], reviewing: Review, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = written(DANGEROUS)
    for address in ("aws_eip.it", "dev-network/aws_eip.it"):
        assert reviewing(file, allow=[f"address-lost:{address}"], because=[REASON]) == 0
        text = capsys.readouterr().out
        assert "## 🟡 Nothing dangerous but what is acknowledged (1): 1 destroyed in 1 stack" in text
        assert f"Because: `{REASON}`" in text
    assert reviewing(file, allow=["address-lost:aws_eip.other"], because=[REASON]) == 3
    assert "- `address-lost:aws_eip.other` acknowledges nothing here" in capsys.readouterr().out
    listed = tmp_path / "acknowledged.yaml"
    listed.write_text(f"- allow: address-lost:aws_eip.it\n  because: {REASON}\n")
    assert reviewing(file, acknowledged=listed) == 0
    listed.write_text("[]\n")
    assert reviewing(file, acknowledged=listed) == 3


HINT = "hint: write a list of entries such as: - {allow: address-lost:aws_eip.old, because: the old office is closed}"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("allow: x", "it is no list"),
        ("- {allow: x}", "entry 1 is not one allow and one because"),
        ("- {allow: x, because: 1}", "entry 1 holds something other than text"),
        ("- [", "it cannot be read as YAML"),
        (None, "there is no such file"),
    ],
)
def test_a_file_of_acknowledgements_that_is_none_is_refused(
    written: Callable[..., str], reviewing: Review, tmp_path: Path, text: str | None, what: str
) -> None:
    file = tmp_path / "acknowledged.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError) as raised:
        reviewing(written(HARMLESS), acknowledged=file)
    assert str(raised.value) == f"error: {file}: {what}\n{HINT}"


def test_wrong_options_are_refused_before_anything_is_read(reviewing: Review) -> None:
    for more, error in (
        (
            {"allow": ["address-lost:aws_eip.it"]},
            "error: --allow: 1 times --allow, and 0 times --because\n"
            "hint: give each --allow RULE:ADDRESS its own --because TEXT, in the same order",
        ),
        (
            {"allow": ["address-lost"], "because": [REASON]},
            "error: --allow: 'address-lost' is not RULE:ADDRESS\nhint: copy both from the review's comment",
        ),
        ({"platform": "gitea"}, "error: --for: 'gitea' is no platform\nhint: choose one of github, gitlab"),
        ({"post_to": "gitea"}, "error: --post: 'gitea' is no platform\nhint: choose one of github, gitlab"),
    ):
        with pytest.raises(SettingsError) as raised:
            reviewing("no-such-file.json", **more)
        assert str(raised.value) == error
