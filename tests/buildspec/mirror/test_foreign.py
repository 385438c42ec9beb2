"""What servers, developers, Git and ssh wrote never is more than text where people read it."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

from buildspec.mirror.aws import AwsRefusedError
from buildspec.mirror.failures import StoppedError, UnreachableError
from buildspec.mirror.foreign import LONGEST_LINE, shown
from buildspec.mirror.git import Git, GitError, Remote
from buildspec.mirror.guards import Build
from buildspec.mirror.mirror import Mirror, Outcome, Rules
from buildspec.mirror.model import Limits
from buildspec.mirror.notices import DIFFER, Notices, about_differing
from buildspec.mirror.report import Log
from buildspec.mirror.retries import FinalError
from buildspec.mirror.state import State, decide, parse, written
from buildspec.mirror.unit import reconcile
from tests.buildspec.mirror.memory_ends import MemoryEnds

HOSTILE = (
    '\r{"_aws":{"Timestamp":1,"CloudWatchMetrics":[]}}',
    '\n{"_aws":{}}\nmirror website: done: the target has the source\'s 5 refs',
    "\x1b[2J\x1b]0;title\x07\u009b2J\x7f\x00\x08",
    "\u2028\u2029\u0085\x0b\x0c\x1c",
    "\u202egnp\u2066\u200b\ufeff\U000e0041",
    "<!channel> <https://evil.example|sign in> <@U1> &lt;",
    "@channel [sign in](https://evil.example) ![](https://evil.example/a.png) `x` www.evil.example",
    '\\" , "log": "https://evil.example',
    "\ud800 " + "x" * 9_000,
)
TEXTS = st.lists(st.one_of(st.text(), st.sampled_from(HOSTILE)), max_size=4).map("".join)
LINK = "https://ap-northeast-1.console.aws.amazon.com/build/?region=ap-northeast-1"
NOW = datetime(2026, 11, 29, 5, 0, tzinfo=UTC)

Place = Callable[[MemoryEnds, str], None]
"""Puts a text where the program meets it."""


def _raised(error: Callable[[str], Exception]) -> Place:
    def place(ends: MemoryEnds, text: str) -> None:
        def before(_: str) -> None:
            raise error(text)

        ends.before = before

    return place


def _refused_ref(ends: MemoryEnds, text: str) -> None:
    ref = b"refs/heads/" + text.encode(errors="surrogatepass")
    ends.source.commit(ref)
    ends.refuses[ref] = text


def _lfs_path(ends: MemoryEnds, text: str) -> None:
    ends.lfs.add(ends.source.commit(b"refs/heads/main"))
    ends.lfs_path = text.encode(errors="surrogatepass")


PLACES: dict[str, Place] = {
    "the name of a ref that is refused, and the reason": _refused_ref,
    "the path of a file in Git LFS": _lfs_path,
    "what a guard says": _raised(StoppedError),
    "what an end says": _raised(UnreachableError),
    "what ends a mirror": _raised(FinalError),
    "what AWS says": _raised(lambda text: AwsRefusedError("PutParameter", text, text)),
    "what nobody foresaw": _raised(RuntimeError),
}


class _Told:
    """Keeps what goes to EventBridge and to a webhook, in place of AWS and of connections."""

    def __init__(self) -> None:
        self.details: list[dict[str, str]] = []
        self.posted: list[str] = []

    def put_event(self, _: str, __: str, detail: dict[str, str]) -> None:
        self.details.append(detail)

    def parameter(self, _: str) -> str:
        return "https://hooks.example.com/services/T0"

    def patiently(self, _: str, ask: Callable[[], Any]) -> Any:
        return ask()

    def request(self, _: str, __: str, ___: Any, body: bytes, ____: str, *, once: bool) -> tuple[int, bytes]:
        assert once
        self.posted.append(json.loads(body)["text"])
        return 200, b"ok"


def _run(place: Place, text: str, transfer: str) -> tuple[Outcome, str]:
    ends, stream = MemoryEnds(), io.StringIO()
    place(ends, text)
    rules = Rules(Limits(50, 50), Build("example", "website"), transfer, pause=0)
    outcomes = reconcile(("website",), lambda _, log: Mirror(ends, rules, log).run(), Log(stream), lambda: "")
    return outcomes["website"], stream.getvalue()


def _assert_lines(log: str) -> None:
    """Whatever ends a line for whoever reads, there is none but those of the program; none is or has a record."""
    assert log.splitlines() == log.split("\n")[:-1]
    for line in log.split("\n")[:-1]:
        assert line.startswith("mirror: ")
        assert line.isprintable()
        assert '"' not in line
        assert len(line.encode()) < 16_000


def _assert_inert(text: str) -> None:
    assert text.isprintable()
    assert not set(text) & set('<>&[]@`"\\')
    assert "://" not in text
    assert "www." not in text


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@given(TEXTS)
@example("".join(HOSTILE))
@settings(max_examples=30)
def test_no_text_is_more_than_text_in_a_log_a_notice_or_the_state(place: Place, text: str) -> None:
    outcome, log = _run(place, text, "copy" if place is _lfs_path else "relay")
    _assert_lines(log)
    verdict = decide(State(), {"website": outcome}, whole=True, now=NOW, alert_hours=0)
    value = written(verdict.state)
    assert value.isascii()
    assert value.isprintable()
    assert parse(value) == verdict.state
    if outcome.equal:
        return
    told: Any = _Told()
    notice = about_differing(verdict.differ, verdict.state, {"website": outcome})
    Notices(told, told, "example", LINK, "/webhook").tell(DIFFER, notice)
    [detail], [posted] = told.details, told.posted
    _assert_inert(detail["mirrors"])
    assert json.loads(f'"{detail["mirrors"]}"') == detail["mirrors"]
    assert posted == f"{DIFFER}: {detail['mirrors']}\nUnit example, log: {LINK}"


def test_what_refuses_a_ref_can_still_be_read() -> None:
    _, log = _run(_refused_ref, "größer/日本\x1b[2J", "relay")
    assert "the target refuses refs/heads/größer/日本 [2J: größer/日本 [2J\n" in log


@given(st.one_of(TEXTS, st.binary()), st.integers(1, 400))
def test_what_is_shown_is_short_and_printable(text: str | bytes, most: int) -> None:
    line = shown(text, most)
    assert line.isprintable()
    assert len(line) <= most + 1
    assert '"' not in line


def test_a_line_that_is_too_long_ends_with_an_ellipsis() -> None:
    assert shown("x" * 301) == "x" * 300 + "…"
    assert shown("x" * 300) == "x" * 300
    assert shown(" " * 700 + "x") == "…"
    stream = io.StringIO()
    Log(stream)("x" * 10_000)
    assert len(stream.getvalue()) == LONGEST_LINE + len("…\n")


def test_what_git_and_ssh_say_is_text(tmp_path: Any) -> None:
    said = '\\033[2J\\r{"_aws":{}}\\n{"_aws":{}}\\302\\233\\342\\200\\256'
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\nprintf '{said}' >&2\nexit 1\n")
    ssh.chmod(0o755)
    git = Git(tmp_path / "copy.git")
    git.create()
    remote = Remote("source", "ssh://u@h/p.git", "ssh", environment={"GIT_SSH_COMMAND": str(ssh)})
    with pytest.raises(GitError) as failed:
        git.run("fetch", remote.url, remote=remote)
    assert str(failed.value).startswith("git fetch ended with 128: [2J {″_aws″:{}} {″_aws″:{}} ")
    assert str(failed.value).isprintable()
