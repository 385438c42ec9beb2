"""Since when mirrors differ, and when people are told."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from buildspec.mirror.aws import AwsRefusedError
from buildspec.mirror.failures import StoppedError, cause_of
from buildspec.mirror.mirror import Outcome
from buildspec.mirror.state import Entry, State, Verdict, decide, parse, written

NOW = datetime(2026, 11, 29, 5, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
EQUAL = Outcome(equal=True, compared=True)
AWAY = Outcome(equal=False, compared=False, reason="no answer")
STOPPED = Outcome(equal=False, compared=True, reason="a guard", final=True, cause="StoppedError")

KEYS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=60)
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(
    lambda time: time.replace(second=0, microsecond=0, tzinfo=UTC)
)
ENTRIES = st.builds(Entry, TIMES) | st.builds(
    Entry, TIMES, TIMES, st.text("0123456789abcdef", min_size=6, max_size=6) | st.just("")
)
STATES = st.builds(State, st.dictionaries(KEYS, ENTRIES, max_size=200), st.integers(0, 1000))


@pytest.mark.slow
@given(STATES)
def test_the_parameter_holds_those_that_differ_longest_and_counts_the_others(state: State) -> None:
    text = written(state)
    assert len(text.encode()) <= 4096
    kept = parse(text)
    assert kept.entries.items() <= state.entries.items()
    assert len(kept.entries) + kept.others == len(state.entries) + state.others
    left_out = [(not entry.cause, entry.since) for key, entry in state.entries.items() if key not in kept.entries]
    assert not left_out or max((not entry.cause, entry.since) for entry in kept.entries.values()) <= min(left_out)


def test_an_empty_state_is_an_empty_object() -> None:
    assert written(State()) == "{}"
    assert parse("{}") == State()


def test_a_state_reads_well() -> None:
    state = State({"website": Entry(NOW, NOW + HOUR, "0a1b2c"), "shop": Entry(NOW), "api": Entry(NOW, None, "0a1b2c")})
    assert json.loads(written(state)) == {
        "api": "2026-11-29T05:00Z - 0a1b2c",
        "website": "2026-11-29T05:00Z 2026-11-29T06:00Z 0a1b2c",
        "shop": "2026-11-29T05:00Z",
    }


@pytest.mark.parametrize(
    "value",
    ["", "x", "[]", "null", '{"a":1}', '{"a":"yesterday"}', '{"+":"x"}', '{"+":-1}', '{"a":"2026-11-29T05:00Z x"}'],
)
def test_what_is_no_state_is_not_taken_for_an_empty_one(value: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse(value)


def _hours(outcome: Outcome, hours: int, state: State | None = None) -> list[tuple[str, ...]]:
    """Of which mirrors people were told at each of the hours that a unit was reconciled."""
    said, state = [], state or State()
    for hour in range(hours):
        verdict = decide(state, {"website": outcome}, whole=True, now=NOW + hour * HOUR, alert_hours=6)
        state = parse(written(verdict.state))
        said.append(verdict.differ)
    return said


def test_people_are_told_after_the_hours_of_the_alert_and_again_each_day() -> None:
    told = [hour for hour, keys in enumerate(_hours(AWAY, 60)) if keys]
    assert told == [6, 30, 54]


def test_people_are_told_at_once_of_what_needs_somebody_and_again_each_day() -> None:
    told = [hour for hour, keys in enumerate(_hours(STOPPED, 50)) if keys]
    assert told == [0, 24, 48]


def test_other_words_for_the_same_cause_are_not_told_again() -> None:
    state, told = State(), []
    for hour in range(24):
        refused = AwsRefusedError("AssumeRole", "AccessDenied", f"AWSCodeBuild-{hour} may not; request {hour}")
        outcome = Outcome(equal=False, compared=False, reason=str(refused), final=True, cause=cause_of(refused))
        verdict = decide(state, {"website": outcome}, whole=True, now=NOW + hour * HOUR, alert_hours=6)
        state = parse(written(verdict.state))
        told += [hour] * len(verdict.differ)
    assert told == [0]


@pytest.mark.parametrize("outcome", [EQUAL, STOPPED])
def test_what_was_read_before_another_build_wrote_changes_nothing(outcome: Outcome) -> None:
    known = State({"website": Entry(NOW - 5 * HOUR, NOW, "0a1b2c")})
    old = replace(outcome, read=NOW - HOUR)
    later = NOW + HOUR
    assert decide(known, {"website": old}, whole=True, now=later, alert_hours=6) == Verdict(known)
    new = replace(outcome, read=NOW + HOUR)
    assert decide(known, {"website": new}, whole=True, now=later, alert_hours=6) != Verdict(known)


def test_a_guard_is_the_same_cause_whatever_its_numbers() -> None:
    first, second, other = (
        cause_of(StoppedError(problem, "allow it"))
        for problem in ("it lacks 31 of 50 refs", "it lacks 32 of 52 refs", "it rewrote 31 branches")
    )
    assert first == second != other


def test_people_are_told_at_once_of_a_guard_while_more_differ_than_fit() -> None:
    away = {f"web-repository-{number:03}": AWAY for number in range(100)}
    state, told = State(), []
    for hour in range(24):
        outcomes = {**away, "zzz": STOPPED} if hour else away
        verdict = decide(state, outcomes, whole=True, now=NOW + hour * HOUR, alert_hours=6)
        state = parse(written(verdict.state))
        told += [hour] * ("zzz" in verdict.differ)
    assert told == [1]


def test_people_are_told_at_once_of_a_guard_while_more_are_stopped_than_fit() -> None:
    stopped = {f"web-repository-{number:03}": STOPPED for number in range(100)}
    state, told = State(), []
    for hour in range(24):
        outcomes = {**stopped, "zzz": STOPPED} if hour else stopped
        verdict = decide(state, outcomes, whole=True, now=NOW + hour * HOUR, alert_hours=6)
        state = parse(written(verdict.state))
        told += [hour] * ("zzz" in verdict.differ)
    assert told == [1]


def test_what_was_told_once_is_not_told_again_after_an_end_was_away() -> None:
    state, told = State(), []
    for hour in range(10):
        outcome = AWAY if hour == 3 else STOPPED
        verdict = decide(state, {"website": outcome}, whole=True, now=NOW + hour * HOUR, alert_hours=6)
        state = parse(written(verdict.state))
        told += [hour] * len(verdict.differ)
    assert told == [0]


def test_people_are_told_of_another_cause() -> None:
    first = decide(State(), {"website": STOPPED}, whole=True, now=NOW, alert_hours=6)
    other = Outcome(equal=False, compared=True, reason="a guard", final=True, cause="FinalError 403")
    again = decide(first.state, {"website": other}, whole=True, now=NOW + HOUR, alert_hours=6)
    assert again.differ == ("website",)
    assert again.state.entries["website"].since == NOW
    same = decide(again.state, {"website": other}, whole=True, now=NOW + 2 * HOUR, alert_hours=6)
    assert same.differ == ()


@pytest.mark.parametrize(("entry", "again"), [(Entry(NOW), ()), (Entry(NOW, NOW, "0a1b2c"), ("website",))])
def test_people_are_told_that_it_is_well_if_they_were_told_that_it_is_not(entry: Entry, again: tuple[str, ...]) -> None:
    verdict = decide(State({"website": entry}), {"website": EQUAL}, whole=True, now=NOW, alert_hours=6)
    assert verdict == Verdict(State(), (), again)


def test_what_could_not_be_told_is_told_next_time() -> None:
    failed = decide(State(), {"website": STOPPED}, whole=True, now=NOW, alert_hours=6, told=False)
    assert failed == Verdict(State({"website": Entry(NOW, None, failed.state.entries["website"].cause)}), ("website",))
    assert decide(failed.state, {"website": STOPPED}, whole=True, now=NOW, alert_hours=6).differ == ("website",)
    known = State({"website": Entry(NOW, NOW, "0a1b2c")})
    assert decide(known, {"website": EQUAL}, whole=True, now=NOW, alert_hours=6, told=False).state == known


@pytest.mark.slow
@given(STATES, st.dictionaries(KEYS, st.sampled_from([EQUAL, AWAY, STOPPED])), st.booleans())
def test_a_build_changes_the_entries_of_its_own_mirrors_alone(
    before: State, outcomes: dict[str, Outcome], whole: bool
) -> None:
    after = decide(before, outcomes, whole=whole, now=NOW, alert_hours=6).state
    for key, entry in before.entries.items():
        if key not in outcomes:
            assert after.entries.get(key) == (None if whole else entry)
    for key, outcome in outcomes.items():
        assert (key in after.entries) != outcome.equal
        if not outcome.equal and key in before.entries:
            assert after.entries[key].since == before.entries[key].since
    assert after.others == (0 if whole else before.others)


@pytest.mark.slow
def test_while_some_do_not_fit_nobody_is_told_of_each_of_them_each_hour() -> None:
    outcomes = {f"mirror-{number:04}": STOPPED for number in range(1000)}
    state, told = State(), []
    for hour in range(30):
        verdict = decide(state, outcomes, whole=True, now=NOW + hour * HOUR, alert_hours=6)
        state = parse(written(verdict.state))
        told.append(len(verdict.differ))
    assert told[0] == 1000
    assert sum(told[1:24]) == 0
    assert told[24] > 0


def test_the_oldest_inequality_is_in_seconds() -> None:
    state = State({"a": Entry(NOW - HOUR), "b": Entry(NOW - 2 * HOUR)})
    assert state.oldest(NOW) == 7200
    assert State().oldest(NOW) == 0
