"""What `python main.py synth` does. It imports cdktf, which takes a second, only to synthesise."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from settings import Deployment, load, warnings

if TYPE_CHECKING:
    from stacks.synthesis import SynthesisedStack


def synth(file: Path | None = None) -> int:
    """Synthesise a deployment file, by default the one that DEPLOYMENT names, into CDKTF_OUTDIR."""
    file = file or Path(os.environ.get("DEPLOYMENT") or "deployments/example.yaml")
    deployment = load(file)
    stacks = synthesise(deployment, Path(os.environ.get("CDKTF_OUTDIR") or "cdktf.out"))
    width = max(len(stack.name) for stack in stacks)
    print(f"{'stack':<{width}}  account       resources")
    for stack in stacks:
        print(f"{stack.name:<{width}}  {stack.account_id}  {stack.resources:>9}")
    for warning in warnings(deployment, file):
        print(warning.printed.as_warning(), file=sys.stderr)
    first = stacks[0].folder
    print(f"\nnext: terraform -chdir={first} init && terraform -chdir={first} plan")
    return 0


def synthesise(deployment: Deployment, out: Path) -> "list[SynthesisedStack]":
    """Write the deployment's Terraform below `out`. Raises RefusedError if that is not possible."""
    import bindings

    bindings.install(check_types=False)  # mypy has checked the calls
    from stacks import synthesis

    return synthesis.synthesise(deployment, out)
