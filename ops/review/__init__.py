"""Reviews Terraform plans for people: what changes, and what that means for access and data.

review([PlanFile(stack="prd-codecommit", where="plan.json", text=...)], acknowledgements=[])
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from errors import WRONG_USAGE, refused
from ops.review import acknowledgements as acknowledging
from ops.review.access_table import table
from ops.review.acknowledgements import Acknowledgement
from ops.review.comment import LIMITS, MEASURES, POSTED_TO, in_characters
from ops.review.language import language as language_named
from ops.review.outcome import Review
from ops.review.outputs import compared, local_values, of
from ops.review.outside import adopted
from ops.review.report import markdown
from ops.review.rule import Plans
from ops.review.rules import RULES
from terraform.output import Json, Stack
from terraform.plan import read

__all__ = ["DANGEROUS", "PlanFile", "review", "run"]

DANGEROUS = 3
"""The exit status for dangerous findings that nobody has acknowledged, and for acknowledgements to be removed."""

_WITH_STACK = re.compile(r"([\w.-]+)=(.+)")
# Usual names of plan files, which name no stack.
_GENERIC = {"plan", "tfplan", "show"}
_ZIP = b"PK\x03\x04"  # what the files that `terraform plan -out` writes begin with


@dataclass(frozen=True, kw_only=True)
class PlanFile:
    """One plan's JSON, its stack and where it was read from; `locks` are those of `terraform.plan.read`.

    `outputs` are the stack's synthesised Terraform at the last apply, and that of the plan. `lacks_output` says that
    they were asked for and that one of them is not there. `local_values` are those of the plan's Terraform.
    """

    stack: str
    where: str
    text: str
    locks: tuple[str, str] = ("", "")
    outputs: tuple[Stack, Stack] | None = None
    lacks_output: bool = False
    local_values: Json = field(default_factory=dict)


def review(
    files: Sequence[PlanFile],
    acknowledgements: Sequence[Acknowledgement],
    today: date | None = None,
    *,
    in_order: bool = False,
) -> Review:
    """Read all plans and apply every rule; `today` is in UTC where it is not given.

    `in_order` says that the stacks are applied in this order, and that each is planned again before.

    Raises RefusedError for the first plan that cannot be read.
    """
    today = today or datetime.now(UTC).date()
    ended = [one for one in acknowledgements if one.has_ended(today)]
    acknowledgements = [one for one in acknowledgements if one not in ended]
    plans = Plans(
        [adopted(read(file.stack, file.text, file.where, file.locks)) for file in files],
        {file.stack: file.outputs for file in files if file.outputs is not None},
        lacking_output=frozenset(file.stack for file in files if file.lacks_output),
        in_order=in_order,
        local_values={file.stack: file.local_values for file in files},
    )
    dangerous, acknowledged, notes = [], [], []
    used: set[Acknowledgement] = set()
    for rule in RULES:
        for finding in rule.findings(plans):
            if finding.said_by:
                continue
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
        ended=ended,
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
    language: str = "en",
    outputs: tuple[Path, Path] | None = None,
    in_order: bool = False,
) -> int:
    """Print the review of the plans in `files` as Markdown, and post it as a comment if asked to.

    `outputs` are the output folders of the last apply and of the plans; `in_order` is that of `review`.

    Returns the exit status: 0 nothing dangerous, 3 dangerous or acknowledgements to remove. Raises RefusedError for
    wrong options, plans that cannot be read and comments that cannot be written.
    """
    for option, name, names in (("--for", platform, LIMITS), ("--post", post_to, POSTED_TO)):
        if name is not None and name not in names:
            hint = f"choose one of {', '.join(names)}"
            raise refused(option, f"{name!r} is not a platform", hint, status=WRONG_USAGE)
    words = language_named(language)
    acknowledgements = acknowledging.from_options(allow, because)
    if acknowledged is not None:
        acknowledgements += acknowledging.from_file(acknowledged)
    acknowledging.check(acknowledgements, [rule.id for rule in RULES])
    folders = compared(outputs)
    with_outputs = [(file, of(file.stack, folders)) for file in _plan_files(files)]
    compared_files = [
        replace(
            file,
            outputs=both,
            lacks_output=bool(folders) and both is None,
            local_values=local_values(file.stack, folders),
        )
        for file, both in with_outputs
    ]
    found = review(compared_files, acknowledgements, in_order=in_order)
    text = markdown(found, LIMITS[platform], words, MEASURES.get(platform, in_characters))
    sys.stdout.write(text)
    if post_to is not None:
        from ops.review.post import post

        post(post_to, text)
    return DANGEROUS if found.fails else 0


def _plan_files(files: Sequence[str]) -> list[PlanFile]:
    stacks = [_stack(file) for file in files]
    if twice := sorted({stack for stack in stacks if stacks.count(stack) > 1}):
        what = f"several plans are for the stack {', '.join(twice)}"
        hint = "write STACK=FILE, or give each file the name of its stack: prd-codecommit.json"
        raise refused("PLAN", what, hint, status=WRONG_USAGE)
    return [_plan_file(stack, _path(file)) for stack, file in zip(stacks, files, strict=True)]


def _stack(file: str) -> str:
    """A plan does not name its stack, so STACK=FILE does, or the file's name, or its folder's."""
    with_stack = _WITH_STACK.fullmatch(file)
    if with_stack is not None:
        return with_stack[1]
    name = Path(file).name.partition(".")[0]
    folder = Path(file).absolute().parent.name
    return "plan" if file == "-" else folder if name in _GENERIC and folder else name


def _path(file: str) -> str:
    with_stack = _WITH_STACK.fullmatch(file)
    return with_stack[2] if with_stack is not None else file


def _plan_file(stack: str, file: str) -> PlanFile:
    try:
        if file == "-":
            return PlanFile(stack=stack, where=file, text=_text(file, sys.stdin.buffer.read()))
        path = Path(file)
        lock_files = [path.with_name(f"{path.stem}{ending}") for ending in (".applied.lock.hcl", ".lock.hcl")]
        applied, planned = (lock.read_text("utf-8", "replace") if lock.exists() else "" for lock in lock_files)
        return PlanFile(stack=stack, where=file, text=_text(file, path.read_bytes()), locks=(applied, planned))
    except OSError as error:
        hint = "check that the file exists and can be read; a single - reads standard input"
        raise refused(file, str(error.strerror), hint) from None


def _text(where: str, content: bytes) -> str:
    hint = "create it with `terraform show -json PLANFILE`"
    if content.startswith(_ZIP):
        raise refused(where, "it is Terraform's own plan file, not its JSON", hint)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refused(where, "it is not UTF-8, so it is not a Terraform plan", hint) from None
