"""What counts as the use of Git LFS."""

import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from buildspec.mirror.lfs import (
    Look,
    attribute_line_uses_lfs,
    attributes_use_lfs,
    blob_suspected,
    delta_may_be_suspected,
)
from buildspec.mirror.pack import DeltaReader
from tests.buildspec.mirror.packs import chunks, delta
from tests.cases import EVERY

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"


@pytest.mark.parametrize(
    "line",
    [
        "*.psd filter=lfs diff=lfs merge=lfs -text",
        "*.psd filter=lfs",
        "  *.psd\t-text  filter=lfs\r\n",
        '"a file".psd filter=lfs',
        '"a \\"quoted\\" \\101" filter=lfs',
        '"a"filter=lfs',
        '"not closed filter=lfs',
        "[attr]large filter=lfs -text",
        "[attr] filter=lfs",
        "*.psd -filter filter=lfs",
        "\\!a filter=lfs",
        "x filter=lfs\0 -filter",
    ],
)
def test_an_attribute_line_uses_lfs(line: str) -> None:
    assert attribute_line_uses_lfs(line.encode())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "filter=lfs",
        "# *.psd filter=lfs",
        " \t# *.psd filter=lfs",
        "*.psd -filter=lfs",
        "*.psd !filter=lfs",
        "*.psd filter",
        "*.psd filter=lfs -filter",
        "*.psd filter=lfs !filter",
        "*.psd filter=lfs filter=crypt",
        "*.psd filter=lfs2",
        "*.psd filter=LFS",
        "*.psd Filter=lfs",
        "*.psd myfilter=lfs",
        "*.psd filter=lfs, which is a sentence (in a document)",
        '"a file filter=lfs"',
        "!*.psd filter=lfs",
        '"!a" filter=lfs',
        "[attr]not/valid filter=lfs",
        "*.psd\0 filter=lfs",
        f"*.psd {'-text ' * 400} filter=lfs",
    ],
)
def test_another_line_does_not_use_lfs(line: str) -> None:
    assert not attribute_line_uses_lfs(line.encode())


@pytest.mark.tool("git")
def test_git_reads_attribute_lines_alike(tmp_path: Path) -> None:
    choose = random.Random(14)
    patterns = ["*", "x", '"*"', '"x"', '"\\170"', '"?"', " x", "#", "!x", "[attr]", "\t*", '"x" "y"']
    attributes = [
        *(
            "filter=lfs",
            "filter=lfs",
            "filter=lfs",
            "-filter",
            "!filter",
            "filter",
            "filter=",
            "filter=lfsx",
            "Filter=lfs",
        ),
        *(
            "-filter=lfs",
            "!filter=lfs",
            "diff=lfs",
            "text",
            "-text",
            "!text",
            "a/b",
            "--x",
            "=lfs",
            "a.b-c=d=e",
            "ä",
            "#",
        ),
        *("-" * 2020, "x" * 2030, "binary"),
    ]
    weights = [9] * (len(attributes) - 3) + [1] * 3
    lines = []
    for folder in range(1500):
        line = choose.choice(patterns)
        for attribute in choose.choices(attributes, weights, k=choose.randint(1, 3)):
            line += choose.choice(["", " "] if line.endswith('"') else [" ", "\t", "  ", "\r"]) + attribute
        lines.append(line + choose.choice(["", " ", "\r"]))
        (tmp_path / str(folder)).mkdir()
        (tmp_path / str(folder) / ".gitattributes").write_bytes(lines[-1].encode() + b"\n")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    command = ["git", "-C", str(tmp_path), "check-attr", "--stdin", "filter"]
    paths = "".join(f"{folder}/x\n" for folder in range(len(lines)))
    answer = subprocess.run(command, input=paths, stdout=subprocess.PIPE, text=True, check=True).stdout
    values = [value.rpartition(": ")[2] for value in answer.splitlines()]
    for line, value in zip(lines, values, strict=True):
        # Here [attr] is a set of characters, of which x is none.
        assert attribute_line_uses_lfs(line.encode()) == (value == "lfs") or line.lstrip().startswith("[attr]"), line
    assert 100 < values.count("lfs") < 1000


def test_attributes_are_read_up_to_a_nul_and_without_a_byte_order_mark() -> None:
    assert attributes_use_lfs(b"\xef\xbb\xbfa filter=lfs")
    assert attributes_use_lfs(b"x\na filter=lfs\0")
    assert not attributes_use_lfs(b"x\0\na filter=lfs")
    assert not attributes_use_lfs(b"\xef\xbb\xbf# filter=lfs")


def test_pointers_are_suspected_as_whole_small_blobs() -> None:
    assert blob_suspected(POINTER)
    assert blob_suspected(POINTER.replace(b"git-lfs", b"hawser"))
    assert not blob_suspected(b"For example:\n" + POINTER)
    assert not blob_suspected(POINTER + b"x" * 1024)


FRAGMENTS = st.sampled_from(
    [
        *(b"*.psd", b" ", b" ", b"\n", b"\n", b"#", b"filter=lfs", b"filter=lfs", b"-text", b"filter", b"=", b"lfs"),
        *(b"\0", b"\xef\xbb\xbf", b"!", b'"', b"\t", b"x" * 1500),
    ]
)
CONTENTS = st.lists(FRAGMENTS, max_size=14).map(b"".join)
SIZES = st.lists(st.integers(0, 40), max_size=12)


def _looked(parts: list[bytes | None]) -> bool:
    """What a look says of parts, of which None is not known."""
    look = Look()
    for part in parts:
        if part is None:
            look.skip()
        else:
            look.feed(part)
    look.finish()
    return look.suspected


@settings(max_examples=1000 // EVERY, deadline=None)
@given(content=CONTENTS, sizes=SIZES)
@example(content=b"\xef\xbb\xbf# filter=lfs", sizes=[2])
@example(content=b"a\0\n* filter=lfs", sizes=[3])
@example(content=b"* filter=lfs" + b" -text" * 339, sizes=[2000])
@example(content=b"* filter=lfs" + b" -text" * 340, sizes=[2000])
def test_a_blob_in_any_parts_is_seen_as_the_whole_blob(content: bytes, sizes: list[int]) -> None:
    assert _looked([*chunks(content, sizes)]) == attributes_use_lfs(content)


@settings(max_examples=1000 // EVERY, deadline=None)
@given(before=st.integers(0, 200_000), sizes=SIZES, newlines=st.booleans())
def test_a_line_is_found_anywhere_in_a_large_blob(before: int, sizes: list[int], newlines: bool) -> None:
    filling = (b"some text\n" * (before // 10 + 1))[: before + 1]
    filling = filling if newlines else filling.replace(b"\n", b" ")
    content = filling[:-1] + b"\n*.psd filter=lfs\n" + filling
    parts = [*chunks(content[:before], [1 << 16, 1 << 16]), *chunks(content[before:], sizes)]
    assert _looked([*parts])
    assert not _looked([*chunks(content.replace(b"\n*", b"\n#"), [1 << 16, before])])


LINE = b'text\n"a #!file" -text text=auto filter=lfs diff=lfs merge=lfs -text\nmore text\n'
AT = LINE.index(b"filter=lfs")


@settings(max_examples=1000 // EVERY, deadline=None)
@given(
    first=st.integers(0, len(LINE)),
    second=st.integers(0, len(LINE)),
    sizes=SIZES,
    known=st.sampled_from([(AT + 7, AT + 10), (AT, AT + 7)]),
)
def test_a_line_is_suspected_if_its_end_or_its_beginning_is_known(
    first: int, second: int, sizes: list[int], known: tuple[int, int]
) -> None:
    begin, end = min(first, known[0]), max(second, known[1])
    parts = chunks(LINE[begin:end], sizes)
    before: list[bytes | None] = [None] if begin else []
    after: list[bytes | None] = [None] if end < len(LINE) else []
    assert _looked([*before, *parts, *after])
    instructions = delta([*([begin] if begin else []), *parts, *([len(LINE) - end] if after else [])])
    assert delta_may_be_suspected(instructions)


@pytest.mark.parametrize(
    "run",
    [b"s", b"lfs_object", b"lfsPointer(a)", b"lfs && !settings.sparse", b"a filter", b"the filter=", b"-filter=lfs"],
)
def test_ordinary_changes_are_not_suspected(run: bytes) -> None:
    assert not _looked([None, run + b"\n", None])


def test_a_pointer_in_a_delta_is_suspected() -> None:
    assert _looked([POINTER[:60], None])
    assert delta_may_be_suspected(delta([POINTER[:60], 90]))
    assert not _looked([None, POINTER])


@pytest.mark.parametrize("cut", range(6))
def test_a_line_is_suspected_whose_pattern_is_cut_anywhere(cut: int) -> None:
    for pattern in (b"a#bcde", b"ab!cde", b'"a b#" ', b"\\!ab#c"):
        assert _looked([None, pattern[cut:] + b" filter=lfs", None])


def test_a_line_of_the_largest_length_is_found_after_a_long_text() -> None:
    line = b"* filter=lfs".ljust(2047)
    text = b"a text\n" * 10_000
    assert _looked([text + line, b"\n" + text])
    assert not _looked([text + line, b"x\n" + text])


INSTRUCTIONS = st.lists(st.one_of(st.binary(min_size=1, max_size=300), st.integers(1, 1000)), max_size=8)


@settings(max_examples=1000 // EVERY, deadline=None)
@given(parts=INSTRUCTIONS, sizes=SIZES, longest=st.integers(1, 127))
def test_a_delta_in_any_parts_has_its_literals(parts: list[bytes | int], sizes: list[int], longest: int) -> None:
    reader, runs = DeltaReader(), [b""]
    for chunk in chunks(delta(parts, longest), sizes):
        for piece in reader.feed(chunk):
            if piece:
                runs[-1] += piece
            else:
                runs.append(b"")
    reader.finish()
    expected = [b""]
    for number, part in enumerate(parts):
        if isinstance(part, bytes):
            expected[-1] += part
        elif not (number and isinstance(parts[number - 1], int)):
            expected.append(b"")
    assert runs == expected


def test_literals_that_follow_each_other_are_not_overlooked() -> None:
    for longest in (1, 2, 127):
        for before in range(200):
            assert delta_may_be_suspected(delta([10, b"-" * before + b"*.psd filter=lfs", 10], longest))
