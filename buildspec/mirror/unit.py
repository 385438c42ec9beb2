"""All mirrors of one build: several at a time, and none stops or delays the others."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

from .aws import Aws, AwsRefusedError
from .config import Config, Started
from .failures import UnreachableError
from .mirror import Outcome
from .notices import DIFFER, EQUAL_AGAIN, Notices, NotToldError, about_differing, about_equal
from .report import Log, metrics
from .state import State, Verdict, decide, parse, shown, written

AT_A_TIME = 16
# So many in a row that could not be read say that an end is away, and the others need not wait for it as well.
_MOST_UNREADABLE = 2 * AT_A_TIME
_NAMED = 50

RunOne = Callable[[str, Log], Outcome]
"""Brings one mirror's ends together."""


def reconcile(keys: tuple[str, ...], run_one: RunOne, log: Log) -> dict[str, Outcome]:
    """What became of each mirror. What a mirror raises is its own failure."""
    unreadable = 0
    lock = threading.Lock()

    def run(key: str) -> Outcome:
        nonlocal unreadable
        own = log.of(key) if len(keys) > 1 else log
        if unreadable >= _MOST_UNREADABLE:
            return Outcome(equal=False, compared=False, reason=f"not tried, as {unreadable} others could not be read")
        try:
            outcome = run_one(key, own)
        except Exception as error:
            # Where, and not what it says: that may hold anything.
            frames = traceback.extract_tb(error.__traceback__)
            where = " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
            reason = f"an error of this program: {type(error).__name__} ({where})"
            own(f"stopped: {reason}")
            outcome = Outcome(equal=False, compared=False, reason=reason, final=True)
        with lock:
            unreadable = 0 if outcome.compared or outcome.final else unreadable + 1
        return outcome

    with ThreadPoolExecutor(min(AT_A_TIME, len(keys))) as threads:
        return dict(zip(keys, threads.map(run, keys)))


class Bookkeeping:
    """What the outcomes of a build make of the unit's state, what people are told, and what CloudWatch records."""

    def __init__(self, config: Config, started: Started, aws: Aws, notices: Notices, log: Log) -> None:
        self._config = config
        self._started = started
        self._aws = aws
        self._notices = notices
        self._log = log

    def close(self, outcomes: Mapping[str, Outcome], now: datetime | None = None) -> bool:
        """Finish a build; False where the state is not known or somebody could not be told."""
        now = now or datetime.now(timezone.utc)
        well, state = True, None
        try:
            state = self._update(outcomes, now)
        except NotToldError as error:
            self._log(f"failed: people were not told that mirrors differ or are equal again: {error}")
            well = False
        except (AwsRefusedError, UnreachableError) as error:
            self._log(
                f"failed: it is not known since when mirrors differ, as {self._config.state_parameter} cannot be used: "
                f"{error}"
            )
            well = False
        self._record(outcomes, state, now)
        return well

    def _update(self, outcomes: Mapping[str, Outcome], now: datetime) -> State:
        before, readable = self._read()
        verdict = self._decide(before, outcomes, now)
        problem = None
        try:
            self._tell(verdict, outcomes)
        except NotToldError as error:
            problem = error
        if verdict.differ or verdict.again:
            # Other builds may have written meanwhile.
            before, readable = self._read()
            verdict = self._decide(before, outcomes, now, told=problem is None)
        if verdict.state != before or not readable:
            self._aws.put_parameter(self._config.state_parameter, written(verdict.state))
        if problem:
            raise problem
        if not readable:
            raise AwsRefusedError("reading it", "NoState", "it held something else; from now on it is kept anew")
        return verdict.state

    def _decide(self, before: State, outcomes: Mapping[str, Outcome], now: datetime, *, told: bool = True) -> Verdict:
        hours = self._config.alert_hours
        return decide(before, outcomes, whole=self._started.whole, now=now, alert_hours=hours, told=told)

    def _read(self) -> tuple[State, bool]:
        """The state, and whether the parameter held one."""
        text = self._aws.parameter(self._config.state_parameter)
        try:
            return parse(text), True
        except ValueError:
            return State(), False

    def _tell(self, verdict: Verdict, outcomes: Mapping[str, Outcome]) -> None:
        texts = {}
        if verdict.differ:
            texts[DIFFER] = about_differing(verdict.differ, verdict.state, outcomes)
        if verdict.again:
            texts[EQUAL_AGAIN] = about_equal(verdict.again)
        problems = [problem for kind, text in texts.items() if (problem := self._problem_of_telling(kind, text))]
        if problems:
            raise NotToldError("; ".join(problems))

    def _problem_of_telling(self, kind: str, text: str) -> str:
        try:
            self._notices.tell(kind, text)
        except NotToldError as error:
            return str(error)
        return ""

    def _record(self, outcomes: Mapping[str, Outcome], state: State | None, now: datetime) -> None:
        unit = self._config.unit
        for key, outcome in outcomes.items():
            entry = state.entries.get(key) if state else None
            since = (now - entry.since).total_seconds() if entry else 0.0
            record: dict[str, object] = {
                "unit": unit,
                "mirror": key,
                "equal_since": shown(now) if outcome.equal else None,
                "differs_since": shown(entry.since) if entry else None,
                "refs": outcome.refs,
                "bytes": outcome.bytes_in + outcome.bytes_out,
                "failed": not outcome.equal,
            }
            if self._config.metric_of_each_mirror and (outcome.equal or entry):
                record.update(metrics({"Inequality": ("Seconds", since)}, Unit=unit, Mirror=key))
            self._log.record(record)
        values = {
            "Failed": ("Count", float(sum(not outcome.equal for outcome in outcomes.values()))),
            "BytesMoved": ("Bytes", float(sum(outcome.bytes_in + outcome.bytes_out for outcome in outcomes.values()))),
        }
        if state:
            values["OldestInequality"] = ("Seconds", state.oldest(now))
        if self._started.whole:
            values["Reconciled"] = ("Count", float(sum(outcome.compared for outcome in outcomes.values())))
        self._log.record(metrics(values, Unit=unit))


def summarise(outcomes: Mapping[str, Outcome], log: Log) -> None:
    """Say at the end of a build of several mirrors which are not equal, and why."""
    differ = [(key, outcome) for key, outcome in outcomes.items() if not outcome.equal]
    for key, outcome in differ[:_NAMED]:
        log(f"{key}: {outcome.reason}")
    if len(differ) > _NAMED:
        log(f"and {len(differ) - _NAMED} others")
    log(f"{len(outcomes) - len(differ)} of {len(outcomes)} mirrors are equal")
