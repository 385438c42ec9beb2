"""Says what EventBridge would refuse in a cron expression.

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
    specials: str = ""
    """Regular expression of what this field takes beside values, ranges and steps."""

    def problem(self, text: str) -> str | None:
        for part in text.split(","):
            if not self._accepts(part):
                return f"{self.name} {text!r} is not valid ({self.low}-{self.high})"
        return None

    def _accepts(self, part: str) -> bool:
        if self.specials and re.fullmatch(self.specials, part.upper()):
            return True
        base, slash, step = part.partition("/")
        if slash and not (step.isascii() and step.isdigit() and int(step) >= 1):
            return False
        if base == "*":
            return True
        first, dash, last = base.partition("-")
        values = [self._value(first)] + ([self._value(last)] if dash else [])
        if any(value is None or not self.low <= value <= self.high for value in values):
            return False
        return len(values) == 1 or values[0] <= values[1]  # type: ignore[operator]

    def _value(self, text: str) -> int | None:
        if text.upper() in self.words:
            return self.words.index(text.upper()) + 1
        return int(text) if text.isascii() and text.isdigit() else None


_FIELDS = (
    _Field(name="minutes", low=0, high=59),
    _Field(name="hours", low=0, high=23),
    _Field(name="day of month", low=1, high=31, specials=r"\?|L|LW|([1-9]|[12]\d|3[01])W"),
    _Field(name="month", low=1, high=12, words=_MONTHS),
    _Field(name="day of week", low=1, high=7, words=_DAYS, specials=rf"\?|L|([1-7]|{'|'.join(_DAYS)})(L|#[1-5])"),
    _Field(name="year", low=1970, high=2199),
)


def problem(expression: str) -> str | None:
    """What is wrong with `expression`, written `cron(0 9 ? * MON-FRI *)`; None when EventBridge takes it."""
    match = re.fullmatch(r"cron\((.*)\)", expression)
    if not match:
        return "is not written cron(...)"
    fields = match[1].split(" ")
    if len(fields) != len(_FIELDS) or "" in fields:
        return f"has {len([field for field in fields if field])} fields with single spaces, EventBridge takes 6"
    for field, text in zip(_FIELDS, fields, strict=True):
        if wrong := field.problem(text):
            return f"has a wrong field: {wrong}"
    if (fields[2] == "?") == (fields[4] == "?"):
        return "needs '?' in exactly one of day of month and day of week"
    return None
