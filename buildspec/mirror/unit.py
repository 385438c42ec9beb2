"""All mirrors of one build: several at a time, and none stops or delays the others."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timezone

from .aws import Aws, AwsRefusedError
from .config import Config, Started
from .failures import UnreachableError
from .mirror import Outcome
from .notices import DIFFER, EQUAL_AGAIN, Notices, NotToldError, about_differing, about_equal
from .report import Log, counted, metrics, unforeseen
from .state import State, Verdict, decide, minute, parse, written

AT_A_TIME = 16
# A build that nobody gave more time ends after an hour, and its bookkeeping comes last.
SECONDS = 55 * 60
_SHARE_OF_ONE = 0.8
# So many in a row that could not be read may mean that an end is away. Then the others need not wait for it as well.
_MOST_UNREADABLE = 2 * AT_A_TIME
_ASK_AGAIN_AFTER = 60
_NAMED = 50

RunOne = Callable[[str, Log], Outcome]
"""Brings one mirror's ends together."""


def reconcile(
    keys: tuple[str, ...], run_one: RunOne, log: Log, away: Callable[[], str], seconds: float = SECONDS
) -> dict[str, Outcome]:
    """What became of each mirror, within so many seconds. What a mirror raises is its own failure.

    `away` names an end that answers nobody, and is empty where both answer: then each mirror is tried, however many
    repositories cannot be read.
    """
    unreadable = 0
    lock = threading.Lock()
    absence = _Absence(away)

    def run(key: str) -> Outcome:
        nonlocal unreadable
        own = log.of(key) if len(keys) > 1 else log
        if unreadable >= _MOST_UNREADABLE and (end := absence.now()):
            return Outcome(equal=False, compared=False, reason=f"not tried, as {end} does not answer")
        try:
            outcome = run_one(key, own)
        except Exception as error:
            reason = unforeseen(error)
            own(f"stopped: {reason}")
            outcome = Outcome(equal=False, compared=False, reason=reason, final=True, cause=reason)
        with lock:
            unreadable = 0 if outcome.compared or outcome.final else unreadable + 1
        return outcome

    # A build that ends early leaves others out each time.
    first = random.randrange(len(keys))  # noqa: S311  (no secret)
    order = keys[first:] + keys[:first]
    outcomes = _Workers(order, run, seconds).outcomes()
    return {key: outcomes[key] for key in keys}


class _Workers:
    """Threads that take one mirror after another. One that takes too long is given up, and another takes its place."""

    def __init__(self, keys: tuple[str, ...], run: Callable[[str], Outcome], seconds: float) -> None:
        self._keys = keys
        self._run = run
        self._until = time.monotonic() + seconds
        self._of_one = seconds * _SHARE_OF_ONE
        self._waiting = deque(keys)
        self._busy: dict[object, tuple[str, float]] = {}
        self._found: dict[str, Outcome] = {}
        self._changed = threading.Condition()

    def outcomes(self) -> dict[str, Outcome]:
        """What became of each mirror, in the order of the keys."""
        with self._changed:
            for _ in range(min(AT_A_TIME, len(self._keys))):
                self._start()
            while self._waiting or self._busy:
                until = min((self._until, *(since + self._of_one for _, since in self._busy.values())))
                self._changed.wait(max(0, until - time.monotonic()))
                self._give_up(time.monotonic())
            return {key: self._found[key] for key in self._keys}

    def _start(self) -> None:
        threading.Thread(target=self._work, args=(object(),), daemon=True).start()

    def _work(self, worker: object) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    return
                key = self._waiting.popleft()
                self._busy[worker] = key, time.monotonic()
                self._changed.notify()
            outcome = self._run(key)
            with self._changed:
                if self._busy.pop(worker, None) is None:
                    return
                self._found[key] = outcome
                self._changed.notify()

    def _give_up(self, now: float) -> None:
        for worker, (key, since) in list(self._busy.items()):
            if now >= min(self._until, since + self._of_one):
                del self._busy[worker]
                self._found[key] = _late("it was not done in the time that a mirror may take")
                self._start()
        if now >= self._until:
            self._found.update((key, _late("not tried, as the others took all the time")) for key in self._waiting)
            self._waiting.clear()


def _late(reason: str) -> Outcome:
    return Outcome(equal=False, compared=False, reason=reason)


class _Absence:
    """Which end is away, asked at most once a minute, and by one thread for all."""

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._until = time.monotonic()
        self._end = ""

    def now(self) -> str:
        with self._lock:
            if time.monotonic() >= self._until:
                self._end = self._ask()
                self._until = time.monotonic() + _ASK_AGAIN_AFTER
            return self._end


class Bookkeeping:
    """What the outcomes of a build make of the unit's state, what people are told, and what CloudWatch records."""

    def __init__(self, config: Config, started: Started, aws: Aws, notices: Notices, log: Log) -> None:
        self._config = config
        self._started = started
        self._aws = aws
        self._notices = notices
        self._log = log
        self._chats_told = True

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
        return well and self._chats_told

    def _update(self, outcomes: Mapping[str, Outcome], now: datetime) -> State:
        before, readable = self._read()
        verdict = self._decide(before, outcomes, now)
        problem = None
        try:
            self._tell(verdict, outcomes)
        except NotToldError as error:
            problem = error
        if verdict.state != before or verdict.differ or verdict.again:
            # Other builds may have written meanwhile. One that writes between this call and the next is overwritten,
            # because PutParameter takes no condition: its mirrors are found again by the next reconcile.
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
            problem = self._notices.tell(kind, text)
        except NotToldError as error:
            return str(error)
        if problem:
            self._chats_told = False
            self._log(f"failed: the chat was not told, and is not told again of the same: {problem}")
        return ""

    def _record(self, outcomes: Mapping[str, Outcome], state: State | None, now: datetime) -> None:
        unit = self._config.unit
        for key, outcome in outcomes.items():
            entry = state.entries.get(key) if state else None
            since = (now - entry.since).total_seconds() if entry else 0.0
            of_mirror: dict[str, object] = {
                "unit": unit,
                "mirror": key,
                "equal_since": minute(now) if outcome.equal else None,
                "differs_since": minute(entry.since) if entry else None,
                "refs": outcome.refs,
                "bytes": outcome.bytes_in + outcome.bytes_out,
                "failed": not outcome.equal,
            }
            if self._config.metric_of_each_mirror and (outcome.equal or entry):
                of_mirror.update(metrics({"Inequality": ("Seconds", since)}, Unit=unit, Mirror=key))
            self._log.record(of_mirror)
        # Each metric has a price, so only what an alarm reads is one.
        values: dict[str, tuple[str, float]] = {}
        if state:
            values["OldestInequality"] = ("Seconds", state.oldest(now))
        if self._started.whole:
            values["Reconciled"] = ("Count", float(sum(outcome.compared for outcome in outcomes.values())))
        record = {
            "Failed": sum(not outcome.equal for outcome in outcomes.values()),
            "BytesMoved": sum(outcome.bytes_in + outcome.bytes_out for outcome in outcomes.values()),
        }
        self._log.record({**record, **(metrics(values, Unit=unit) if values else {"Unit": unit})})


def summarise(outcomes: Mapping[str, Outcome], log: Log) -> None:
    """Say at the end of a build of several mirrors which are not equal, and why."""
    differ = [(key, outcome) for key, outcome in outcomes.items() if not outcome.equal]
    for key, outcome in differ[:_NAMED]:
        log(f"{key}: {outcome.reason}")
    if len(differ) > _NAMED:
        log(f"and {counted(len(differ) - _NAMED, 'other')}")
    log(f"{len(outcomes) - len(differ)} of {len(outcomes)} mirrors are equal")
