"""Hands Terraform over as HCL that reads as if written by hand, and means exactly what the synthesised JSON means.

    convert(json.load(open("cdktf.out/stacks/web/cdk.tf.json")), name="web", schemas=shipped())

gives the files of one stack, by path. `hand_over` does so for all stacks of an output folder, with what lies beside
them, and takes care of what operations changed since. It takes any cdktf project's output; what it does not know it
refuses.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ops.handover.conversion import convert, moved_addresses
from ops.handover.errors import HandoverError, Problem
from ops.handover.folder import replace, write
from ops.handover.reading import required_providers, source_address
from ops.handover.readme import overview, stack_readme
from ops.handover.schema import Schemas, asked_of_terraform, from_file, shipped
from ops.handover.stacks import HandoverStack, read

__all__ = ["HandoverError", "Problem", "convert", "hand_over", "moved_addresses", "shipped"]


def hand_over(out: Path, destination: Path, *, schema_files: Sequence[Path] = (), force: bool = False) -> list[Path]:
    """Write every stack of the output folder `out` as HCL below `destination`; returns the stacks' folders.

    `schema_files` hold what `terraform providers schema -json` said of providers that are not known here.

    Raises HandoverError, and then `destination` is as it was: for what cannot be converted, and, unless `force`, when
    files of an earlier handover were changed since.
    """
    if shutil.which("terraform") is None:
        hint = "install Terraform 1.10 or later: https://developer.hashicorp.com/terraform/install"
        raise HandoverError([Problem(where="terraform", what="is not on PATH, and formats what is written", hint=hint)])
    stacks = read(out)
    schemas = shipped()
    for file in schema_files:
        schemas = schemas.including(from_file(file))
    schemas = _with_missing_providers(stacks, schemas)
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    for stack in stacks:
        try:
            converted = convert(stack.document, name=stack.name, schemas=schemas)
        except HandoverError as error:
            problems += error.problems
            continue
        beside = {**stack.files_read, **{path: content.encode() for path, content in converted.items()}}
        beside["README.md"] = stack_readme(stack, stacks, converted).encode()
        files |= {f"{stack.target}/{path}": content for path, content in beside.items()}
    if problems:
        raise HandoverError(problems)
    files["README.md"] = overview(stacks).encode()
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{destination.name}-", dir=destination.parent) as folder:
        draft = Path(folder)
        write(files, draft)
        _format(draft)
        replace(draft, destination, force=force)
    return [destination / stack.target for stack in stacks]


def _with_missing_providers(stacks: Sequence[HandoverStack], schemas: Schemas) -> Schemas:
    """The schemas with those of other providers, where Terraform is able to fetch them."""
    missing = {
        name: it
        for stack in stacks
        for name, it in required_providers(stack.document).items()
        if not schemas.knows(source_address(it["source"]))
    }
    found = asked_of_terraform(missing) if missing else None
    return schemas if found is None else schemas.including(found)


def _format(folder: Path) -> None:
    done = subprocess.run(
        ["terraform", "fmt", "-recursive", "-list=false", "-no-color", "."],  # noqa: S607 - the user's own is meant
        cwd=folder,
        env=os.environ | {"CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        what = "an expression in the JSON is none that Terraform can read"
        hint = "see where Terraform stopped, above; `terraform validate` in the synthesised stack says more"
        raise HandoverError([Problem(where="terraform fmt", what=what, hint=hint)], said=done.stderr.strip())
