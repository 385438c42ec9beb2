"""Values that are valid and seldom meant cause a warning and are not refused."""

import datetime
from pathlib import Path

import pytest

from ops.cli.options import load as load_for_a_command
from settings import load, warnings
from tests.settings.whole_file import Change, line_of, spoilt

_WITHOUT_PROFILE = ("    profile: dev\n", "")
_SEE = "see whether your account has it: aws ec2 describe-availability-zones --region ap-northeast-1"


def _warnings(tmp_path: Path, *changes: Change) -> tuple[str, list[str]]:
    """The file's text, and the warnings about it without the file's name."""
    file = tmp_path / "x.yaml"
    text = spoilt(*changes)
    file.write_text(text)
    found = (one.printed.as_warning() for one in warnings(load(file), file))
    return text, [warning.replace(f"{file}:", "") for warning in found]


def test_the_whole_file_causes_only_a_warning_about_its_profile(tmp_path: Path) -> None:
    text, found = _warnings(tmp_path)
    assert found == [
        f"warning: {line_of(text, '    profile: dev')}: dev.account.profile: "
        "only machines that have these profiles can work with it: dev.account.profile\n"
        "hint: `ci` refuses them: for a pipeline remove them, and set AWS_PROFILE by hand"
    ]
    assert _warnings(tmp_path, _WITHOUT_PROFILE)[1] == []


def test_one_warning_names_all_profiles(tmp_path: Path) -> None:
    text, (found,) = _warnings(tmp_path, ("    key_prefix: kakehashi\n", "    key_prefix: kakehashi\n    profile: s\n"))
    assert found.startswith(f"warning: {line_of(text, '    profile: s')}: state.s3.profile: ")
    assert found.splitlines()[0].endswith(": state.s3.profile, dev.account.profile")


def test_profiles_beside_a_state_in_files_cause_no_warning(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    text = spoilt()
    file.write_text(text[: text.index("state:\n")] + text[text.index("dev:\n") :])
    assert warnings(load(file), file) == []


@pytest.mark.parametrize(("listed", "place"), [(False, ".b"), (True, "[0]")])
def test_warns_about_a_zone_that_not_every_account_has(tmp_path: Path, listed: bool, place: str) -> None:
    zones = spoilt()[spoilt().index("    zones:\n") : spoilt().index("    nat:\n")]
    changes = [(zones, "    zones: [b, c]\n") if listed else ("      a: { public", "      b: { public")]
    text, found = _warnings(tmp_path, _WITHOUT_PROFILE, *changes, ("a: eipalloc", "b: eipalloc"), ("    zone: a\n", ""))
    line = line_of(text, "[b, c]" if listed else "b: { public")
    what = "'b' is not one of a, c, d, the zones known of ap-northeast-1"
    assert found == [f"warning: {line}: dev.network.zones{place}: {what}\nhint: {_SEE}"]


def test_a_schedule_that_runs_this_year_for_the_last_time_causes_no_warning(tmp_path: Path) -> None:
    this_year = datetime.datetime.now(datetime.UTC).year
    start = f"start: cron(0 8 ? * MON-FRI {this_year})"
    assert _warnings(tmp_path, _WITHOUT_PROFILE, ("start: cron(0 8 ? * MON-FRI *)", start))[1] == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            ("timezone: Asia/Tokyo", "timezone: Etc/GMT+9"),
            "timezone: 'Etc/GMT+9' is behind UTC: its sign is the opposite of the usual one",
        ),
        (
            ("timezone: Asia/Tokyo", "timezone: Etc/GMT-9"),
            "timezone: 'Etc/GMT-9' is ahead of UTC: its sign is the opposite of the usual one",
        ),
        (
            ("start: cron(0 8 ? * MON-FRI *)", "start: cron(0 8 ? * MON-FRI 2020-2025)"),
            "start: 'cron(0 8 ? * MON-FRI 2020-2025)' ran for the last time in 2025",
        ),
    ],
)
def test_warns_about_a_schedule_that_is_hardly_meant(tmp_path: Path, change: Change, what: str) -> None:
    text, (found,) = _warnings(tmp_path, _WITHOUT_PROFILE, change)
    assert found.splitlines()[0] == f"warning: {line_of(text, change[1])}: dev.gitlab.schedule.{what}"


@pytest.mark.parametrize(
    ("change", "path", "what"),
    [
        (
            ("      batch:\n    del", "      Infrastructure:\n      batch:\n    del"),
            "codecommit.repositories.Infrastructure",
            "'Infrastructure' differs from 'infrastructure' in upper and lower case only",
        ),
        (
            ("target: { create: website }", "target: { create: Batch }"),
            "backlog.repositories.website.target",
            "'Batch' differs from 'batch' in upper and lower case only",
        ),
    ],
)
def test_warns_about_repositories_whose_names_differ_in_case_only(
    tmp_path: Path, change: Change, path: str, what: str
) -> None:
    text, found = _warnings(tmp_path, _WITHOUT_PROFILE, change)
    line = line_of(text, "Infrastructure:" if "Infra" in path else "Batch }")
    hint = "rename one, or clone them into different folders"
    assert found == [f"warning: {line}: prd.{path}: {what}\nhint: {hint}"]


def test_a_command_prints_warnings_to_standard_error_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(spoilt())
    assert load_for_a_command(file) == load(file)
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"warning: {file}:")
    assert output.err.count("\n") == 2
