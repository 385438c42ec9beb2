"""`main.py review` as a pipeline runs it."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from errors import RefusedError
from ops.review import run
from tests.terraform.plans import change, made_from, plan, state_of

HARMLESS = plan(change("aws_sns_topic.it", "create", None, {"name": "it"}))
DANGEROUS = plan(change("aws_eip.it", "delete", {"public_ip": "192.0.2.1"}))
REASON = "the old line is cancelled since Monday"

GFM = MarkdownIt("gfm-like", {"linkify": False})

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


def test_the_exit_status_is_3_when_a_plan_is_dangerous(written: Callable[..., str], reviewing: Review) -> None:
    assert reviewing(written(HARMLESS)) == 0
    assert reviewing(written(DANGEROUS)) == 3
    assert reviewing(written(HARMLESS, "a.json"), written(DANGEROUS, "b.json")) == 3


@pytest.mark.slow
def test_the_command_compares_two_outputs(project: Path, written: Callable[..., str], tmp_path: Path) -> None:
    protected = {"resource": {"aws_ebs_volume": {"it": {"lifecycle": {"prevent_destroy": True}}}}}
    for folder, terraform in (("before", protected), ("after", {"resource": {"aws_ebs_volume": {"it": {}}}})):
        (tmp_path / folder / "stacks" / "dev-network").mkdir(parents=True)
        written(terraform, f"{folder}/stacks/dev-network/cdk.tf.json")
    made = plan(configuration=made_from({"resource": {"aws_ebs_volume": {"it": {}}}}), prior_state=state_of(protected))
    command: list[str | Path] = [sys.executable, project / "main.py", "review", written(made)]

    def reviewed(*options: str | Path) -> tuple[int, str]:
        done = subprocess.run([*command, *options], cwd=project, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    status, text = reviewed("--outputs", tmp_path / "before", tmp_path / "after")
    assert status == 3
    assert "`prevent_destroy` is gone: Terraform no longer refuses plans that destroy it" in text
    status, text = reviewed()
    assert status == 0
    assert "Not compared: the guards of `dev-network`" in text


def test_refuses_plans_that_cannot_be_read_and_prints_no_review(
    written: Callable[..., str], reviewing: Review, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\xff\xfe")
    plan_file = tmp_path / "tfplan"
    plan_file.write_bytes(b"PK\x03\x04plan")
    show = "hint: create it with `terraform show -json PLANFILE`"
    hint = "hint: check that the file exists and can be read; a single - reads standard input"
    for file, error in (
        (written("{"), "it is not complete JSON: Expecting property name enclosed in double quotes"),
        ("no-such-file.json", f"No such file or directory\n{hint}"),
        (str(binary), f"it is not UTF-8, so it is not a Terraform plan\n{show}"),
        (str(plan_file), f"it is Terraform's own plan file, not its JSON\n{show}"),
    ):
        with pytest.raises(RefusedError) as raised:
            reviewing(written(HARMLESS, "a.json"), file)
        assert str(raised.value).startswith(f"error: {file}: {error}")
        assert raised.value.status == 1
        assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_main_exits_with_3_for_dangerous_2_for_wrong_usage_and_1_for_no_plan(
    project: Path, written: Callable[..., str]
) -> None:
    def main(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "main.py", "review", *arguments]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    file = written(DANGEROUS)
    assert main(file) == (3, "")
    status, error = main("no-such-file.json")
    assert (status, error.splitlines()[0]) == (1, "error: no-such-file.json: No such file or directory")
    status, error = main(file, "--allow", "addres-lost:s/aws_eip.it@0123456789abcdef", "--because", "no")
    assert (status, error) == (
        2,
        "error: --allow: 'addres-lost' is not a rule\nhint: did you mean address-lost?\n"
        "error: --allow: 'no' is too short for a reason\nhint: write why it is acceptable, in 10 characters or more "
        "(Chinese, Japanese and Korean ones count as two)\n",
    )


def test_lock_files_next_to_a_plan_show_an_upgrade(
    written: Callable[..., str], reviewing: Review, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, version in (("dev-network.applied.lock.hcl", "5.100.0"), ("dev-network.lock.hcl", "6.25.0")):
        written(f'provider "registry.terraform.io/hashicorp/aws" {{\n  version = "{version}"\n}}\n', name)
    assert reviewing(written(HARMLESS)) == 3
    assert "has version `6.25.0`; the last apply had `5.100.0`" in capsys.readouterr().out


def test_the_option_the_file_or_the_folder_names_the_stack_of_a_plan(
    written: Callable[..., str], reviewing: Review, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for file, stack in (
        (written(DANGEROUS, "dev-network.json"), "dev-network"),
        (written(DANGEROUS, "prd-codecommit/tfplan.json"), "prd-codecommit"),
        (f"backlog-bridge={written(DANGEROUS)}", "backlog-bridge"),
    ):
        reviewing(file)
        assert f"- `{stack}/aws_eip.it` is destroyed" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(DANGEROUS).encode())))
    assert reviewing("dev-network=-") == 3
    assert "- `dev-network/aws_eip.it` is destroyed" in capsys.readouterr().out
    with pytest.raises(RefusedError) as raised:
        reviewing("a=x.json", "a=y.json")
    assert str(raised.value) == (
        "error: PLAN: several plans are for the stack a\n"
        "hint: write STACK=FILE, or give each file the name of its stack: prd-codecommit.json"
    )


def test_an_acknowledged_finding_is_shown_with_its_reason_and_is_not_dangerous(
    written: Callable[..., str], reviewing: Review, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = written(DANGEROUS)
    assert reviewing(file) == 3
    [line] = re.findall("- allow: (.*)", capsys.readouterr().out)
    assert re.fullmatch("address-lost:dev-network/aws_eip.it@[0-9a-f]{16}", line)
    assert reviewing(file, allow=[line], because=[REASON]) == 0
    text = capsys.readouterr().out
    assert "## 🟡 Nothing dangerous except what is acknowledged (1): 1 destroyed in 1 stack" in text
    assert f"Because: `{REASON}`" in text
    listed = tmp_path / "acknowledged.yaml"
    listed.write_text(f"- allow: {line}\n  because: {REASON}\n  until: 2999-12-31\n")
    assert reviewing(file, acknowledged=listed) == 0
    listed.write_text("[]\n")
    assert reviewing(file, acknowledged=listed) == 3


def test_an_acknowledgement_that_matches_nothing_fails_the_run(
    written: Callable[..., str], reviewing: Review, capsys: pytest.CaptureFixture[str]
) -> None:
    unused = f"address-lost:dev-network/aws_eip.other@{'0' * 16}"
    assert reviewing(written(HARMLESS), allow=[unused], because=[REASON]) == 3
    text = capsys.readouterr().out
    assert "## 🛑 Nothing dangerous, but 1 acknowledgement to remove" in text
    assert f"- `{unused}` matches no finding" in text


def test_an_acknowledgement_that_has_ended_fails_the_run(
    written: Callable[..., str], reviewing: Review, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    listed = tmp_path / "acknowledged.yaml"
    listed.write_text(f"- allow: address-lost:s/aws_eip.it@{'0' * 16}\n  because: {REASON}\n  until: 2020-01-31\n")
    assert reviewing(written(HARMLESS), acknowledged=listed) == 3
    assert f"- `address-lost:s/aws_eip.it@{'0' * 16}` held until 2020-01-31" in capsys.readouterr().out


HINT = (
    "hint: write a list of entries such as: "
    "- {allow: RULE:STACK/ADDRESS@DIGEST, because: the old office is closed, until: 2026-12-31}"
)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("allow: x", ":1: it is not a list"),
        ("- x", ":1: it has no allow and no because"),
        ("- {allow: x}", ":1: it has no because"),
        ("# ours\n\n- {because: x}", ":3: it has no allow"),
        ("- {allow: x, because: y, reason: z, 7: z}", ":1: it has 'reason' and '7', which nothing reads"),
        ("- {allow: x, because: y, until: soon}", ":1: until is not a date such as 2026-12-31"),
        ("- {allow: x, because: 1}", ":1: it contains something other than text"),
        ("- [", ":1: it cannot be read as YAML: expected the node content, but found '<stream end>'"),
        ("- {allow: x, because: y, until: 2026-13-01}", ": it cannot be read as YAML"),
        ("- allow: x\n  because:\n", ":1: it has no because"),
        (None, ": there is no such file"),
    ],
)
def test_refuses_a_file_that_is_not_a_list_of_acknowledgements(
    written: Callable[..., str], reviewing: Review, tmp_path: Path, text: str | None, what: str
) -> None:
    file = tmp_path / "acknowledged.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(RefusedError) as raised:
        reviewing(written(HARMLESS), acknowledged=file)
    assert str(raised.value) == f"error: {file}{what}\n{HINT}"


@pytest.mark.parametrize(
    ("entry", "what", "meant"),
    [
        ("{allow: x, becuase: y}", "'becuase', which nothing reads", "because"),
        ("{allow: x, because: y, untill: 2026-12-31}", "'untill', which nothing reads", "until"),
    ],
)
def test_names_a_misspelt_key_of_an_acknowledgement(
    written: Callable[..., str], reviewing: Review, tmp_path: Path, entry: str, what: str, meant: str
) -> None:
    file = tmp_path / "acknowledged.yaml"
    file.write_text(f"- {{allow: x, because: y}}\n- {entry}\n")
    with pytest.raises(RefusedError) as raised:
        reviewing(written(HARMLESS), acknowledged=file)
    assert str(raised.value) == f"error: {file}:2: it has {what}\nhint: did you mean {meant}?"


COPY = "hint: copy what follows `allow: ` below the finding in the review's comment, from the rule's id to the digest"


def test_refuses_wrong_options_before_it_reads_a_plan(reviewing: Review) -> None:
    for more, error in (
        (
            {"allow": ["address-lost:aws_eip.it"]},
            "error: --allow: 1 --allow, but 0 --because\n"
            "hint: give each --allow its own --because TEXT, in the same order",
        ),
        (
            {"allow": ["address-lost:aws_eip.it"], "because": [REASON]},
            "error: --allow: 'address-lost:aws_eip.it' is not RULE:STACK/ADDRESS@DIGEST\n" + COPY,
        ),
        (
            {"allow": ["allow: address-lost:s/aws_eip.it@0123456789abcdef"], "because": [REASON]},
            "error: --allow: 'allow' is not a rule\n" + COPY,
        ),
        (
            {"platform": "gitea"},
            "error: --for: 'gitea' is not a platform\nhint: choose one of github, gitlab, github-summary",
        ),
        (
            {"post_to": "github-summary"},
            "error: --post: 'github-summary' is not a platform\nhint: choose one of github, gitlab",
        ),
    ):
        with pytest.raises(RefusedError) as raised:
            reviewing("no-such-file.json", **more)
        assert str(raised.value) == error
        assert raised.value.status == 2


def test_what_the_comment_shows_is_an_entry_that_lacks_only_the_reason(
    written: Callable[..., str], reviewing: Review, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lost = (change(f"aws_eip.it[{json.dumps(key)}]", "delete", {}) for key in ("a", "b: c", "d #e", "```\n- f", "'"))
    file = written(plan(*lost))
    assert reviewing(file) == 3
    text = capsys.readouterr().out.partition("<details>")[0]
    entries = [token.content for token in GFM.parse(text) if token.type == "fence" and token.info == "yaml"]
    assert len(entries) == 5
    listed = tmp_path / "acknowledged.yaml"
    listed.write_text("".join(entries))
    with pytest.raises(RefusedError) as raised:
        reviewing(file, acknowledged=listed)
    assert str(raised.value) == f"error: {listed}:1: it has no because\n{HINT}"
    listed.write_text("".join(entries).replace("because:", "because: 旧拠点の閉鎖のため"))
    assert reviewing(file, acknowledged=listed) == 0


def test_two_lines_of_one_key_are_refused_with_their_line(
    written: Callable[..., str], reviewing: Review, tmp_path: Path
) -> None:
    listed = tmp_path / "acknowledged.yaml"
    listed.write_text("allow: x\nallow: y\n")
    with pytest.raises(RefusedError) as raised:
        reviewing(written(HARMLESS), acknowledged=listed)
    assert str(raised.value).startswith(f"error: {listed}:2: it cannot be read as YAML: found duplicate key ")


def test_a_reason_that_is_too_short_is_refused_with_its_line(
    written: Callable[..., str], reviewing: Review, tmp_path: Path
) -> None:
    listed = tmp_path / "acknowledged.yaml"
    listed.write_text(f"# ours\n- allow: address-lost@{'0' * 16}\n  because: 旧拠点で\n")
    with pytest.raises(RefusedError) as raised:
        reviewing(written(HARMLESS), acknowledged=listed)
    assert str(raised.value).startswith(f"error: {listed}:2: '旧拠点で' is too short for a reason\n")
