"""Findings that someone has checked and accepts, each with the reason."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from errors import WRONG_USAGE, Problem, RefusedError, reasons, refused
from ops.review.rule import ReviewFinding

_FORM = "RULE:STACK/ADDRESS@DIGEST"
_EXAMPLE = (
    f"write a list of entries such as: - {{allow: {_FORM}, because: the old office is closed, until: 2026-12-31}}"
)
_COPY = "copy what follows `allow: ` below the finding in the review's comment, from the rule's id to the digest"
_REQUIRED = ("allow", "because")
_KEYS = (*_REQUIRED, "until")
# The digest is the last part, because addresses may contain anything: aws_eip.it["a@b"]. The comment leaves a long
# address out.
_ALLOWED = re.compile(r"(?P<rule>[a-z-]+)(:[^/]+/.+)?@[0-9a-f]{16}", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """`allowed` is RULE:STACK/ADDRESS@DIGEST, as the comment shows it; `until` is the last day on which it holds."""

    allowed: str
    because: str
    where: str
    until: date | None = None

    def covers(self, finding: ReviewFinding) -> bool:
        """Whether it acknowledges the finding."""
        return finding.digest is not None and self.allowed in {finding.allowed_as, finding.allowed_briefly}

    def has_ended(self, today: date) -> bool:
        """Whether its last day is over."""
        return self.until is not None and self.until < today


def from_options(allowed: Sequence[str], because: Sequence[str]) -> list[Acknowledgement]:
    """One acknowledgement for each --allow, with the --because in the same position."""
    if len(allowed) != len(because):
        what = f"{len(allowed)} --allow, but {len(because)} --because"
        hint = "give each --allow its own --because TEXT, in the same order"
        raise refused("--allow", what, hint, status=WRONG_USAGE)
    return [
        Acknowledgement(allowed=one, because=reason, where="--allow")
        for one, reason in zip(allowed, because, strict=True)
    ]


def from_file(path: Path) -> list[Acknowledgement]:
    """A YAML list of `allow`, `because` and, where it is to end, `until`."""
    try:
        # Unlike "safe", "rt" keeps the lines.
        entries: Any = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _wrong(str(path), "there is no such file") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise _wrong(where, f"it cannot be read as YAML: {error.problem or error.context}") from None
    except (OSError, ValueError, YAMLError, RecursionError):  # of a date such as 2026-13-01, too
        raise _wrong(str(path), "it cannot be read as YAML") from None
    entries = CommentedSeq() if entries is None else entries
    if not isinstance(entries, CommentedSeq):
        raise _wrong(f"{path}:1", "it is not a list")
    return [_entry(f"{path}:{entries.lc.item(place)[0] + 1}", entry) for place, entry in enumerate(entries)]


def _entry(where: str, entry: Any) -> Acknowledgement:
    members = entry if isinstance(entry, dict) else {}
    if other := [str(key) for key in members if key not in _KEYS]:
        what = f"it has {' and '.join(map(repr, other))}, which nothing reads"
        near = get_close_matches(other[0], _KEYS, n=1)
        raise refused(where, what, f"did you mean {near[0]}?" if near else _EXAMPLE, status=WRONG_USAGE)
    if missing := [name for name in _REQUIRED if members.get(name) is None]:
        raise _wrong(where, f"it has {' and '.join(f'no {name}' for name in missing)}")
    until = entry.get("until")
    if not all(isinstance(entry[name], str) for name in _REQUIRED):
        raise _wrong(where, "it contains something other than text")
    if "until" in entry and (not isinstance(until, date) or isinstance(until, datetime)):
        raise _wrong(where, "until is not a date such as 2026-12-31")
    return Acknowledgement(allowed=str(entry["allow"]), because=str(entry["because"]), where=where, until=until)


def _wrong(where: str, what: str) -> RefusedError:
    return refused(where, what, _EXAMPLE, status=WRONG_USAGE)


def check(acknowledgements: Sequence[Acknowledgement], rules: Sequence[str]) -> None:
    """Refuse acknowledgements that cannot match any finding, and reasons that are too short. Raises RefusedError."""
    problems = []
    for one in acknowledgements:
        written = _ALLOWED.fullmatch(one.allowed)
        if written is None:
            what = f"{one.allowed!r} is not {_FORM}"
            problems.append(Problem(where=one.where, what=what, hint=_COPY))
        elif (rule := written["rule"]) not in rules:
            near = get_close_matches(rule, rules, n=1)
            hint = f"did you mean {near[0]}?" if near else _COPY
            problems.append(Problem(where=one.where, what=f"{rule!r} is not a rule", hint=hint))
        if not reasons.is_long_enough(one.because):
            what = f"{one.because!r} is too short for a reason"
            hint = f"write why it is acceptable, in {reasons.LENGTH}"
            problems.append(Problem(where=one.where, what=what, hint=hint))
    if problems:
        raise RefusedError(problems, status=WRONG_USAGE)
