"""Finds what EventBridge would refuse in a cron expression.

It accepts what the vendor's page lists. It refuses forms of other crons that the page does not list: steps in the day
of the week, ranges that wrap around, `L` or `W` inside a list.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import calendar
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from errors.shown import counted

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_RATE = r"rate\(([0-9]{1,5}) (minute|hour|day)(s?)\)"
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True, kw_only=True)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    specials: str = "(?!)"
    """Regular expression of what this field takes in place of values."""
    steps: bool = True

    def takes(self, text: str) -> bool:
        if re.fullmatch(self.specials, text.upper()):
            return True
        return all(self._takes_part(part) for part in text.split(","))

    def _takes_part(self, part: str) -> bool:
        values, slash, step = part.partition("/")
        if slash and not (self.steps and re.fullmatch(r"[0-9]{1,4}", step) and 1 <= int(step) <= self.high):
            return False
        if values == "*":
            return True
        first, dash, last = values.partition("-")
        low, high = self._value(first), self._value(last if dash else first)
        return low is not None and high is not None and low <= high

    def values(self, text: str) -> frozenset[int] | None:
        """The values that `text` stands for, or None for a symbol in their place."""
        return None if re.fullmatch(self.specials, text.upper()) else frozenset(self._values(text))

    def _values(self, text: str) -> Iterator[int]:
        for part in text.split(","):
            values, slash, step = part.partition("/")
            first, dash, last = values.partition("-")
            low = self.low if values == "*" else self._value(first) or 0
            high = self.high if values == "*" or (slash and not dash) else self._value(last if dash else first) or 0
            yield from range(low, high + 1, int(step or 1))

    def _value(self, text: str) -> int | None:
        if text.upper() in self.words:
            return self.words.index(text.upper()) + 1
        number = int(text) if re.fullmatch(r"[0-9]{1,4}", text) else -1
        return number if self.low <= number <= self.high else None


_FIELDS = (
    _Field(name="minutes", low=0, high=59),
    _Field(name="hours", low=0, high=23),
    _Field(name="day of month", low=1, high=31, specials=r"\?|L|([1-9]|[12][0-9]|3[01])W"),
    _Field(name="month", low=1, high=12, words=_MONTHS),
    _Field(
        name="day of week",
        low=1,
        high=7,
        words=_DAYS,
        specials=rf"\?|L|([1-7]|{'|'.join(_DAYS)})(L|#[1-5])",
        steps=False,
    ),
    _Field(name="year", low=1970, high=2199),
)


def rate_problem(expression: str) -> str | None:
    """What is wrong with `expression`, written `rate(1 hour)`; None when EventBridge takes it."""
    match = re.fullmatch(_RATE, expression)
    if not match:
        return "is not written rate(...)"
    value, plural = int(match[1]), bool(match[3])
    if value == 0 or plural == (value == 1):
        return "needs a number from 1, and the plural from 2"
    return None


def problem(expression: str) -> str | None:
    """What is wrong with `expression`, written `cron(0 9 ? * MON-FRI *)`; None when EventBridge takes it."""
    match = re.fullmatch(r"cron\((.*)\)", expression)
    if not match:
        return "is not written cron(...)"
    fields = match[1].split(" ")
    if len(fields) != len(_FIELDS) or "" in fields:
        return f"has {counted(len(match[1].split()), 'field')}, EventBridge takes 6 with one space between them"
    for field, text in zip(_FIELDS, fields, strict=True):
        if not field.takes(text):
            return f"has a wrong {field.name}, '{text}' ({field.low}-{field.high})"
    if (fields[2] == "?") == (fields[4] == "?"):
        return "needs '?' in exactly one of day of month and day of week"
    if not _has_a_day(expression):
        return "names a day that its months do not have"
    return None


def last_year(expression: str) -> int | None:
    """The last year in which a valid `expression` runs; None for a rate."""
    return None if expression.startswith("rate") else max(_values(expression)[5] or ())


def meet(one: str, other: str) -> bool:
    """Whether two valid cron expressions run in the same minute at some time, as far as is known without symbols."""
    # A day of the month falls on every day of the week at some time, so '?' meets everything.
    pairs = zip(_values(one), _values(other), strict=True)
    return all(mine is None or yours is None or mine & yours for mine, yours in pairs)


def longest_pause(expression: str) -> int:
    """The minutes of the longest pause of a valid expression; several days without a run count as one."""
    if rate := re.fullmatch(_RATE, expression):
        return int(rate[1]) * {"minute": 1, "hour": 60, "day": 1440}[rate[2]]
    minutes, hours, *days, _ = _values(expression)
    times = sorted(60 * hour + minute for hour in hours or () for minute in minutes or ())
    fields = zip(_FIELDS[2:], days, strict=False)
    whole = [None if values is None else len(values) > field.high - field.low for field, values in fields]
    is_daily = False not in whole and any(whole[::2])
    night = times[0] + 1440 - times[-1] + (0 if is_daily else 1440)
    return max(night, *(later - earlier for earlier, later in itertools.pairwise(times)), 0)


def _values(expression: str) -> list[frozenset[int] | None]:
    """The values of each field of a valid cron expression, None for symbols."""
    texts = expression.removeprefix("cron(").removesuffix(")").split(" ")
    return [field.values(text) for field, text in zip(_FIELDS, texts, strict=True)]


def _has_a_day(expression: str) -> bool:
    _, _, days, months, _, years = _values(expression)
    return days is None or any(
        min(days) <= calendar.monthrange(year, month)[1] for year in years or () for month in months or ()
    )
