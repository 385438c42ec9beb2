"""The handover keeps the addresses that it gave out."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.handover import convert, given, hand_over, shipped
from tests.ops.handover.folders import TOPIC
from tests.ops.handover.successions import subnets

pytestmark = pytest.mark.tool("terraform")


def hashed(name: str) -> dict[str, Any]:
    topic = {"//": {"metadata": {"path": "web/news", "uniqueId": name}}, "name": "news"}
    return {"resource": {"aws_sns_topic": {name: topic}}}


HASHED = {**hashed("news_1A2B3C4D"), "data": {"aws_region": {"here": {}}}}


def test_keeps_the_addresses_of_every_stack(out: Callable[..., Path], tmp_path: Path) -> None:
    hand_over(out(web=HASHED, mail=TOPIC), tmp_path / "hcl")
    assert json.loads((tmp_path / "hcl" / ".handed-over" / "addresses.json").read_text()) == {
        "version": 1,
        "stacks": {
            "mail": {"aws_sns_topic.news": "aws_sns_topic.news"},
            "web": {
                "aws_sns_topic.news_1A2B3C4D": "aws_sns_topic.news",
                "data.aws_region.here": "data.aws_region.here",
            },
        },
        "moves": {"web": {"aws_sns_topic.news_1A2B3C4D": "aws_sns_topic.news"}},
        "counted": {},
        "states": {"mail": "local: terraform.tfstate", "web": "local: terraform.tfstate"},
    }
    assert given.read(tmp_path / "hcl", {})["mail"].addresses == {"aws_sns_topic.news": "aws_sns_topic.news"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not what a handover wrote\nhint: restore it from version control"),
        ("[]", "is not what a handover wrote\nhint: restore it from version control"),
        ('{"version": 1, "stacks": {"web": {"a.b": 1}}}', "is not what a handover wrote\nhint: restore it from"),
        ('{"version": 2, "stacks": {}}', "has version 2\nhint: hand over with a newer release of this program"),
    ],
)
def test_refuses_a_file_of_addresses_that_it_does_not_understand(
    text: str, message: str, out: Callable[..., Path], tmp_path: Path
) -> None:
    folder = out()
    hand_over(folder, tmp_path / "hcl")
    file = tmp_path / "hcl" / ".handed-over" / "addresses.json"
    file.write_text(text)
    with pytest.raises(RefusedError, match=re.escape(f"error: {file}: {message}")):
        hand_over(folder, tmp_path / "hcl", force=True)


def test_reads_the_moves_of_a_handover_that_kept_no_addresses(out: Callable[..., Path], tmp_path: Path) -> None:
    file = tmp_path / "hcl" / ".handed-over" / "addresses.json"
    two = subnets("a", "c") | {"resource": {**subnets("a", "c")["resource"], **HASHED["resource"]}}
    hand_over(out(two), tmp_path / "hcl")
    file.unlink()
    hand_over(out(subnets("c")), tmp_path / "hcl")
    assert json.loads(file.read_text())["stacks"]["web"]["aws_subnet.network_private_c"] == (
        'aws_subnet.network_private["c"]'
    )
    assert 'for_each = toset(["c"])' in (tmp_path / "hcl" / "web" / "subnets.tf").read_text()


def test_refuses_to_guess_the_addresses_of_an_earlier_handover(out: Callable[..., Path], tmp_path: Path) -> None:
    folder = out(HASHED)
    hand_over(folder, tmp_path / "hcl")
    moved = tmp_path / "hcl" / "web" / "moved.tf"
    moved.unlink()
    (tmp_path / "hcl" / ".handed-over" / "addresses.json").unlink()
    with pytest.raises(RefusedError) as refusal:
        hand_over(folder, tmp_path / "hcl")
    assert str(refusal.value) == (
        f"error: {moved}: was removed, and nothing else has the addresses that this handover gave\n"
        "hint: restore it from version control, or give new addresses with --force: a plan may then destroy resources"
    )
    hand_over(folder, tmp_path / "hcl", force=True)
    assert moved.exists()


def test_deleted_moves_do_not_come_back_and_new_ones_do(out: Callable[..., Path], tmp_path: Path) -> None:
    moved = tmp_path / "hcl" / "web" / "moved.tf"
    hand_over(out(subnets("a", "c")), tmp_path / "hcl")
    moved.unlink()
    hand_over(out(subnets("a")), tmp_path / "hcl")
    assert not moved.exists()
    hand_over(out(subnets("a", "d")), tmp_path / "hcl")
    assert re.findall(r"= (.+)", moved.read_text()) == [
        "aws_subnet.network_private_d",
        'aws_subnet.network_private["d"]',
    ]


def test_gives_no_address_that_another_resource_had() -> None:
    before = given.Given(addresses={"aws_sns_topic.news_1A2B3C4D": "aws_sns_topic.news"})
    for name, expected in (("news_1A2B3C4D", "news"), ("news_99999999", "news_99999999")):
        converted = convert(hashed(name), name="web", schemas=shipped(), given=before)
        assert converted.addresses == {f"aws_sns_topic.{name}": f"aws_sns_topic.{expected}"}


def with_state(document: dict[str, Any], key: str, **other: str) -> dict[str, Any]:
    return {**document, "terraform": {"backend": {"s3": {"bucket": "states", "key": key, **other}}}}


def addresses(hcl: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((hcl / ".handed-over" / "addresses.json").read_text())["stacks"]
    return found


def test_a_renamed_stack_with_the_same_state_keeps_its_addresses(out: Callable[..., Path], tmp_path: Path) -> None:
    hcl = tmp_path / "hcl"
    hand_over(out(web=with_state(subnets("a", "c"), "web"), mail=with_state(TOPIC, "mail")), hcl)
    (hcl / "web" / "moved.tf").unlink()
    renamed = with_state(subnets("a"), "web", region="eu-west-1")
    hand_over(out(site=renamed, web=with_state(HASHED, "other"), mail=with_state(TOPIC, "mail")), hcl)
    assert addresses(hcl)["site"]["aws_subnet.network_private_a"] == 'aws_subnet.network_private["a"]'
    assert 'for_each = toset(["a"])' in (hcl / "site" / "subnets.tf").read_text()
    assert not any("subnet" in it for it in addresses(hcl)["web"])
    hand_over(out(site=with_state(subnets("a"), "moved"), mail=with_state(TOPIC, "mail")), hcl)
    assert addresses(hcl)["site"]["aws_subnet.network_private_a"] == 'aws_subnet.network_private["a"]'


def test_a_renamed_stack_with_a_state_in_its_folder_keeps_its_addresses(
    out: Callable[..., Path], tmp_path: Path
) -> None:
    hand_over(out(web=subnets("a", "c"), mail=TOPIC), tmp_path / "hcl")
    hand_over(out(site=subnets("a"), mail=TOPIC), tmp_path / "hcl")
    assert 'for_each = toset(["a"])' in (tmp_path / "hcl" / "site" / "subnets.tf").read_text()


def test_refuses_to_guess_which_of_several_stacks_was_renamed(out: Callable[..., Path], tmp_path: Path) -> None:
    one, other = with_state(subnets("a", "c"), "web"), with_state(HASHED, "web")
    hand_over(out(one=one, other=other), tmp_path / "hcl")
    with pytest.raises(RefusedError) as refused:
        hand_over(out(third=one), tmp_path / "hcl")
    assert str(refused.value) == (
        "error: third: has the state of one and other, so it is not known whose addresses it keeps\n"
        "hint: rename one stack at a time, or give new addresses with --force: a plan may then destroy resources"
    )
    hand_over(out(third=one), tmp_path / "hcl", force=True)


def test_refuses_addresses_that_were_changed(out: Callable[..., Path], tmp_path: Path) -> None:
    folder = out(HASHED)
    hand_over(folder, tmp_path / "hcl")
    file = tmp_path / "hcl" / ".handed-over" / "addresses.json"
    as_handed_over = file.read_text()
    file.write_text(as_handed_over, newline="\r\n")
    hand_over(folder, tmp_path / "hcl")
    changed = as_handed_over.replace('aws_sns_topic.news"', 'aws_sns_topic.other"')
    file.write_text(changed)
    with pytest.raises(RefusedError) as refused:
        hand_over(folder, tmp_path / "hcl")
    assert str(refused.value) == (
        f"error: {file}: was changed since the last handover, for example by a merge of Git\n"
        "hint: restore it and .handed-over.sha256 with `git checkout` from one commit, or use it as it is with --force"
    )
    assert file.read_text() == changed
    hand_over(folder, tmp_path / "hcl", force=True)
    assert addresses(tmp_path / "hcl")["web"]["aws_sns_topic.news_1A2B3C4D"] == "aws_sns_topic.other"


def test_takes_addresses_without_a_digest_and_says_so_once(
    out: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = out(HASHED)
    hand_over(folder, tmp_path / "hcl")
    manifest = tmp_path / "hcl" / ".handed-over.sha256"
    file = tmp_path / "hcl" / ".handed-over" / "addresses.json"
    lines = manifest.read_text().splitlines(keepends=True)
    manifest.write_text("".join(it for it in lines if "addresses.json" not in it))
    file.write_text(file.read_text().replace('aws_sns_topic.news"', 'aws_sns_topic.other"'))
    capsys.readouterr()
    hand_over(folder, tmp_path / "hcl")
    assert capsys.readouterr().err == (
        f"{file}: has no digest in .handed-over.sha256, as older releases left it; it is used as it is\n"
    )
    assert addresses(tmp_path / "hcl")["web"]["aws_sns_topic.news_1A2B3C4D"] == "aws_sns_topic.other"
    hand_over(folder, tmp_path / "hcl")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("address", ['a.x"\n}\ndata "external" "p" {\n', "a.b\n  c = d", "a", "a.b}"])
def test_refuses_addresses_that_are_none(address: str, out: Callable[..., Path], tmp_path: Path) -> None:
    folder = out(HASHED)
    hand_over(folder, tmp_path / "hcl")
    file = tmp_path / "hcl" / ".handed-over" / "addresses.json"
    content = json.loads(file.read_text())
    for name, pair in (("stacks", {"a.b": address}), ("moves", {address: "a.b"})):
        file.write_text(json.dumps({**content, name: {"web": pair}}))
        with pytest.raises(RefusedError, match="is not what a handover wrote"):
            hand_over(folder, tmp_path / "hcl", force=True)
