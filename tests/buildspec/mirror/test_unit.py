"""A unit's mirrors side by side."""

import dataclasses
import errno
import io
import os
import re
import threading
import time

import pytest

from buildspec.mirror import unit
from buildspec.mirror.guards import Build
from buildspec.mirror.mirror import Mirror, Outcome, Rules
from buildspec.mirror.model import Limits
from buildspec.mirror.report import Log
from buildspec.mirror.unit import AT_A_TIME, reconcile, summarise
from tests.buildspec.mirror.memory_ends import MemoryEnds

EQUAL = Outcome(equal=True, compared=True, refs=5)
AWAY = Outcome(equal=False, compared=False, reason="no answer")
STOPPED = Outcome(
    equal=False, compared=True, reason='the target refuses refs/heads/x: "no"\nnever', final=True, cause="x"
)


def _equal_at_first(count: int) -> dict[str, MemoryEnds]:
    mirrors = {f"mirror-{number:04}": MemoryEnds() for number in range(count)}
    for ends in mirrors.values():
        ends.source.commit(b"refs/heads/main")
    return mirrors


def _both_answer() -> str:
    return ""


def _run(mirrors: dict[str, MemoryEnds], log: Log) -> dict[str, Outcome]:
    rules = Rules(Limits(50, 50), Build("example", "x"), pause=0)
    return reconcile(tuple(mirrors), lambda key, own: Mirror(mirrors[key], rules, own).run(), log, _both_answer)


def test_a_mirror_that_fails_or_hangs_leaves_the_others_alone() -> None:
    mirrors = _equal_at_first(200)
    go_on = threading.Event()

    def hang(_: str) -> None:
        go_on.wait(30)

    def fail(_: str) -> None:
        raise KeyError

    mirrors["mirror-0000"].before = hang
    mirrors["mirror-0001"].before = fail
    for key in ("mirror-0000", "mirror-0001"):
        mirrors[key].source.commit(b"refs/heads/late")
    stream = io.StringIO()
    outcomes: dict[str, Outcome] = {}
    thread = threading.Thread(target=lambda: outcomes.update(_run(mirrors, Log(stream))))
    thread.start()
    until = time.monotonic() + 20
    while stream.getvalue().count(": done: ") < 198 and time.monotonic() < until:
        time.sleep(0.01)
    assert stream.getvalue().count(": done: ") == 198
    go_on.set()
    thread.join()
    assert [key for key, outcome in outcomes.items() if not outcome.equal] == ["mirror-0001"]
    assert re.fullmatch(r"an error of this program: KeyError \(.*test_unit\.py:\d+\)", outcomes["mirror-0001"].reason)
    assert outcomes["mirror-0001"].final
    assert all(line.startswith("mirror mirror-") for line in stream.getvalue().splitlines())


def test_sixteen_mirrors_run_at_a_time() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def run_one(_key: str, _own: Log) -> Outcome:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1
        return EQUAL

    reconcile(tuple(map(str, range(100))), run_one, Log(io.StringIO()), _both_answer)
    assert most == AT_A_TIME


def test_a_mirror_that_never_ends_keeps_no_other_from_its_turn() -> None:
    forever = threading.Event()

    def run_one(key: str, _own: Log) -> Outcome:
        if int(key) < AT_A_TIME:
            forever.wait()
        return EQUAL

    outcomes = reconcile(tuple(map(str, range(50))), run_one, Log(io.StringIO()), _both_answer, 2)
    forever.set()
    assert [key for key, outcome in outcomes.items() if not outcome.equal] == [str(key) for key in range(AT_A_TIME)]
    assert outcomes["0"].reason == "it was not done in the time that a mirror may take"
    assert not outcomes["0"].compared


def test_mirrors_that_get_no_turn_in_time_are_not_tried() -> None:
    forever = threading.Event()

    def run_one(_key: str, _own: Log) -> Outcome:
        forever.wait()
        return EQUAL

    outcomes = reconcile(tuple(map(str, range(50))), run_one, Log(io.StringIO()), _both_answer, 0.5)
    forever.set()
    assert not any(outcome.equal or outcome.compared for outcome in outcomes.values())
    reasons = [outcome.reason for outcome in outcomes.values()]
    # Those that took the places of the first ones ran out of time as well.
    assert reasons.count("not tried, as the others took all the time") >= len(outcomes) - 2 * AT_A_TIME


def test_when_an_end_is_away_the_last_mirrors_do_not_wait_for_it() -> None:
    tried, asked = [], []

    def run_one(key: str, _own: Log) -> Outcome:
        tried.append(key)
        return AWAY

    def away() -> str:
        asked.append(1)
        return "the source"

    outcomes = reconcile(tuple(map(str, range(1000))), run_one, Log(io.StringIO()), away)
    assert list(outcomes) == list(map(str, range(1000)))
    assert 2 * AT_A_TIME <= len(tried) < 4 * AT_A_TIME
    assert len(asked) == 1
    assert not any(outcome.equal or outcome.final for outcome in outcomes.values())
    assert {outcome.reason for outcome in outcomes.values()} == {
        AWAY.reason,
        "not tried, as the source does not answer",
    }


def test_many_repositories_that_cannot_be_read_stop_no_others_while_both_ends_answer() -> None:
    def run_one(key: str, _own: Log) -> Outcome:
        return AWAY if int(key) < 90 else EQUAL

    outcomes = reconcile(tuple(map(str, range(100))), run_one, Log(io.StringIO()), _both_answer)
    assert [key for key, outcome in outcomes.items() if outcome.equal] == list(map(str, range(90, 100)))
    assert all(outcome in (AWAY, EQUAL) for outcome in outcomes.values())


def test_mirrors_are_tried_again_when_an_end_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit, "_ASK_AGAIN_AFTER", 0)
    answers = iter(["the source"] * 3)
    outcomes = reconcile(tuple(map(str, range(100))), lambda *_: AWAY, Log(io.StringIO()), lambda: next(answers, ""))
    assert sum(outcome != AWAY for outcome in outcomes.values()) == 3


def test_a_build_does_not_always_begin_with_the_same_mirror() -> None:
    tried: list[str] = []

    def run_one(key: str, _own: Log) -> Outcome:
        tried.append(key)
        return EQUAL

    for _ in range(20):
        reconcile(tuple(map(str, range(500))), run_one, Log(io.StringIO()), _both_answer)
    assert len(set(tried[::500])) > 1


@pytest.mark.parametrize(
    "other",
    [
        EQUAL,
        STOPPED,
        dataclasses.replace(AWAY, final=True),
        dataclasses.replace(AWAY, compared=True, reason="still changes"),
    ],
)
def test_mirrors_that_are_away_among_others_do_not_stop_them(other: Outcome) -> None:
    tried = []

    def run_one(key: str, _own: Log) -> Outcome:
        tried.append(key)
        return AWAY if int(key) % 10 else other

    reconcile(tuple(map(str, range(500))), run_one, Log(io.StringIO()), lambda: "the source")
    assert len(tried) == 500


def test_an_error_of_the_system_says_what_it_is() -> None:
    def run_one(_key: str, _own: Log) -> Outcome:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/secret")

    outcome = reconcile(("website",), run_one, Log(io.StringIO()), _both_answer)["website"]
    assert outcome.reason.startswith("an error of this program: OSError: No space left on device (")
    assert "secret" not in outcome.reason


def test_lines_of_one_mirror_do_not_name_it() -> None:
    stream = io.StringIO()
    _run(_equal_at_first(1), Log(stream))
    assert all(line.startswith("mirror: ") for line in stream.getvalue().splitlines())


def test_the_last_lines_of_several_mirrors_name_those_that_differ() -> None:
    stream = io.StringIO()
    summarise({"website": EQUAL, "shop": AWAY, **{f"x{number}": AWAY for number in range(60)}}, Log(stream))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "mirror: shop: no answer"
    assert lines[-2:] == ["mirror: and 11 others", "mirror: 1 of 62 mirrors are equal"]
