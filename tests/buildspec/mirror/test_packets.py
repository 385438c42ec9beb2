"""What Git's servers send is read as it was meant, and nothing else is taken for it."""

import io
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buildspec.mirror.failures import UnreachableError
from buildspec.mirror.foreign import shown
from buildspec.mirror.packets import FLUSH, LONGEST_PAYLOAD, Packets, demultiplexed, packet, read_listing
from buildspec.mirror.retries import FinalError

PAYLOADS = st.binary(max_size=300).filter(lambda payload: not payload.startswith(b"ERR "))
IDS = st.binary(min_size=20, max_size=20).map(lambda value: value.hex().encode())
NAMES = (
    st.from_regex("[a-z-][a-z.-]{0,3}[a-z-](/[a-z-]+){0,2}", fullmatch=True)
    .filter(lambda name: ".." not in name and ".lock" not in name)
    .map(str.encode)
)
HEADS_AND_TAGS = st.builds(bytes.__add__, st.sampled_from([b"refs/heads/", b"refs/tags/"]), NAMES)
OTHERS = st.builds(bytes.__add__, st.sampled_from([b"refs/notes/", b"refs/pull/", b"refs/headsx/"]), NAMES)


def reading(data: bytes) -> Packets:
    return Packets(io.BytesIO(data), "source")


@given(st.lists(PAYLOADS | st.none()))
def test_reads_what_was_written(lines: list[bytes | None]) -> None:
    packets = reading(b"".join(FLUSH if line is None else packet(line) for line in lines))
    assert [packets.read() for _ in lines] == lines


@given(st.lists(PAYLOADS, min_size=1), st.data())
def test_notices_every_cut(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(map(packet, lines)) + FLUSH
    packets = reading(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(UnreachableError, match="the source broke off"):
        list(iter(packets.read, None))


@pytest.mark.parametrize("header", [b"0001", b"0002", b"0003", b"fff1", b"ffff", b" 1ff", b"+0ff", b"1_ff", b"HTTP"])
def test_takes_no_other_length(header: bytes) -> None:
    with pytest.raises(UnreachableError, match="not Git's protocol"):
        reading(header + bytes(LONGEST_PAYLOAD)).read()


def test_tells_what_the_server_complains_about() -> None:
    with pytest.raises(UnreachableError, match="the source answers: not our ref"):
        reading(packet(b"ERR not our ref\n")).read()


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=100))))
def test_separates_the_bands(lines: list[tuple[int, bytes]]) -> None:
    packets = reading(b"".join(packet(bytes([band]) + data) for band, data in lines) + FLUSH)
    wanted = b"".join(data for band, data in lines if band == 1)
    assert b"".join(demultiplexed(packets, packets.read())) == wanted


@given(st.lists(st.binary(min_size=1, max_size=100), min_size=1), st.data())
def test_no_part_of_a_cut_band_looks_whole(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(packet(b"\x01" + part) for part in parts) + FLUSH
    packets = reading(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(UnreachableError):
        list(demultiplexed(packets, packets.read()))


def test_an_error_in_the_third_band_ends_the_first() -> None:
    packets = reading(packet(b"\x01PACK") + packet(b"\x03out of\nmemory") + FLUSH)
    with pytest.raises(UnreachableError, match="the source aborted: out of memory"):
        list(demultiplexed(packets, packets.read()))


@pytest.mark.parametrize("line", [b"", b"\x04", b"PACK"])
def test_knows_no_other_band(line: bytes) -> None:
    packets = reading(packet(line) + FLUSH)
    with pytest.raises(UnreachableError, match="not Git's protocol"):
        list(demultiplexed(packets, packets.read()))


@pytest.mark.slow
@given(
    st.dictionaries(HEADS_AND_TAGS, IDS),
    st.dictionaries(OTHERS, IDS),
    IDS,
    st.sets(st.sampled_from([b"thin-pack", b"agent=git/2", b"symref=HEAD:refs/heads/--no-verify"])),
)
def test_lists_heads_and_tags_and_nothing_else(
    refs: dict[bytes, bytes], others: dict[bytes, bytes], peeled: bytes, capabilities: set[bytes]
) -> None:
    lines = [b"%b %b\n" % (value, name) for name, value in (refs | others).items()]
    lines += [b"%b %b^{}\n" % (peeled, name) for name in refs]
    lines = [b"%b HEAD\n" % peeled, *lines, b"shallow %b\n" % peeled]
    lines[0] = lines[0].rstrip(b"\n") + b"\0" + b" ".join(capabilities) + b"\n"
    listing = read_listing(reading(b"".join(map(packet, lines)) + FLUSH))
    assert listing.refs == refs
    assert listing.capabilities == capabilities
    wanted = b"refs/heads/--no-verify" if b"symref=HEAD:refs/heads/--no-verify" in capabilities else None
    assert listing.default == wanted


@pytest.mark.parametrize("lines", [[], [b"0" * 40 + b" capabilities^{}\0report-status\n"]])
def test_an_empty_repository_has_no_refs(lines: list[bytes]) -> None:
    assert read_listing(reading(b"".join(map(packet, lines)) + FLUSH)).refs == {}


@pytest.mark.parametrize(
    "line",
    [
        b"a" * 64 + b" refs/heads/main",  # SHA-256
        b"a" * 39 + b" refs/heads/main",
        b"A" * 40 + b" refs/heads/main",
        b"a" * 40,
        b"version 1",
        b"a" * 40 + b" refs/heads/a b",
        b"a" * 40 + b" refs/heads/a\nb",
        b"a" * 40 + b" refs/heads/\x1b[2J",
        b"a" * 40 + b" refs/heads/a\0agent=x",
        b"a" * 40 + b" refs/heads/",
        *(
            b"a" * 40 + b" refs/heads/" + name
            for name in (
                b"../x",
                b"a..b",
                b"a//b",
                b"/a",
                b"a/",
                b"a.lock",
                b"a.lock/b",
                b".a",
                b"a/.b",
                b"a.",
                b"a@{1}",
            )
        ),
    ],
)
def test_refuses_a_listing_with_something_else_in_it(line: bytes) -> None:
    first = packet(b"b" * 40 + b" HEAD\0thin-pack\n")
    with pytest.raises(UnreachableError, match="not Git's protocol"):
        read_listing(reading(first + packet(line) + FLUSH))


def test_refuses_a_ref_that_is_listed_twice() -> None:
    lines = [packet(digit * 40 + b" refs/heads/main\n") for digit in (b"1", b"2")]
    with pytest.raises(UnreachableError, match="not Git's protocol"):
        read_listing(reading(b"".join(lines) + FLUSH))


def test_refuses_a_default_branch_that_no_branch_can_be() -> None:
    line = packet(b"1" * 40 + b" refs/heads/main\0symref=HEAD:refs/heads/../x\n")
    with pytest.raises(UnreachableError, match="not Git's protocol"):
        read_listing(reading(line + FLUSH))


class Endless(io.RawIOBase):
    """Lines for ever, `write` giving the payload of each by its number."""

    def __init__(self, write: Callable[[int], bytes]) -> None:
        super().__init__()
        self._lines = (packet(write(number)) for number in itertools.count())
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._left = self._left or next(self._lines)
        part, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def endless(write: Callable[[int], bytes]) -> Packets:
    return Packets(io.BufferedReader(Endless(write)), "source")


@pytest.mark.slow
@pytest.mark.parametrize("line", [b"\x02" + b"." * 1000, b"\x01"])
def test_progress_without_data_ends(line: bytes) -> None:
    packets = endless(lambda _: line)
    with pytest.raises(UnreachableError, match="sends progress and no data"):
        list(demultiplexed(packets, packets.read()))


def test_a_listing_has_so_many_refs_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("buildspec.mirror.packets._MOST_REFS", 1000)
    with pytest.raises(FinalError, match="lists 1000 refs or more"):
        read_listing(endless(lambda number: b"%040x refs/heads/%d\n" % (number, number)))


@pytest.mark.slow
@pytest.mark.parametrize("name", [b"refs/heads/%d/" + b"x" * 60_000, b"refs/pull/%d/" + b"x" * 60_000])
def test_a_listing_has_so_many_bytes_at_most(name: bytes) -> None:
    with pytest.raises(FinalError, match="more than 64 MiB of them"):
        read_listing(endless(lambda number: b"%040x " % number + name % number))


@given(st.binary(max_size=2000))
def test_shows_foreign_text_in_one_short_line(text: bytes) -> None:
    line = shown(text)
    assert line.isprintable()
    assert len(line) <= 301
