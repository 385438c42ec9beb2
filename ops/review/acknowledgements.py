"""Findings that someone has checked and accepts, each with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from errors import WRONG_USAGE, Problem, RefusedError, refused
from ops.review.rule import ReviewFinding

SHORTEST_REASON = 20

_EXAMPLE = "write a list of entries such as: - {allow: address-lost:aws_eip.old, because: the old office is closed}"
_COPY = "copy it from the review's comment"


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """`allowed` is RULE:ADDRESS, or RULE:STACK/ADDRESS where several stacks have the address."""

    allowed: str
    because: str
    where: str

    def covers(self, finding: ReviewFinding) -> bool:
        """Whether it acknowledges the finding."""
        return self.allowed in {
            f"{finding.rule}:{finding.address}",
            f"{finding.rule}:{finding.stack}/{finding.address}",
        }


def from_options(allowed: Sequence[str], because: Sequence[str]) -> list[Acknowledgement]:
    """One acknowledgement for each --allow, with the --because in the same position."""
    if len(allowed) != len(because):
        what = f"there are {len(allowed)} of --allow and {len(because)} of --because"
        hint = "give each --allow RULE:ADDRESS its own --because TEXT, in the same order"
        raise refused("--allow", what, hint, status=WRONG_USAGE)
    return [
        Acknowledgement(allowed=one, because=reason, where="--allow")
        for one, reason in zip(allowed, because, strict=True)
    ]


def from_file(path: Path) -> list[Acknowledgement]:
    """A YAML list of `allow` and `because`."""
    try:
        entries: Any = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _wrong(path, "there is no such file") from None
    except (OSError, UnicodeDecodeError, YAMLError, RecursionError):
        raise _wrong(path, "it cannot be read as YAML") from None
    entries = [] if entries is None else entries
    if not isinstance(entries, list):
        raise _wrong(path, "it is not a list")
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict) or set(entry) != {"allow", "because"}:
            raise _wrong(path, f"entry {place + 1} does not consist of allow and because")
        if not all(isinstance(text, str) for text in entry.values()):
            raise _wrong(path, f"entry {place + 1} contains something other than text")
    return [
        Acknowledgement(allowed=entry["allow"], because=entry["because"], where=f"{path}[{place}]")
        for place, entry in enumerate(entries)
    ]


def _wrong(path: Path, what: str) -> RefusedError:
    return refused(str(path), what, _EXAMPLE, status=WRONG_USAGE)


def check(acknowledgements: Sequence[Acknowledgement], rules: Sequence[str]) -> None:
    """Refuse acknowledgements that cannot match any finding, and reasons that are too short. Raises RefusedError."""
    problems = []
    for one in acknowledgements:
        rule, _, address = one.allowed.partition(":")
        if not address:
            what = f"{one.allowed!r} is not RULE:ADDRESS"
            problems.append(Problem(where=one.where, what=what, hint="copy both from the review's comment"))
        elif rule not in rules:
            near = get_close_matches(rule, rules, n=1)
            hint = f"did you mean {near[0]}?" if near else _COPY
            problems.append(Problem(where=one.where, what=f"{rule!r} is not a rule", hint=hint))
        if len(one.because.strip()) < SHORTEST_REASON:
            what = f"{one.because!r} is too short for a reason"
            hint = f"write why it is acceptable, in {SHORTEST_REASON} characters or more"
            problems.append(Problem(where=one.where, what=what, hint=hint))
    if problems:
        raise RefusedError(problems, status=WRONG_USAGE)
