"""Rules for lists in which an entry stands once."""

from collections.abc import Iterator

from settings.consistency.valid_values import ValidValues
from settings.problems import Path, SettingProblem

_EMAILS: tuple[Path, ...] = (
    ("dev", "proxy", "squid", "alerts", "emails"),
    ("prd", "codecommit", "detection", "emails"),
    ("prd", "backlog", "alerts", "emails"),
)


def named_once(valid: ValidValues, path: Path, *, ignoring_case: bool = False) -> Iterator[SettingProblem]:
    """Refuse an entry of the list at `path` that repeats an earlier one."""
    for index, entry in valid.repeated(*path, ignoring_case=ignoring_case):
        yield SettingProblem(path=(*path, index), what=f"'{entry}' is named twice", hint="remove one")


def _emails_once(valid: ValidValues) -> Iterator[SettingProblem]:
    """SNS would write twice to an address that differs in case only."""
    for path in _EMAILS:
        yield from named_once(valid, path, ignoring_case=True)


RULES = (_emails_once,)
