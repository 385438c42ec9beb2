"""Rehearses a deployment, and reports what was done and what that proves.

    rehearse(Path("cdktf.out"), Prerequisites(region="ap-northeast-1"), handover=...)

The files are the synthesised ones, copied unedited into a temporary folder.
"""

import importlib.util
import os
import shutil
import tempfile
import time
from pathlib import Path

from rich.console import Console

from errors import Problem, RefusedError, refused
from ops.rehearse import report
from ops.rehearse.emulator import Emulator, Record
from ops.rehearse.prerequisites import Prerequisites
from ops.rehearse.progress import Progress
from ops.rehearse.rehearsal import Findings, Handover, Rehearsal
from ops.rehearse.stacks import read
from terraform.cli import TerraformCli


def rehearse(
    out: Path,
    prerequisites: Prerequisites,
    *,
    handover: Handover,
    messages: Console | None = None,
    output: Console | None = None,
) -> Findings:
    """Apply, plan, change and destroy every stack in `out` with the real Terraform CLI, against an emulated AWS.

    Each stack is applied after those it depends on, planned again (no changes), changed through its variables
    (updated in place, the new value found in the account, no changes after), and destroyed in reverse order, after
    which the accounts must contain what they contained before. What is protected must first refuse to be destroyed;
    only then is it unlocked.

    The emulated AWS gets `prerequisites` first. `messages` (standard error) shows progress, `output` (standard output)
    the report. The user's AWS settings are neither used nor touched.

    Raises RefusedError for what went wrong; the logs are kept then.
    """
    if importlib.util.find_spec("moto") is None:
        hint = "run `make rehearse`, which installs what it needs"
        raise refused("moto", "the emulated AWS is not installed", hint)
    stacks = read(out)
    scratch = Path(tempfile.mkdtemp(prefix="kakehashi-rehearsal-"))
    keep_logs = False
    try:
        (scratch / "plugins").mkdir()
        terraform = TerraformCli()
        began = time.monotonic()
        with Emulator(log=scratch / "aws.log") as aws, Progress(messages or Console(stderr=True)) as progress:
            rehearsal = Rehearsal(
                out,
                stacks=stacks,
                handover=handover,
                aws=aws,
                terraform=terraform,
                scratch=scratch,
                inherited=os.environ,
                progress=progress,
            )
            record = _run(rehearsal, prerequisites, aws)
        report.show(rehearsal.findings, record, output or Console(), seconds=time.monotonic() - began)
    except RefusedError:
        keep_logs = any(log.stat().st_size for log in scratch.glob("*.log"))
        raise
    finally:
        if not keep_logs:
            shutil.rmtree(scratch, ignore_errors=True)
    return rehearsal.findings


def _run(rehearsal: Rehearsal, prerequisites: Prerequisites, aws: Emulator) -> Record:
    """The emulator's record after the rehearsal. A call that the emulator does not know explains any other error."""
    problems: list[Problem] = []
    details: list[str] = []
    try:
        rehearsal.run(prerequisites)
    except RefusedError as error:
        problems, details = [*error.problems], [error.details]
        record = aws.record()
        if not record.unknown:
            raise
    else:
        record = aws.record()
    if record.unknown:
        what, hint = "was asked what it does not know, above", "add a stand-in under ops/rehearse/stand_ins"
        problems.append(Problem(where="the emulated AWS", what=what, hint=hint))
        raise RefusedError(problems, details="\n".join([*details, *record.unknown]))
    return record
