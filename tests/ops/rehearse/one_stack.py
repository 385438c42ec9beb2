"""A stack in an emulated AWS of its own, for tests and benchmarks that run Terraform for one stack."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.rehearse.emulator import Emulator
from ops.rehearse.prerequisites import Prerequisites
from ops.rehearse.stacks import read
from ops.rehearse.workspace import Runs, Workspace
from terraform.cli import TerraformCli


@contextmanager
def emulated(out: Path, folder: Path, prerequisites: Prerequisites) -> Iterator[Workspace]:
    """The only stack of an output folder, initialised, where AWS has what it needs and nothing of its own.

    `folder` gets the copy in which Terraform runs, its plugins and the log of the emulated AWS.
    """
    scratch = folder / "scratch"
    (scratch / "plugins").mkdir(parents=True)
    (stack,) = read(out)
    with Emulator(log=folder / "aws.log") as aws:
        aws.seed(prerequisites)
        for bucket in stack.buckets:
            aws.make_bucket(account=stack.account, region=bucket.region, name=bucket.name)
        runs = Runs(
            terraform=TerraformCli(),
            endpoint=aws.url,
            scratch=scratch,
            inherited=os.environ,
            one_init=threading.Lock(),
        )
        workspace = Workspace(stack, out=out, runs=runs)
        workspace.init()
        yield workspace
