"""Values in a plan that are not plain JSON: sensitive ones, and ones that only the apply decides."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sensitive:
    """Takes the place of a sensitive value; `is_changed` says whether the value differs from the one before."""

    is_changed: bool = False


@dataclass(frozen=True)
class KnownAfterApply:
    """A value that only the apply decides; `reference` is the expression it comes from, if the plan names one."""

    reference: str | None = None


OpenWriter = Callable[[KnownAfterApply | Sensitive], str]
"""Writes a text in place of a value that cannot be shown."""


@dataclass(frozen=True)
class PlannedText:
    """A text with parts that are sensitive or known after the apply only."""

    parts: tuple[str | KnownAfterApply | Sensitive, ...]

    def written(self, stand_in: OpenWriter) -> str:
        """The text, with what `stand_in` returns for each part that is no text."""
        return "".join(part if isinstance(part, str) else stand_in(part) for part in self.parts)


def marked(marks: Any, *path: str | int) -> Any:
    """The marks (of sensitive or unknown values) at a path. A mark covers everything below it."""
    for step in path:
        if marks is True:
            return True
        if isinstance(marks, dict):
            marks = marks.get(step, False) if isinstance(step, str) else False
        elif isinstance(marks, list):
            marks = marks[step] if isinstance(step, int) and step < len(marks) else False
        else:
            return False
    return marks


def any_marked(marks: Any) -> bool:
    """Whether anything is marked, at any depth."""
    if isinstance(marks, dict):
        return any(any_marked(mark) for mark in marks.values())
    if isinstance(marks, list):
        return any(any_marked(mark) for mark in marks)
    return marks is True


def masked(before: Any, after: Any, before_marks: Any, after_marks: Any) -> tuple[Any, Any]:
    """Both values with `Sensitive` in place of every value that is marked in one of them."""
    if before_marks is True or after_marks is True:
        if before is None or after is None:
            return None if before is None else Sensitive(), None if after is None else Sensitive()
        return Sensitive(), Sensitive(is_changed=before != after)
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = {
            key: masked(before.get(key), after.get(key), marked(before_marks, key), marked(after_marks, key))
            for key in before.keys() | after.keys()
        }
        return {key: pairs[key][0] for key in before}, {key: pairs[key][1] for key in after}
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        both = [
            masked(was, now, marked(before_marks, place), marked(after_marks, place))
            for place, (was, now) in enumerate(zip(before, after, strict=True))
        ]
        return [was for was, _ in both], [now for _, now in both]
    return _masked_alone(before, before_marks), _masked_alone(after, after_marks)


def _masked_alone(value: Any, marks: Any) -> Any:
    if marks is True and value is not None:
        return Sensitive()
    if isinstance(value, dict):
        return {key: _masked_alone(item, marked(marks, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked_alone(item, marked(marks, place)) for place, item in enumerate(value)]
    return value


def sensitive_texts(value: Any, marks: Any) -> Iterator[str]:
    """Every text and number that is marked as sensitive, at any depth."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from sensitive_texts(item, marked(marks, str(key)))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from sensitive_texts(item, marked(marks, place))
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and marks is True:
        yield str(value)
