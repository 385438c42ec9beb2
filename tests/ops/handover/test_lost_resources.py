"""A resource that people leave out is named, unless they say what becomes of it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from errors import RefusedError
from ops.handover import hand_over
from ops.handover.lost_resources import in_tofu_alone, lost, moved_away
from tests.ops.handover.folders import written
from tests.ops.handover.successions import subnets

NEWS = 'resource "aws_sns_topic" "news" {\n  name = "news"\n}\n'
PRIVATE = 'resource "aws_subnet" "private" {\n  for_each = toset(["a", "c"])\n}\n'
LOOP = 'resource "terraform_data" "loop" {\n  for_each = { a = 1 }\n}\n'
MODULE = 'module "network" {\n  source = "./network"\n}\n'
NEW = {"main.tf": NEWS + PRIVATE + LOOP + MODULE}
WANTED = ["aws_sns_topic.news", 'aws_subnet.private["a"]', 'aws_subnet.private["c"]', "terraform_data.loop"]


def moved(old: str, new: str) -> str:
    return f"moved {{\n  from = {old}\n  to   = {new}\n}}\n"


def removed(address: str) -> str:
    return f"removed {{\n  from = {address}\n  lifecycle {{\n    destroy = false\n  }}\n}}\n"


def lost_in(**files: str) -> list[str]:
    """The addresses that are lost if a stack has these files, without their extension, in place of its own."""
    now = {f"{name.replace('_json', '')}.tf{'.json' if '_json' in name else ''}": it for name, it in files.items()}
    before, after = ({path: text.encode() for path, text in texts.items()} for texts in (NEW, now))
    return [address for _, address in lost(before, after, WANTED)]


def test_finds_each_block_that_is_in_no_file() -> None:
    assert lost_in(main=NEWS + PRIVATE + LOOP + MODULE) == []
    assert lost_in(main=PRIVATE, other=MODULE + LOOP + NEWS) == []
    assert lost_in() == ["aws_sns_topic.news", "aws_subnet.private", "module.network", "terraform_data.loop"]
    assert lost_in(main=f"/* {NEWS} */\n" + PRIVATE + LOOP + MODULE) == ["aws_sns_topic.news"]
    in_text = f"locals {{\n  text = <<-EOT\n{NEWS}EOT\n}}\n"
    assert lost_in(main=in_text + PRIVATE + LOOP + MODULE) == ["aws_sns_topic.news"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (removed("aws_sns_topic.news"), []),
        (removed("aws_sns_topic.mail"), ["aws_sns_topic.news"]),
        (moved("aws_sns_topic.news", "aws_sns_topic.letters") + NEWS.replace('"news" {', '"letters" {'), []),
        (moved("aws_sns_topic.news", "aws_sns_topic.letters"), ["aws_sns_topic.news"]),
        (moved("aws_sns_topic.other", "aws_sns_topic.letters"), ["aws_sns_topic.news"]),
        (moved("aws_sns_topic.news", "module.network.aws_sns_topic.news"), []),
        (moved("aws_sns_topic.news", "module.other.aws_sns_topic.news"), ["aws_sns_topic.news"]),
        (moved("aws_sns_topic.news", "aws_sns_topic.b") + moved("aws_sns_topic.b", "aws_sns_topic.news"), None),
        (moved("aws_sns_topic.news", "aws_sns_topic.b") + removed("aws_sns_topic.b"), []),
    ],
)
def test_a_resource_may_be_moved_to_one_that_is_there_or_removed_on_purpose(
    text: str, expected: list[str] | None
) -> None:
    expected = ["aws_sns_topic.news"] if expected is None else expected
    assert lost_in(main=PRIVATE + LOOP + MODULE, own=text) == expected


def test_every_member_must_be_moved() -> None:
    others = NEWS + LOOP + MODULE
    one = PRIVATE.replace('"private" {', '"app" {')
    whole = moved("aws_subnet.private", "aws_subnet.app")
    single = {zone: moved(f'aws_subnet.private["{zone}"]', f'aws_subnet.app["{zone}1"]') for zone in "ac"}
    assert lost_in(main=others + one + whole) == []
    assert lost_in(main=others + one + single["a"] + single["c"]) == []
    assert lost_in(main=others + one + single["a"]) == ["aws_subnet.private"]


def test_a_block_that_gets_or_loses_for_each_must_be_moved() -> None:
    repeated = NEWS.replace("{\n", '{\n  for_each = toset(["main"])\n')
    others = PRIVATE + LOOP + MODULE
    assert lost_in(main=repeated + others) == ["aws_sns_topic.news"]
    assert lost_in(main=repeated + others + moved("aws_sns_topic.news", 'aws_sns_topic.news["main"]')) == []
    assert lost_in(main=NEWS.replace("{\n", "{\n  count = 1\n") + others) == []
    alone = 'resource "aws_subnet" "private" {\n}\n'
    assert lost_in(main=NEWS + LOOP + MODULE + alone) == ['aws_subnet.private["a"]']
    assert lost_in(main=NEWS + PRIVATE + MODULE + 'resource "terraform_data" "loop" {\n}\n') == ["terraform_data.loop"]


def test_reads_what_people_write_as_json() -> None:
    others = PRIVATE + LOOP + MODULE
    block = {"resource": {"aws_sns_topic": {"news": [{"name": "news"}]}}}
    assert lost_in(main=others, own_json=json.dumps(block)) == []
    assert lost_in(main=others, own_json=json.dumps({"removed": [{"from": "aws_sns_topic.news"}]})) == []
    renamed = {
        "resource": {"aws_sns_topic": {"b": {}}},
        "moved": {"from": "aws_sns_topic.news", "to": "aws_sns_topic.b"},
    }
    assert lost_in(main=others, own_json=json.dumps(renamed)) == []
    for unknown in ("", "[", '{"moved": [{}]}', '{"resource": 1}'):
        assert lost_in(main=others, own_json=unknown) == ["aws_sns_topic.news"]


@pytest.mark.parametrize(
    ("old", "new", "is_found"),
    [
        ("aws_sns_topic.news", "aws_sns_topic.letters", True),
        ("aws_sns_topic.news", 'aws_sns_topic.all["news"]', True),
        ("aws_sns_topic.news", "module.network.aws_sns_topic.news", True),
        ("aws_sns_topic.letters", "aws_sns_topic.news", False),
        ("aws_sns_topic.news", 'aws_sns_topic.news["a"]', False),
        ("aws_subnet.private", "aws_subnet.app", True),
        ('aws_subnet.private["a"]', "aws_subnet.app", True),
        ('aws_subnet.private["b"]', "aws_subnet.app", False),
        ("aws_subnet.private", 'aws_subnet.private["a"]', False),
        ("module.network", "module.net", True),
        ("module.network", 'module.network["a"]', False),
        ("module.network.aws_sns_topic.news", "aws_sns_topic.letters", False),
        ('terraform_data.loop["a"]', "terraform_data.it", False),
    ],
)
def test_finds_moves_away_from_what_is_written(old: str, new: str, is_found: bool) -> None:
    before = {path: text.encode() for path, text in NEW.items()}
    as_json = json.dumps({"moved": {"from": old, "to": new}})
    for file, text in (("own.tf", moved(old, new)), ("own.tf.json", as_json)):
        found = [(it.file, it.old) for it in moved_away(before, {**before, file: text.encode()}, WANTED)]
        assert found == ([(file, old)] if is_found else [])
    own = {**before, "main.tf": (NEW["main.tf"] + moved(old, new)).encode()}
    assert list(moved_away(own, own, WANTED)) == []


def test_what_only_opentofu_reads_is_known() -> None:
    now = {"main.tf": PRIVATE + MODULE, "news.tofu": NEWS}
    new, files = ({path: text.encode() for path, text in texts.items()} for texts in (NEW, now))
    assert [address for _, address in lost(new, files, WANTED)] == ["terraform_data.loop"]
    assert in_tofu_alone(new, files, WANTED) == ["aws_sns_topic.news"]
    assert in_tofu_alone(new, new, WANTED) == []


TWO = {**subnets("a", "c"), "output": {"zone": {"value": "a"}}}


@pytest.mark.tool("terraform")
@pytest.mark.parametrize("check", [False, True])
def test_a_handover_refuses_a_folder_that_lost_a_resource(
    check: bool, out: Callable[..., Path], tmp_path: Path
) -> None:
    hcl = tmp_path / "hcl"
    hand_over(out(TWO), hcl)
    file = hcl / "web" / "subnets.tf"
    as_handed_over = file.read_text()
    file.write_text(as_handed_over.replace('"network_private"', '"net"'))
    before = written(hcl)
    changed = {**TWO, "output": {"zone": {"value": "c"}}} if not check else TWO
    with pytest.raises(RefusedError) as refused:
        hand_over(out(changed), hcl, check=check)
    assert str(refused.value) == (
        f"error: {file}: aws_subnet.network_private is in no file any more, and no `moved` or `removed` block says "
        "what becomes of it\n"
        "hint: write a `moved` block if it has another address now, a `removed` block if Terraform is to destroy or "
        "forget it, or remove it in the project"
    )
    assert written(hcl) == before
    (hcl / "web" / "renamed.tf").write_text(moved("aws_subnet.network_private", "aws_subnet.net"))
    hand_over(out(changed), hcl, check=check)
    (hcl / "web" / "renamed.tf").unlink()
    file.unlink()
    with pytest.raises(RefusedError, match=r"aws_subnet\.network_private is in no file any more"):
        hand_over(out(changed), hcl, check=check)
    hand_over(out(changed), hcl, force=True)
    assert file.read_text() == as_handed_over


@pytest.mark.tool("terraform")
def test_a_handover_names_each_file_that_has_changes_of_both(
    out: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hcl = tmp_path / "hcl"
    values = {name: {"value": name} for name in ("first", "second", "third")}
    hand_over(out({"output": values}), hcl)
    file = hcl / "web" / "outputs.tf"
    file.write_text(file.read_text().replace('"first"\n', '"theirs"\n'))
    hand_over(out({"output": {**values, "third": {"value": "new"}}}), hcl)
    assert capsys.readouterr().err == (
        f"merged: {file}, which has what was changed since the last handover, and what this handover changes\n"
    )
    assert '"theirs"' in file.read_text()
    assert '"new"' in file.read_text()


@pytest.mark.tool("terraform")
def test_to_overwrite_what_people_renamed_needs_their_move_undone(out: Callable[..., Path], tmp_path: Path) -> None:
    hcl = tmp_path / "hcl"
    hand_over(out(TWO), hcl)
    file, own = hcl / "web" / "subnets.tf", hcl / "web" / "renamed.tf"
    as_handed_over = file.read_text()
    file.write_text(as_handed_over.replace('"network_private"', '"net"'))
    own.write_text(moved("aws_subnet.network_private", "aws_subnet.net"))
    hand_over(out(TWO), hcl)
    before = written(hcl)
    with pytest.raises(RefusedError) as refused:
        hand_over(out(TWO), hcl, force=True)
    assert str(refused.value) == (
        f"error: {own}: the move from aws_subnet.network_private to aws_subnet.net cannot stay, because the handover "
        "writes aws_subnet.network_private\n"
        "hint: exchange `from` and `to` in it if Terraform applied it, and remove it if not"
    )
    assert written(hcl) == before
    own.write_text(as_handed_over.replace('"network_private"', '"net"') + own.read_text())
    with pytest.raises(RefusedError, match=r"if not; remove aws_subnet\.net from renamed\.tf$"):
        hand_over(out(TWO), hcl, force=True)
    own.write_text(moved("aws_subnet.net", "aws_subnet.network_private"))
    hand_over(out(TWO), hcl, force=True)
    assert file.read_text() == as_handed_over


@pytest.mark.tool("terraform")
def test_a_handover_names_what_only_opentofu_reads(
    out: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hcl = tmp_path / "hcl"
    topic = {"resource": {"aws_sns_topic": {"news": {"name": "news"}}}}
    hand_over(out(topic), hcl)
    (hcl / "web" / "sns.tf").rename(hcl / "web" / "sns.tofu")
    hand_over(out(topic), hcl)
    expected = f"{hcl}/web: aws_sns_topic.news is in a file for OpenTofu alone; Terraform would destroy it\n"
    assert capsys.readouterr().err.startswith(expected)
