"""What an inspector sees in a pack on its way, and when it asks for a look at the history."""

import hashlib
import os
import random
import subprocess
import tracemalloc
import zlib
from pathlib import Path

import pytest

from buildspec.mirror.failures import LookNeededError
from buildspec.mirror.inspection import Inspector
from buildspec.mirror.model import Change, Push
from buildspec.mirror.pack import LARGEST_PART, OFFSET_DELTA, REF_DELTA, PackError, PackReader, Part
from tests.buildspec.mirror.packs import BLOB, COMMIT, TREE, chunks, commit, delta, header, name, pack
from tests.buildspec.mirror.packs import REF_DELTA as DELTA

ATTRIBUTES = b"*.psd filter=lfs diff=lfs merge=lfs -text\n"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"
OLD = name("commit", b"old")


def _push(*moves: tuple[bytes, bytes], unproved: bool = True) -> Push:
    changes = tuple(Change(f"refs/heads/b{n}".encode(), old, new) for n, (old, new) in enumerate(moves))
    return Push(changes, frozenset(changes if unproved else ()))


def _inspected(content: bytes, push: Push | None = None, *, lfs: str = "refuse", permitted: int = 0) -> Inspector:
    inspector = Inspector(push or Push(()), lfs=lfs, permitted=permitted)
    for begin in range(0, len(content), 1000):
        inspector.feed(content[begin : begin + 1000])
    inspector.finish()
    return inspector


def _asks(content: bytes, push: Push | None = None, *, permitted: int = 0) -> str:
    with pytest.raises(LookNeededError) as asked:
        _inspected(content, push, permitted=permitted)
    return str(asked.value)


def _read(data: bytes, sizes: list[int]) -> list[Part]:
    reader = PackReader()
    parts: list[Part] = []
    for chunk in chunks(data, sizes):
        assert not reader.complete or len(chunk) <= 20
        parts += reader.feed(chunk)
    assert reader.complete
    return parts


def test_a_pack_in_chunks_of_any_size_has_the_same_objects() -> None:
    choose = random.Random(14)
    objects = [
        (choose.choice([COMMIT, TREE, BLOB, DELTA]), choose.randbytes(choose.choice([0, 1, 15, 16, 100, 5000])))
        for _ in range(50)
    ]
    for level in (0, 9):
        data = pack(*objects, level=level)
        for sizes in ([], [1] * len(data), [7] * (len(data) // 7), [12, 1], [4096] * 30, [len(data) - 20]):
            assert [(part.kind, part.content) for part in _read(data, sizes)] == objects


def test_a_large_object_comes_in_parts() -> None:
    content = random.Random(14).randbytes(2 * LARGEST_PART + 5)
    parts = _read(pack((BLOB, b"a"), (BLOB, content), (BLOB, b"b")), [65536] * 60)
    assert [parts[0].content, parts[-1].content] == [b"a", b"b"]
    large = parts[1:-1]
    assert all(len(part.content) <= LARGEST_PART + 1 and not part.whole for part in large)
    assert _joined(large) == [(BLOB, content)]
    assert [part.last for part in large].index(True) == len(large) - 1


def test_what_is_no_pack_is_refused() -> None:
    good = pack((BLOB, b"text" * 100), (BLOB, b"a"))
    content, begin = zlib.compress(b"text" * 100), 14
    for broken in (
        b"JUNK" + good[4:],
        good[:4] + b"\0\0\0\4" + good[8:],
        good[:12] + b"\x50" + good[13:],
        good[:12] + b"\x00" + good[13:],
        good[:12] + b"\xff" * 20 + good[13:],
        good[:12] + b"\xe0" + b"\xff" * 20 + good[13:],
        good[:begin] + b"\xff" * len(content) + good[begin + len(content) :],
        good[:12] + b"\xb1" + good[13:],
        good[:12] + b"\xbf" + good[13:],
    ):
        assert _asks(broken).startswith("the pack cannot be inspected: ")
        with pytest.raises(PackError):
            _read(broken, [])


def test_a_pack_that_ends_too_early_needs_a_look() -> None:
    data = pack((BLOB, b"text"), (BLOB, b"more"))
    for length in range(1, len(data) - 20):
        assert _asks(data[:length]) == "the pack cannot be inspected: it ends too early"
    _inspected(data[:-20])
    _inspected(pack())
    _inspected(b"")


def test_a_delta_that_cannot_be_read_needs_a_look() -> None:
    for broken in (delta([b"lfs "])[:-1], delta([b"lfs"]) + b"\0", b"lfs" * 10 + b"\x7f"):
        assert _asks(pack((DELTA, broken))).startswith("the pack cannot be inspected: a delta ")


def test_lfs_is_suspected_in_blobs_of_any_name() -> None:
    for content in (ATTRIBUTES, b"a\n" + ATTRIBUTES + b"b", POINTER):
        assert _asks(pack((TREE, b"x"), (BLOB, content))) == "a file looks like the use of Git LFS"
        assert _inspected(pack((BLOB, content)), lfs="warn").warnings == [
            "a file looks like the use of Git LFS; the content of files in Git LFS does not reach the target"
        ]
        assert _inspected(pack((COMMIT, content), (TREE, content), (4, content))).warnings == []
    _inspected(pack((BLOB, b"# " + ATTRIBUTES), (BLOB, b"text\n" + POINTER), (BLOB, b"\0" + ATTRIBUTES)))


def test_lfs_is_suspected_in_deltas() -> None:
    changes: list[list[bytes | int]] = [
        [300, b"\n" + ATTRIBUTES, 7],
        [300, b"lfs diff=lfs", 7],
        [300, b" filter=", 7],
        [POINTER[:60], 9],
    ]
    for parts in changes:
        assert _asks(pack((DELTA, delta(parts)))) == "a change of a file looks like the use of Git LFS"
    _inspected(pack((DELTA, delta([300, b"\n# a comment\n", 7, b"lfs_storage", 8]))))


def test_a_large_file_and_a_large_delta_are_looked_at() -> None:
    text = b"0123456789abcde\n" * (LARGEST_PART // 16)
    assert _asks(pack((BLOB, text + ATTRIBUTES + text))).startswith("a file looks")
    assert _asks(pack((DELTA, delta([5, text + ATTRIBUTES + text, 5])))).startswith("a change of a file looks")
    assert _asks(pack((DELTA, delta([5, text, 5, b"lfs\n", 5])))).startswith("a change of a file looks")
    _inspected(pack((BLOB, text + b"#" + ATTRIBUTES), (DELTA, delta([5, text + b"#" + ATTRIBUTES, 5]))))


def test_one_warning_is_enough() -> None:
    assert len(_inspected(pack(*[(BLOB, ATTRIBUTES)] * 3), lfs="warn").warnings) == 1


def test_an_old_commit_is_proved_by_the_parents_of_new_ones() -> None:
    first = commit(OLD)
    side = commit(b"5" * 40, message="side")
    merge = commit(name("commit", side), name("commit", first), message="merge")
    objects = [(COMMIT, content) for content in (merge, side, first)]
    _inspected(pack(*objects), _push((OLD, name("commit", merge)), (OLD, name("commit", first))))
    for new in (name("commit", side), b"6" * 40):
        assert _asks(pack(*objects), _push((OLD, name("commit", merge)), (OLD, new))) == (
            "the pack does not show whether these branches still contain what they had: refs/heads/b1"
        )


def test_text_that_only_looks_like_a_parent_proves_nothing() -> None:
    lie = commit(message=f"\nparent {OLD.decode()}\n")
    other = b"tree " + b"4" * 40 + b"\nauthor A\nparent " + OLD + b"\n\n"
    broken = commit(OLD[:39] + b"x")
    for content in (lie, other, broken):
        assert "refs/heads/b0" in _asks(pack((COMMIT, content)), _push((OLD, name("commit", content))))


def test_a_commit_that_is_a_delta_proves_nothing() -> None:
    content = commit(OLD)
    assert "refs/heads/b0" in _asks(pack((DELTA, delta([content]))), _push((OLD, name("commit", content))))


def test_so_many_moves_may_stay_unproved_as_are_permitted() -> None:
    new = commit(b"5" * 40)
    push = _push(*[(OLD, name("commit", new))] * 12)
    _inspected(pack((COMMIT, new)), push, permitted=12)
    _inspected(b"", push, permitted=12)
    message = _asks(pack((COMMIT, new)), push, permitted=11)
    assert message.endswith("refs/heads/b6, refs/heads/b7 and 2 others")
    _inspected(pack((COMMIT, new)), _push(*[(OLD, name("commit", new))] * 12, unproved=False))


@pytest.mark.slow
def test_a_file_of_any_size_is_looked_at_in_little_memory() -> None:
    block, blocks = b"0123456789abcdef" * 4096, 2048
    compressor = zlib.compressobj(1)
    packed = b"".join([*(compressor.compress(block) for _ in range(blocks)), compressor.flush()])
    packed = pack((BLOB, b""))[:12] + header(BLOB, len(block) * blocks) + packed
    inspector = Inspector(Push(()), lfs="refuse", permitted=0)
    tracemalloc.start()
    try:
        for begin in range(0, len(packed), 65536):
            inspector.feed(packed[begin : begin + 65536])
        inspector.finish()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 << 20


@pytest.mark.tool("git")
def test_packs_of_git_are_read_as_git_reads_them(tmp_path: Path) -> None:
    repository = _repository(tmp_path)
    for options, thin in ((["--delta-base-offset"], False), ([], False), (["--thin"], True)):
        given = "HEAD\n" + ("^HEAD~4\n" if thin else "")
        data = repository("pack-objects", "--revs", "--stdout", *options, given=given.encode())
        objects = _joined(_read(data, [65536] * (len(data) // 65536)))
        kinds = {COMMIT: "commit", TREE: "tree", BLOB: "blob"}
        read = {name(kinds[kind], content) for kind, content in objects if kind in kinds}
        listed = {line[:40] for line in repository("rev-list", "--objects", *given.split()).splitlines()}
        deltas = [kind for kind, _ in objects if kind not in kinds]
        assert read <= listed
        assert len(read) + len(deltas) == len(listed)
        assert len(deltas) > 5
        assert set(deltas) == {OFFSET_DELTA if "--delta-base-offset" in options else REF_DELTA}


def _joined(parts: list[Part]) -> list[tuple[int, bytes]]:
    objects: list[tuple[int, bytes]] = []
    for part in parts:
        objects.append((part.kind, (b"" if part.first else objects.pop()[1]) + part.content))
    return objects


@pytest.mark.tool("git")
def test_thin_packs_of_git_prove_what_they_contain_and_show_lfs(tmp_path: Path) -> None:
    repository = _repository(tmp_path)
    old, new = repository("rev-parse", "HEAD~4", "HEAD").split()
    data = repository("pack-objects", "--revs", "--thin", "--stdout", given=b"HEAD\n^HEAD~4\n")
    _inspected(data, _push((old, new)))
    assert "refs/heads/b0" in _asks(data, _push((new, old)))
    text = (tmp_path / "text").read_bytes()
    (tmp_path / "text").write_bytes(text[:5000] + b"\n" + ATTRIBUTES + text[5000:])
    repository("commit", "--quiet", "--all", "--message=lfs")
    data = repository("pack-objects", "--revs", "--thin", "--stdout", given=b"HEAD\n^HEAD~1\n")
    assert len(data) < 1000
    assert _asks(data) == "a change of a file looks like the use of Git LFS"


class _Repository:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, *arguments: str, given: bytes = b"") -> bytes:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        environment |= {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        command = ["git", "-C", str(self._folder), *arguments]
        return subprocess.run(command, input=given, stdout=subprocess.PIPE, check=True, env=environment).stdout


def _repository(folder: Path) -> _Repository:
    """Eight commits of a text that changes, a large text and a large file that does not compress."""
    repository, choose = _Repository(folder), random.Random(14)
    repository("init", "--quiet")
    lines = [hashlib.sha256(str(line).encode()).hexdigest() for line in range(2000)]
    (folder / "random").write_bytes(choose.randbytes(LARGEST_PART + 1000))
    for number in range(8):
        lines[choose.randrange(2000)] = f"line of commit {number}"
        (folder / "text").write_text("\n".join(lines))
        (folder / "large").write_text("\n".join(lines * 17))
        repository("add", ".")
        repository("commit", "--quiet", f"--message={number}")
    return repository
