"""Rehearses a whole deployment without an AWS account: the real Terraform against an emulated AWS on loopback.

    rehearse(Path("cdktf.out"), Existing(region="ap-northeast-1"))

The files are the synthesised ones, copied unedited into a temporary folder. AWS is moto, with stand-ins for what moto
lacks (`ops/rehearse/stand_ins`). See `rehearse` for what happens to it.
"""

import importlib.util
import os
import shutil
import tempfile
import time
from pathlib import Path

from rich.console import Console

from ops.rehearse.emulator import Emulator, EmulatorError
from ops.rehearse.errors import RehearsalError
from ops.rehearse.existing import (
    Existing,
    ExistingAddress,
    ExistingImage,
    ExistingKey,
    ExistingSubnet,
    ExistingVpc,
)
from ops.rehearse.progress import Progress
from ops.rehearse.rehearsal import Findings, Rehearsal
from ops.rehearse.report import show
from ops.rehearse.stacks import read
from terraform.cli import Terraform

__all__ = [
    "Existing",
    "ExistingAddress",
    "ExistingImage",
    "ExistingKey",
    "ExistingSubnet",
    "ExistingVpc",
    "RehearsalError",
    "rehearse",
]


def rehearse(
    out: Path, existing: Existing, *, messages: Console | None = None, report: Console | None = None
) -> Findings:
    """Apply, plan, change, destroy every stack in `out` with the real Terraform CLI, against an emulated AWS.

    Each stack is applied after those it depends on, planned again (no changes), changed through its variables
    (updated in place, the new value found in the account, no changes after), and destroyed in reverse order, after
    which the accounts must hold what they held before. What is protected must first refuse to be destroyed; only then
    is it unlocked.

    `existing` is given to the emulated AWS first. `messages` (standard error) shows progress, `report` (standard
    output) the outputs and which answers came from stand-ins. The user's AWS settings are neither used nor touched.

    Raises RehearsalError, whose text is for the user; the logs are kept then.
    """
    if importlib.util.find_spec("moto") is None:
        raise RehearsalError(
            "moto: the emulated AWS is not installed", hint="run `make rehearse`, which installs what it needs"
        )
    stacks = read(out)
    scratch = Path(tempfile.mkdtemp(prefix="kakehashi-rehearsal-"))
    keep_logs = False
    try:
        (scratch / "plugins").mkdir()
        terraform = Terraform(logs=scratch)
        began = time.monotonic()
        with Emulator(log=scratch / "aws.log") as aws, Progress(messages or Console(stderr=True)) as progress:
            rehearsal = Rehearsal(
                out,
                stacks=stacks,
                aws=aws,
                terraform=terraform,
                scratch=scratch,
                inherited=os.environ,
                progress=progress,
            )
            rehearsal.run(existing)
            record = aws.record()
            if record.unknown:
                raise RehearsalError(
                    "the emulated AWS was asked what it does not know",
                    hint="add a stand-in under ops/rehearse/stand_ins",
                    said="\n".join(record.unknown),
                )
        console = report or Console()
        show(rehearsal.findings, record, console)
        console.print(f"{len(stacks)} stacks up and down in {time.monotonic() - began:.0f} s.", highlight=False)
    except (RehearsalError, EmulatorError) as error:
        keep_logs = any(log.stat().st_size for log in scratch.glob("*.log"))
        if isinstance(error, EmulatorError):
            raise RehearsalError(str(error), hint=f"its log is {scratch / 'aws.log'}") from error
        raise
    finally:
        if not keep_logs:
            shutil.rmtree(scratch, ignore_errors=True)
    return rehearsal.findings
