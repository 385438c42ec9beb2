"""The blocks of files as they stand in the folder, which people may have written."""

from pathlib import Path

import pytest

from errors import RefusedError
from ops.handover import given
from ops.handover.addresses import instance, is_address, is_whole, place, split, type_and_name
from ops.handover.last_handover import remembered
from ops.handover.written_blocks import is_valid_file, moves_in, written_blocks

MOVE = 'moved {\n  from = aws_subnet.a\n  to   = aws_subnet.private["b c"]\n}'
ENDS = ("aws_subnet.a", 'aws_subnet.private["b c"]')


@pytest.mark.parametrize(
    "text",
    [
        MOVE,
        'moved{\nfrom=aws_subnet.a\nto=aws_subnet.private["b c"]\n}',
        'moved {\n\n  to   = aws_subnet.private[ "b c" ]\n\n  from = aws_subnet.a\n}\n',
        MOVE.replace("\n", "\r\n"),
    ],
)
def test_reads_a_move_however_it_is_written(text: str) -> None:
    found = moves_in(text)
    assert found is not None
    assert [*found] == [ENDS]


def test_keeps_the_text_of_each_move() -> None:
    other = MOVE.replace(".a", ".c")
    assert moves_in(f"{MOVE}\n\n{other}\n") == {ENDS: f"{MOVE}\n", ("aws_subnet.c", ENDS[1]): f"{other}\n"}
    assert moves_in("") == {}


@pytest.mark.parametrize(
    "text",
    [
        f"# why\n{MOVE}\n",
        MOVE.replace("{\n", "{\n  # why\n"),
        MOVE.replace(".a\n", ".a # why\n"),
        f"{MOVE}\nlocals {{}}\n",
        "moved {\n  from = aws_subnet.a\n}\n",
        MOVE.replace("moved", 'moved "x"'),
        "moved {\n  from = \n  to = a.b\n}\n",
        "moved {",
    ],
)
def test_takes_no_file_that_has_more_than_moves(text: str) -> None:
    assert moves_in(text) is None


def test_reads_every_block_that_can_be_found() -> None:
    text = 'resource "a" "b" {\n  for_each = local.x\n\n  c {}\n}\n\nlocals {}\nx = = 1\n'
    first, second, *_ = written_blocks(text)
    assert (first.type, first.labels, first.arguments, first.is_plain) == (
        "resource",
        ("a", "b"),
        {"for_each": "local.x"},
        False,
    )
    assert (second.type, second.labels) == ("locals", ())
    assert not is_valid_file(text)


def without_addresses(folder: Path, moved: str) -> Path:
    """The folder of a release that kept no addresses."""
    files = {"web/moved.tf": moved.encode()}
    for path, content in {**files, **remembered(files, {})}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def test_reads_what_was_given_from_moves_that_people_formatted(tmp_path: Path) -> None:
    text = f"# applied in May\n{MOVE.replace('.a', '.a # of old')}\n"
    found = given.read(without_addresses(tmp_path, text), {"web": "web"})["web"]
    assert found.addresses == {ENDS[0]: ENDS[1]}


@pytest.mark.parametrize(
    "text",
    [
        f"{MOVE}\nmoved {{\n",
        "moved {\n  from = aws_subnet.a\n}\n",
        'moved {\n  from = "aws_subnet"\n  to = aws_subnet.b\n}\n',
    ],
)
def test_refuses_moves_that_it_cannot_read(text: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        given.read(without_addresses(tmp_path, text), {"web": "web"})
    assert str(refused.value) == (
        f"error: {tmp_path}/web/moved.tf: cannot be read, and nothing else has the addresses that this handover gave\n"
        "hint: restore it from version control, or give new addresses with --force: a plan may then destroy resources"
    )
    assert given.read(tmp_path, {"web": "web"}, force=True) == {}


def test_reads_the_parts_of_an_address() -> None:
    own = instance("aws_subnet.private", 'a"]["b')
    assert place(own) == ("aws_subnet.private", 'a"]["b')
    assert split(own) == ("aws_subnet.private", own.removeprefix("aws_subnet.private"))
    assert [is_whole(it) for it in (own, "a.b", "a.b[0]", "module.m", "module.m.a.b")] == [False, True, *[False] * 3]
    assert type_and_name("data.aws_ami.newest") == type_and_name("aws_ami.newest") == ("aws_ami", "newest")
    assert all(map(is_address, (own, "a.b[0]", 'module.m["x"].a.b')))
    assert not any(map(is_address, ("a", "a.b c", 'a.b["x', "")))
