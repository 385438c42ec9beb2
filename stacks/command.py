"""What `python main.py synth` does. It imports cdktf, which takes a second, only to synthesise."""

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from errors import WRONG_USAGE, refused
from settings import Deployment, load, warnings
from settings.place import STATE_FOLDER, folder_of, is_outside

if TYPE_CHECKING:
    from stacks.synthesis import SynthesisedStack


def synth(file: Path | None = None) -> int:
    """Synthesise a deployment file, by default the one that DEPLOYMENT names, into CDKTF_OUTDIR or where it lies."""
    file = file or Path(os.environ.get("DEPLOYMENT") or "deployments/example.yaml")
    deployment = load(file)
    given = os.environ.get("CDKTF_OUTDIR")
    out = Path(given) if given else folder_of(file) / "cdktf.out"
    if deployment.state.s3 is None and is_outside(file):
        _refuse_another_state(deployment, file, out, Path() if not given else file.parent)
    stacks = synthesise(deployment, out)
    print(f"Terraform of {file}, in {out}:\n")
    width = max(len(stack.name) for stack in stacks)
    print(f"{'stack':<{width}}  account       resources")
    for stack in stacks:
        print(f"{stack.name:<{width}}  {stack.account_id}  {stack.resources:>9}")
    for warning in warnings(deployment, file):
        print(warning.printed.as_warning(), file=sys.stderr)
    first = shlex.quote(str(stacks[0].folder))
    print(f"\nnext: terraform -chdir={first} init && terraform -chdir={first} plan")
    return 0


def _refuse_another_state(deployment: Deployment, file: Path, out: Path, elsewhere: Path) -> None:
    """Raise RefusedError if the local states are below `elsewhere` and Terraform would start with empty ones."""
    found, wanted = (folder / STATE_FOLDER / deployment.name for folder in (elsewhere, out.parent))
    if found.exists() and not wanted.exists():
        what = f"the local states of {file} are here, and Terraform would look for them in {wanted}"
        hint = f"move the folder, or set CDKTF_OUTDIR (with cdktf-cli, --output) to {elsewhere / 'cdktf.out'}"
        raise refused(str(found), what, hint, status=WRONG_USAGE)


def synthesise(deployment: Deployment, out: Path) -> "list[SynthesisedStack]":
    """Write the deployment's Terraform below `out`. Raises RefusedError if that is not possible."""
    import bindings

    bindings.install(check_types=False)  # mypy has checked the calls
    from stacks import synthesis

    return synthesis.synthesise(deployment, out)
