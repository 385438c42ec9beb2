"""Files that are not deployment files, and YAML features that would change a file's meaning."""

import os
from pathlib import Path

import pytest

from settings import SettingsError, load
from tests.settings.whole_file import WHOLE, Refusal, error, last_line_of_change, line_of, spoilt

_NAME_ONE = "name a deployment file, for example deployments/example.yaml"


_START = "start from deployments/minimal.yaml"


_COMPARE = "correct the line, or compare it with deployments/example.yaml"


_UTF8 = "save the file as plain UTF-8 text"


def _answer(file: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        load(file)
    return str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "none.yaml"
    assert _answer(file) == f"error: {file}: there is no such file\nhint: {_NAME_ONE}"


def test_refuses_a_folder(tmp_path: Path) -> None:
    assert _answer(tmp_path) == f"error: {tmp_path}: this is a folder\nhint: {_NAME_ONE}"


def test_refuses_a_path_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert _answer(tmp_path / "file" / "x.yaml") == (
        f"error: {tmp_path}/file/x.yaml: the file cannot be read: Not a directory\n"
        "hint: check its name and its permissions"
    )


def test_refuses_an_unreadable_file_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, os.strerror(13))

    file = tmp_path / "x.yaml"
    file.touch()
    monkeypatch.setattr(Path, "open", refuse)  # root may read every file, whatever its mode
    assert _answer(file) == (
        f"error: {file}: the file cannot be read: Permission denied\nhint: check its name and its permissions"
    )


@pytest.mark.parametrize("name", ["a\0b.yaml", "n" * 300])
def test_refuses_an_impossible_file_name(name: str) -> None:
    answer = _answer(Path(name))
    assert answer.count("\n") == 1
    assert "\0" not in answer


@pytest.mark.parametrize("content", ["", "\n", "# only\n# comments\n", "---\n", "---\n...\n", "~", "\ufeff"])
def test_refuses_an_empty_file(refusal: Refusal, content: str) -> None:
    assert refusal(content) == f"error: x.yaml:1: the file is empty\nhint: {_START}"


@pytest.mark.parametrize(("content", "line"), [("- a\n", 1), ("text\n", 1), ("4711\n", 1), ("# x\n\n[a, b]\n", 3)])
def test_refuses_a_file_that_is_not_a_map(refusal: Refusal, content: str, line: int) -> None:
    assert refusal(content) == f"error: x.yaml:{line}: the file is not a map of settings\nhint: {_START}"


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        ("a: b: c\n", 1, "mapping values are not allowed here"),
        ("a: [1, 2\nb: 3\n", 2, "expected ',' or ']', but got ':'"),
        ("a: 'open\n", 1, "found unexpected end of stream"),
        ("a: *nobody\n", 1, "found undefined alias 'nobody'"),
        ("a: @x\n", 1, "found character '@' that cannot start any token"),
        ("a: 1\n  b: 2\n", 2, "mapping values are not allowed here"),
        ("a: !nobody!x 1\n", 1, "found undefined tag handle '!nobody!'"),
        ('a: "\\q"\n', 1, "found unknown escape character 'q'"),
        ("%YAML 9.9\n---\na: 1\n", 1, "found incompatible YAML document (version 1.* is required)"),
    ],
)
def test_what_is_not_yaml_is_refused_at_its_line(refusal: Refusal, content: str, line: int, what: str) -> None:
    assert refusal(content) == f"error: x.yaml:{line}: this is not YAML: {what}\nhint: {_COMPARE}"


def test_what_is_not_utf8_is_refused_at_its_line(refusal: Refusal) -> None:
    content = "name: kakehashi\nowner: 基盤\n".encode("shift_jis")
    assert refusal(content) == "error: x.yaml:2: this is not UTF-8 text\nhint: save the file as UTF-8"


def test_refuses_utf16(refusal: Refusal) -> None:
    assert refusal(WHOLE.encode("utf-16")) == "error: x.yaml:1: this is not UTF-8 text\nhint: save the file as UTF-8"


@pytest.mark.parametrize(
    ("character", "shown"), [("\0", "\\x00"), ("\x1b", "\\x1b"), ("\x07", "\\x07"), ("\x7f", "\\x7f")]
)
def test_refuses_a_control_character(refusal: Refusal, character: str, shown: str) -> None:
    assert refusal(f"\nname: kakehashi\nowner: a{character}b\n") == (
        f"error: x.yaml:3: this is not text: it has the character '{shown}'\nhint: {_UTF8}"
    )


def test_accepts_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(WHOLE.encode("utf-8-sig"))
    assert load(file).name == "kakehashi"


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_accepts_every_kind_of_line_end_and_counts_each_once(refusal: Refusal, ends: str) -> None:
    change = ("owner: platform-team", "owner:")
    assert refusal(spoilt(change).replace("\n", ends).encode()) == error(
        2, "owner", "an empty value is not text", "give it a value"
    )


def test_refuses_two_documents_in_one_file(refusal: Refusal) -> None:
    assert refusal("a: 1\n---\nb: 2\n") == (
        "error: x.yaml:3: a second document starts here\nhint: keep one deployment in one file"
    )


def test_refuses_an_endless_device() -> None:
    assert _answer(Path("/dev/zero")) == (
        "error: /dev/zero: the file has 1,000,001 bytes\n"
        "hint: a deployment file has at most 1,000,000: is this the right one?"
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0", 0),
        ("-1", -1),
        ("42", 42),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("0123", "0123"),
        ("+1", "+1"),
        ("-0", "-0"),
        ("0x1f", "0x1f"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("1.0", 1.0),
        ("1e3", 1000.0),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("!!float x", "x"),
        ("17:00", "17:00"),
        ("2026-01-31", "2026-01-31"),
        ("yes", "yes"),
        ("no", "no"),
        ("'true'", "true"),
        ("9" * 41, "9" * 41),
        ("!!str 12", "12"),
        ("!!bool x", "x"),
        ("!!int x", "x"),
        ("!!int ''", ""),
    ],
)
def test_reads_only_plain_numbers_and_booleans_as_such(tmp_path: Path, written: str, read: object) -> None:
    from settings import document

    file = tmp_path / "x.yaml"
    file.write_text(f"a: {written}\n")
    value = document.read(file).data["a"]
    assert (value, type(value)) == (read, type(read))


def test_reports_all_problems_of_a_file_in_the_order_of_lines(refusal: Refusal) -> None:
    text = spoilt(
        ("owner: platform-team", "owner: 1"),
        ('cost-center: "4711"', 'cost-center: "4711"\n  cost-center: b'),
        ("bucket: example-terraform-state", "bucket: My_Bucket"),
        ("public_cidr: 10.10.0.0/24", "public_cidr: 10.10.0.0/33"),
        (
            "c: { public_cidr: 10.10.1.0/24, private_cidr: 10.10.11.0/24 }",
            "c: { public_cidr: 10.11.1.0/24, private_cidr: 10.10.10.0/25 }",
        ),
        ("work_terminal_cidrs: [198.51.100.128/28]", "work_terminal_cidrs: [0.0.0.0/0]"),
        ("keep: 7", "kep: 7"),
        ("start: cron(0 8 ? * MON-FRI *)", "start: cron(0 8 * * *)"),
        ("from_cidrs: [203.0.113.10/32]", "from_cidrs: [10.0.0.5/32]"),
        ("from_cidrs: [198.51.100.0/28]", "from_cidrs: [198.51.100.1/28, 10.0.0.0/8]"),
        ("      application:", "      app.git:"),
        ("target: { codecommit: batch }", "target: { codecommit: bach }"),
    )
    lines = [line for line in refusal(text).splitlines() if line.startswith("error: ")]
    numbers = [int(line.split(":")[2]) for line in lines]
    assert numbers == sorted(numbers)
    assert [line.split(": ", 2)[2] for line in lines] == [
        "owner: 1 is not text",
        "tags.cost-center: 'cost-center' is a duplicate key (first on line 4)",
        "state.s3.bucket: 'My_Bucket' is not a bucket name",
        "dev.network.zones.a.public_cidr: '10.10.0.0/33' is not an IPv4 network",
        "dev.network.zones.c.public_cidr: '10.11.1.0/24' lies outside the VPC's '10.10.0.0/16'",
        "dev.network.zones.c.private_cidr: '10.10.10.0/25' overlaps '10.10.10.0/24' of zones.a.private_cidr",
        "dev.gitlab.work_terminal_cidrs[0]: '0.0.0.0/0' allows every address",
        "dev.gitlab.images.kep: 'kep' is not a setting",
        "dev.gitlab.schedule.start: 'cron(0 8 * * *)' has 5 fields, EventBridge takes 6 with one space between them",
        "prd.codecommit.repositories.app.git: 'app.git' is not a repository name",
        "prd.codecommit.push.from_cidrs[0]: '10.0.0.5/32' is private: AWS only ever sees public source addresses",
        "prd.codecommit.pull.from_cidrs[0]: '198.51.100.1/28' has bits set behind its prefix",
        "prd.codecommit.pull.from_cidrs[1]: '10.0.0.0/8' is private: AWS only ever sees public source addresses",
        "prd.backlog.repositories.batch.target.codecommit: 'bach' is not one of prd.codecommit.repositories",
    ]


@pytest.mark.parametrize(
    ("old", "new", "path", "meant"),
    [
        ("owner: platform-team", "onwer: platform-team", "onwer", "owner"),
        (
            "from_cidrs: [203.0.113.10/32]",
            "from_cidr: [203.0.113.10/32]",
            "prd.codecommit.push.from_cidr",
            "from_cidrs",
        ),
        (
            "from_cidrs: [198.51.100.0/28]",
            "from_cidr: [198.51.100.0/28]",
            "prd.codecommit.pull.from_cidr",
            "from_cidrs",
        ),
        (
            "from_cidrs: [203.0.113.32/29]",
            "from_cidr: [203.0.113.32/29]",
            "prd.codecommit.rooms.batch_operators.from_cidr",
            "from_cidrs",
        ),
        ("  backlog:\n", "  backlogs:\n", "prd.backlogs", "backlog"),
    ],
)
def test_a_misspelt_setting_is_not_reported_as_missing_too(
    refusal: Refusal, old: str, new: str, path: str, meant: str
) -> None:
    name = path.rpartition(".")[2]
    text = spoilt((old, new))
    assert refusal(text) == error(
        line_of(text, f"{name}:"), path, f"'{name}' is not a setting", f"did you mean {meant}?"
    )


def test_the_right_setting_is_checked_beside_a_misspelt_one(refusal: Refusal) -> None:
    old = "from_cidrs: [203.0.113.10/32]"
    valid = refusal(spoilt((old, "from_cidr: [203.0.113.10/32]\n      from_cidrs: [0.0.0.0/0]")))
    assert "prd.codecommit.push.from_cidr: 'from_cidr' is not a setting" in valid
    assert "prd.codecommit.push.from_cidrs[0]: '0.0.0.0/0' allows every address" in valid


def test_an_error_in_a_part_used_twice_points_to_where_it_is_written(refusal: Refusal) -> None:
    change = (
        "target: { create: website }",
        "target: &t { create: website, kind: x }",
    )
    assert refusal(spoilt(change)).startswith(f"error: x.yaml:{last_line_of_change(*change)}: ")


def test_refuses_text_that_cdktf_would_read_as_a_reference(refusal: Refusal) -> None:
    change = ("owner: platform-team", "owner: ${TfToken[TOKEN.3]}")
    assert refusal(spoilt(change)) == error(
        last_line_of_change(*change), "owner", "'TfToken[' is reserved for cdktf's references", "write something else"
    )


def test_a_file_that_is_missing_in_another_folder_is_refused_with_kakehashis_folder_as_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError) as refused:
        load(Path("deployments/minimal.yaml"))
    assert str(refused.value) == (
        "error: deployments/minimal.yaml: there is no such file\n"
        "hint: run it in Kakehashi's folder, or give the file's full path"
    )
