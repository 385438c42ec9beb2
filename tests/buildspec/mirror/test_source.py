"""What goes wrong between a build and Backlog."""

import itertools
import subprocess
import time
from pathlib import Path

import pytest

from buildspec.mirror.failures import UnreachableError
from buildspec.mirror.retries import FinalError, Timeouts
from buildspec.mirror.source import Source
from tests.buildspec.mirror.ends import LISTING, Ends, add, commits, git, pack_tags

pytestmark = pytest.mark.tool("git")

IMPATIENT = Timeouts(connect=1, silence=0.2)
LONG = 100_000


def commit(ends: Ends) -> None:
    add(ends.source, commits("refs/heads/main", [("a", b"1")]))


def says(ends: Ends, script: str) -> str:
    """The error of a connection in which ssh does something else."""
    ends.ssh.write_text(script)
    ends.source_timeouts = IMPATIENT
    with pytest.raises(UnreachableError) as error:
        ends.connect_source().open()
    return str(error.value)


@pytest.mark.tool("ssh")
def test_ssh_knows_all_its_options(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch()
    source = Source("example.git.backlog.jp", "example", "/WEB/website.git", str(key), "/known_hosts")
    program, *arguments = source.command()
    read = subprocess.run([program, "-G", *arguments], capture_output=True, text=True, check=True)
    assert {
        "hostname example.git.backlog.jp",
        "user example",
        f"identityfile {key}",
        "identitiesonly yes",
        "identityagent none",
        "batchmode yes",
        "stricthostkeychecking true",
        "userknownhostsfile /known_hosts",
        "globalknownhostsfile /dev/null",
        "updatehostkeys false",
        "clearallforwardings yes",
        "connecttimeout 30",
        "serveraliveinterval 30",
    } <= set(read.stdout.splitlines())
    assert arguments[-1] == "git-upload-pack '/WEB/website.git'"


def test_waits_only_so_long_for_the_listing(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("buildspec.mirror.retries._NO_FURTHER_ATTEMPT_AFTER", 0)
    started = time.monotonic()
    assert says(ends, "#!/bin/sh\nexec sleep 60\n").startswith("the source was silent for 0.2 seconds")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("haves", [0, LONG])
def test_waits_only_so_long_for_the_pack(ends: Ends, haves: int) -> None:
    commit(ends)
    ends.ssh.write_text(LISTING + "exec sleep 60\n")  # it does not read either
    ends.source_timeouts = IMPATIENT
    with ends.connect_source().open() as session:
        have = [b"%040x" % number for number in range(haves)]
        with pytest.raises(UnreachableError, match="the source was silent"):
            list(session.fetch(list(session.listing.refs.values()), have, []))


def test_tries_again_after_a_failed_connection(ends: Ends) -> None:
    commit(ends)
    once = 'if [ -e "$0.failed" ]; then :; else touch "$0.failed"; exit 255; fi\n'
    script = ends.ssh.read_text()
    ends.ssh.write_text(script.replace("#!/bin/sh\n", f"#!/bin/sh\n{once}"))
    with ends.connect_source().open() as session:
        assert list(session.listing.refs) == [b"refs/heads/main"]


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("echo 'Host key verification failed.' >&2; exit 255", "a host key that is not pinned"),
        ("echo 'x: Permission denied (publickey).' >&2; exit 255", "refuses the SSH key"),
        ("echo 'ssh: connect to host x port 22: refused' >&2; exit 255", "ssh says: ssh: connect to host x port 22"),
        ("echo Welcome; exit 0", "not Git's protocol: 'Welc'"),
        ("exit 0", "the source broke off"),
    ],
)
def test_says_why_a_connection_failed(ends: Ends, script: str, text: str) -> None:
    assert text in says(ends, f"#!/bin/sh\n{script}\n")


def test_says_that_ssh_is_missing(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UnreachableError, match="ssh cannot be started: No such file"):
        ends.connect_source().open()


def test_too_many_refs_are_final(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(ends)
    monkeypatch.setattr("buildspec.mirror.packets._MOST_REFS", 0)
    with pytest.raises(FinalError, match="the source lists 0 refs or more"):
        ends.connect_source().open()


def test_says_that_a_pack_was_cut(ends: Ends) -> None:
    commit(ends)
    ends.ssh.write_text(LISTING + "printf '0008NAK\\n0010\\001PACK\\0\\0\\0\\2\\0\\0\\0'\n")
    with ends.connect_source().open() as session, pytest.raises(UnreachableError, match="the source broke off"):
        list(session.fetch(list(session.listing.refs.values()), [], []))


@pytest.mark.parametrize(("haves", "answer"), [(0, "0008NAK\\n"), (300, "0037ACK %040d common\\n")])
def test_acknowledgements_without_end_are_not_read_for_ever(ends: Ends, haves: int, answer: str) -> None:
    commit(ends)
    ends.ssh.write_text(LISTING + f"exec yes '{answer[:-2]}'\n")
    with ends.connect_source().open() as session, pytest.raises(UnreachableError, match="not Git's protocol"):
        list(session.fetch(list(session.listing.refs.values()), [b"%040x" % number for number in range(haves)], []))


def test_says_what_the_source_does_not_give(ends: Ends) -> None:
    commit(ends)
    with ends.connect_source().open() as session, pytest.raises(UnreachableError, match="not our ref 1111"):
        list(session.fetch([b"1" * 40], [], []))


def test_reads_acknowledgements_while_it_names_what_the_target_has(ends: Ends) -> None:
    """upload-pack acknowledges each commit that it has, and waits until that is read."""
    add(ends.source, commits("refs/heads/main", [("a", b"%d" % number) for number in range(5000)]))
    add(ends.source, commits("refs/heads/unrelated", [("b", b"1")]))
    with ends.connect_source().open() as session:
        new = session.listing.refs[b"refs/heads/unrelated"]
        old = git(ends.source, "rev-list", "main").split()
        assert b"".join(session.fetch([new], old, [b"thin-pack"])).startswith(b"PACK")


def test_is_not_blocked_by_messages(ends: Ends) -> None:
    commit(ends)
    chatty = f"yes hello | head -c {LONG} >&2\n"
    ends.ssh.write_text(ends.ssh.read_text().replace("exec sh", f"{chatty}exec sh"))
    with ends.connect_source().open() as session:
        wanted = list(session.listing.refs.values())
        assert sum(map(len, session.fetch(wanted, [], []))) == session.pack_bytes > 0


def test_ends_a_connection_in_which_nothing_is_wanted(ends: Ends) -> None:
    script = ends.ssh.read_text().replace('exec sh -c "$command"', 'sh -c "$command"; echo $? >"$0.status"')
    ends.ssh.write_text(script)
    commit(ends)
    ends.connect_source().open().close()
    assert ends.ssh.with_suffix(".status").read_text() == "0\n"


def test_names_each_of_many_wants(ends: Ends) -> None:
    add(ends.source, commits("refs/heads/main", [("a", b"%d" % number) for number in range(3000)]))
    tagged = git(ends.source, "rev-list", "main").split()
    pack_tags(ends.source, {f"t{number}": value for number, value in zip(itertools.count(), tagged, strict=False)})
    with ends.connect_source().open() as session:
        wants = set(session.listing.refs.values())
        assert len(wants) == 3000
        assert b"".join(session.fetch(wants, [], [])).startswith(b"PACK")
