"""Finds what EventBridge would refuse in a cron expression.

It accepts what the vendor's page lists. It refuses forms of other crons that the page does not list: steps in the day
of the week, ranges that wrap around, `L` or `W` inside a list.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import re
from dataclasses import dataclass

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
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
    match = re.fullmatch(r"rate\(([0-9]{1,5}) (minute|hour|day)(s?)\)", expression)
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
        return f"has {len(match[1].split())} fields, EventBridge takes 6 with one space between them"
    for field, text in zip(_FIELDS, fields, strict=True):
        if not field.takes(text):
            return f"has a wrong {field.name}, '{text}' ({field.low}-{field.high})"
    if (fields[2] == "?") == (fields[4] == "?"):
        return "needs '?' in exactly one of day of month and day of week"
    return None
