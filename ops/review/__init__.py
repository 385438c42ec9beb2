"""Reviews Terraform's plans for people: what changes, and what it changes about who gets in.

review([Source(stack="prd-codecommit", where="plan.json", text=...)], acknowledgements=[])
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.review import acknowledgements as acknowledging
from ops.review.access_table import table
from ops.review.acknowledgements import Acknowledgement
from ops.review.comment import LIMITS
from ops.review.report import Review, markdown
from ops.review.rule import Plans
from ops.review.rules import RULES
from settings import LocatedProblem, SettingsError
from terraform.plan import UnreadableError, read

__all__ = ["DANGEROUS", "Source", "UnreadableError", "review", "run"]

DANGEROUS = 3
"""The exit status for findings that nobody has acknowledged."""

_NAMED = re.compile(r"([\w.-]+)=(.+)")
_NAMELESS = {"plan", "tfplan", "show"}


@dataclass(frozen=True, kw_only=True)
class Source:
    """One plan's JSON, the stack that it is of, and where it came from; `locks` as `plan.read` takes them."""

    stack: str
    where: str
    text: str
    locks: tuple[str, str] = ("", "")


def review(sources: Sequence[Source], acknowledgements: Sequence[Acknowledgement]) -> Review:
    """Read all plans and ask every rule. Raises UnreadableError for the first plan that cannot be read."""
    plans = Plans([read(source.stack, source.text, source.where, source.locks) for source in sources])
    dangerous, acknowledged, notes = [], [], []
    used: set[Acknowledgement] = set()
    for rule in RULES:
        for finding in rule.findings(plans):
            covering = [one for one in acknowledgements if one.covers(finding)]
            used |= set(covering)
            if covering:
                acknowledged.append((finding, covering[0]))
            elif rule.dangerous:
                dangerous.append(finding)
            else:
                notes.append(finding)
    return Review(
        plans=plans,
        rules=RULES,
        dangerous=dangerous,
        acknowledged=acknowledged,
        notes=notes,
        unused=[one for one in acknowledgements if one not in used],
        access=table(plans),
    )


def run(
    files: Sequence[str],
    *,
    allow: Sequence[str],
    because: Sequence[str],
    acknowledged: Path | None,
    platform: str,
    post_to: str | None,
) -> int:
    """Print the review of the plans in `files` as Markdown, and post it as a comment if asked to.

    Exit status: 0 nothing dangerous, 3 dangerous, 1 a plan cannot be read or the comment cannot be written.
    """
    for option, name in (("--for", platform), ("--post", post_to)):
        if name is not None and name not in LIMITS:
            hint = f"choose one of {', '.join(LIMITS)}"
            raise SettingsError([LocatedProblem(file=option, what=f"{name!r} is no platform", hint=hint)])
    acknowledgements = acknowledging.from_options(allow, because)
    if acknowledged is not None:
        acknowledgements += acknowledging.from_file(acknowledged)
    acknowledging.check(acknowledgements, [rule.id for rule in RULES])
    try:
        found = review(_sources(files), acknowledgements)
    except UnreadableError as error:
        print(error, file=sys.stderr)
        return 1
    text = markdown(found, LIMITS[platform])
    sys.stdout.write(text)
    if post_to is not None:
        from ops.review.post import PostError, post

        try:
            post(post_to, text)
        except PostError as error:
            print(error, file=sys.stderr)
            return 1
    return DANGEROUS if found.dangerous else 0


def _sources(files: Sequence[str]) -> list[Source]:
    names = [_stack(file) for file in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        what = f"{', '.join(twice)} would be the stack of several plans"
        hint = "write STACK=FILE, or name each file as its stack: prd-codecommit.json"
        raise SettingsError([LocatedProblem(file="PLAN", what=what, hint=hint)])
    return [_source(name, _path(file)) for name, file in zip(names, files, strict=True)]


def _stack(file: str) -> str:
    """A plan does not say which stack it is of: STACK=FILE does, or the file's name, or its folder's."""
    said = _NAMED.fullmatch(file)
    if said is not None:
        return said[1]
    name = Path(file).name.partition(".")[0]
    folder = Path(file).absolute().parent.name
    return "plan" if file == "-" else folder if name in _NAMELESS and folder else name


def _path(file: str) -> str:
    said = _NAMED.fullmatch(file)
    return said[2] if said is not None else file


def _source(stack: str, file: str) -> Source:
    hint = "see that the file exists and can be read; a single - reads standard input"
    try:
        if file == "-":
            return Source(stack=stack, where=file, text=sys.stdin.buffer.read().decode("utf-8-sig"))
        path = Path(file)
        beside = [path.with_name(f"{path.stem}{ending}") for ending in (".applied.lock.hcl", ".lock.hcl")]
        applied, planned = (lock.read_text() if lock.exists() else "" for lock in beside)
        return Source(stack=stack, where=file, text=path.read_bytes().decode("utf-8-sig"), locks=(applied, planned))
    except OSError as error:
        raise UnreadableError(file, str(error.strerror), hint) from None
    except UnicodeDecodeError:
        raise UnreadableError(file, "it is not UTF-8, so no plan of Terraform's", hint) from None
