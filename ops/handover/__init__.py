"""Converts Terraform's JSON to HCL that people can read and maintain, with exactly the same meaning.

    convert(json.load(open("cdktf.out/stacks/web/cdk.tf.json")), name="web", schemas=shipped())

returns the files of one stack, and its addresses. `hand_over` writes all stacks of an output folder, with the other
files that they read, and keeps files that operations changed since the last handover. Both take any cdktf project's
output, and refuse what they cannot convert.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from errors import Problem, RefusedError, refused
from ops.handover import given
from ops.handover.conversion import Converted, convert
from ops.handover.folder import replace, write
from ops.handover.providers import required_providers, source_address
from ops.handover.readme import overview, stack_readme
from ops.handover.schema import Schemas, asked_of_terraform, from_file, shipped
from ops.handover.stacks import HandoverStack, read
from terraform.cli import TerraformCli

__all__ = ["Converted", "convert", "hand_over", "shipped"]


def hand_over(out: Path, destination: Path, *, schema_files: Sequence[Path] = (), force: bool = False) -> list[Path]:
    """Write every stack of the output folder `out` as HCL below `destination`; returns the stacks' folders.

    `schema_files` are outputs of `terraform providers schema -json`, for providers other than AWS.

    Raises RefusedError, and leaves `destination` as it was, if something cannot be converted or, without `force`, if
    files were changed since the last handover.
    """
    terraform = TerraformCli()
    stacks = read(out)
    schemas = shipped()
    for file in schema_files:
        schemas = schemas.including(from_file(file))
    schemas = _with_missing_providers(stacks, schemas)
    files = _files(stacks, schemas, given.read(destination))
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{destination.name}-", dir=destination.parent) as folder:
        draft = Path(folder)
        write(files, draft)
        _format(draft, terraform)
        replace(draft, destination, force=force)
    return [destination / stack.target for stack in stacks]


def _files(stacks: Sequence[HandoverStack], schemas: Schemas, known: Mapping[str, given.Given]) -> dict[str, bytes]:
    """All files of the handover, by path. Raises RefusedError with the problems of all stacks.

    `known` is what the last handover gave, by stack.
    """
    files: dict[str, bytes] = {}
    now = dict(known)
    problems: list[Problem] = []
    for stack in stacks:
        try:
            before = known.get(stack.name, given.Given())
            converted = convert(stack.document, name=stack.name, schemas=schemas, given=before)
        except RefusedError as error:
            problems += error.problems
            continue
        now[stack.name] = given.Given(addresses={**before.addresses, **converted.addresses})
        texts = {**converted.files, "README.md": stack_readme(stack, stacks, converted.files)}
        of_stack = {**stack.files_read, **{path: content.encode() for path, content in texts.items()}}
        files |= {f"{stack.target}/{path}": content for path, content in of_stack.items()}
    if problems:
        raise RefusedError(problems)
    has_moves = any(path.endswith("/moved.tf") for path in files)
    readme = overview(stacks, has_moves=has_moves)
    return {**files, "README.md": readme.encode(), given.FILE: given.written(now).encode()}


def _with_missing_providers(stacks: Sequence[HandoverStack], schemas: Schemas) -> Schemas:
    """The schemas, with those of other providers that Terraform can download."""
    missing = {
        name: entry
        for stack in stacks
        for name, entry in required_providers(stack.document).items()
        if not schemas.knows(source_address(entry["source"]))
    }
    found = asked_of_terraform(missing) if missing else None
    return schemas if found is None else schemas.including(found)


def _format(folder: Path, terraform: TerraformCli) -> None:
    done = terraform.run("fmt", "-recursive", "-list=false", "-no-color", ".", folder=folder)
    if done.returncode:
        what = "Terraform cannot parse an expression in the JSON"
        hint = "Terraform's message above names it; `terraform validate` in the synthesised stack explains more"
        raise refused("terraform fmt", what, hint, details=done.stderr)
