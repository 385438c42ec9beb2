"""Findings that somebody has looked at and means, each with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ops.review.rule import Finding
from settings import LocatedProblem, SettingsError

SHORTEST_REASON = 20


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """`allowed` is RULE:ADDRESS, or RULE:STACK/ADDRESS where stacks share an address."""

    allowed: str
    because: str
    where: str

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is the one that is meant."""
        return self.allowed in {
            f"{finding.rule}:{finding.address}",
            f"{finding.rule}:{finding.stack}/{finding.address}",
        }


def from_options(allowed: Sequence[str], because: Sequence[str]) -> list[Acknowledgement]:
    """One acknowledgement for each --allow, with the --because of the same place."""
    if len(allowed) != len(because):
        what = f"{len(allowed)} times --allow, and {len(because)} times --because"
        hint = "give each --allow RULE:ADDRESS its own --because TEXT, in the same order"
        raise SettingsError([LocatedProblem(file="--allow", what=what, hint=hint)])
    return [
        Acknowledgement(allowed=one, because=reason, where="--allow")
        for one, reason in zip(allowed, because, strict=True)
    ]


def from_file(path: Path) -> list[Acknowledgement]:
    """A YAML list of `allow` and `because`."""
    hint = "write a list of entries such as: - {allow: address-lost:aws_eip.old, because: the old office is closed}"

    def wrong(what: str) -> SettingsError:
        return SettingsError([LocatedProblem(file=str(path), what=what, hint=hint)])

    try:
        entries: Any = YAML(typ="safe").load(path.read_text())
    except FileNotFoundError:
        raise wrong("there is no such file") from None
    except (OSError, UnicodeDecodeError, YAMLError, RecursionError):
        raise wrong("it cannot be read as YAML") from None
    entries = [] if entries is None else entries
    if not isinstance(entries, list):
        raise wrong("it is no list")
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict) or set(entry) != {"allow", "because"}:
            raise wrong(f"entry {place + 1} is not one allow and one because")
        if not all(isinstance(text, str) for text in entry.values()):
            raise wrong(f"entry {place + 1} holds something other than text")
    return [
        Acknowledgement(allowed=entry["allow"], because=entry["because"], where=f"{path}[{place}]")
        for place, entry in enumerate(entries)
    ]


def check(acknowledgements: Sequence[Acknowledgement], rules: Sequence[str]) -> None:
    """Refuse what could never acknowledge anything, and reasons that are none. Raises SettingsError."""
    problems = []
    for one in acknowledgements:
        rule, colon, address = one.allowed.partition(":")
        if not colon or not address:
            what = f"{one.allowed!r} is not RULE:ADDRESS"
            problems.append(LocatedProblem(file=one.where, what=what, hint="copy both from the review's comment"))
        elif rule not in rules:
            near = get_close_matches(rule, rules, n=1)
            hint = f"did you mean {near[0]}?" if near else "copy it from the review's comment"
            problems.append(LocatedProblem(file=one.where, what=f"{rule!r} is not a rule", hint=hint))
        if len(one.because.strip()) < SHORTEST_REASON:
            what = f"{one.because!r} is too short for a reason"
            hint = f"say in {SHORTEST_REASON} characters or more why it may happen"
            problems.append(LocatedProblem(file=one.where, what=what, hint=hint))
    if problems:
        raise SettingsError(problems)
