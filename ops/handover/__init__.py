"""Converts Terraform's JSON to HCL that people can read and maintain, with exactly the same meaning.

    convert(json.load(open("cdktf.out/stacks/web/cdk.tf.json")), name="web", schemas=shipped())

returns the files of one stack, and its addresses. `hand_over` writes all stacks of an output folder, with the other
files that they read, and keeps files that operations changed since the last handover. Both take any cdktf project's
output, and refuse what they cannot convert.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from errors import Problem, RefusedError
from ops.handover import given
from ops.handover.addresses import is_of_data
from ops.handover.conversion import Converted, convert
from ops.handover.folder import FolderChange
from ops.handover.formatting import HclFormatter
from ops.handover.git_files import git_files
from ops.handover.possible_secrets import possible_secrets
from ops.handover.readme import overview, stack_readme
from ops.handover.schema import Schemas, from_file, shipped
from ops.handover.schema.asking import stand_ins, with_missing_providers
from ops.handover.stacks import HandoverStack, read
from ops.handover.state_paths import with_state_paths
from ops.handover.validation import errors_in, refuse_invalid
from terraform import output
from terraform.cli import TerraformCli

__all__ = ["Converted", "convert", "hand_over", "shipped"]


def hand_over(
    out: Path,
    destination: Path,
    *,
    schema_files: Sequence[Path] = (),
    force: bool = False,
    mark_conflicts: bool = False,
    check: bool = False,
    validate: bool = False,
    run_providers: bool = True,
    keep_defaults: bool = False,
    states_from: Path | None = None,
    larger: Path | None = None,
) -> list[Path]:
    """Write every stack of the output folder `out` as HCL below `destination`; returns the stacks' folders.

    `schema_files` are outputs of `terraform providers schema -json`, for other providers and releases. What people
    changed since the last handover is kept. Where this handover changes the same lines, `mark_conflicts` writes both
    versions into the file, and `force` keeps nothing that people changed. `check` only compares. `validate` lets
    `terraform validate` read every stack that changes, with `check` every stack, where Terraform can get its
    providers. Without `run_providers`, nothing is validated, and no schema is asked for: both run providers from the
    registries that the JSON names.
    Relative paths of local states name the same files as where `out` lies at `states_from`, and stay without it.
    `keep_defaults` leaves the defaults of variables where they are, instead of in terraform.tfvars. `larger` is the
    output of the same project with one more member of collections that have one, which shows what its keys are.

    Raises RefusedError, and leaves `destination` as it was, if something cannot be converted or is not valid, if the
    same lines changed and neither option is given, if people left out a resource without saying what becomes of it, and
    with `check` if something would be written. With `mark_conflicts`, it is raised after everything is written.
    """
    terraform = TerraformCli()
    formatter = HclFormatter(terraform)
    stacks = read(out)
    if states_from is not None:
        stacks = with_state_paths(stacks, out, states_from, destination)
    schemas = shipped()
    for file in schema_files:
        schemas = schemas.including(from_file(file))
    if run_providers:
        schemas = with_missing_providers(schemas, [stack.document for stack in stacks])
    for line in stand_ins(schemas, [stack.document for stack in stacks]):
        print(line, file=sys.stderr)
    known = given.read(destination, {stack.name: stack.target for stack in stacks}, force=force)
    known = given.by_present_names(known, {stack.name: stack.state_place for stack in stacks}, force=force)
    written, addresses = _files(stacks, schemas, known, _larger(larger), keep_defaults=keep_defaults)
    files = formatter.of_a_handover(written)
    own = {path: content for path, content in files.items() if path != given.FILE}
    files = files | git_files(own)
    change = FolderChange(files, destination, formatter, overwrite=force)
    if not mark_conflicts:
        change.refuse_conflicts()
    change.refuse_losses(addresses)
    if validate and run_providers:
        read_by_terraform = change.stacks_to_validate((stack.target for stack in stacks), unchanged_too=check)
        found = errors_in(read_by_terraform, terraform, change.lay_out)
        refuse_invalid(
            found,
            destination,
            is_changed=lambda path: not change.is_as_handed_over(path),
            merged_text=change.merged_text,
        )
    if check:
        change.refuse_differences()
    else:
        for line in possible_secrets(stacks, destination, keep_defaults=keep_defaults):
            print(line, file=sys.stderr)
        change.put(mark_conflicts=mark_conflicts)
    return [destination / stack.target for stack in stacks]


def _larger(out: Path | None) -> dict[str, Mapping[str, Any]]:
    """The stacks of the same project with more members, by name."""
    return {} if out is None else {stack.name: stack.document for stack in output.read(out, exact_numbers=True)}


def _files(
    stacks: Sequence[HandoverStack],
    schemas: Schemas,
    known: Mapping[str, given.Given],
    larger: Mapping[str, Mapping[str, Any]],
    *,
    keep_defaults: bool,
) -> tuple[dict[str, bytes], dict[str, set[str]]]:
    """All files of the handover by path, and the addresses of the resources in them by the folders of stacks.

    `known` is what the last handover gave, `larger` the stack with more members, both by stack. Raises RefusedError
    with the problems of all stacks.
    """
    files: dict[str, bytes] = {}
    addresses: dict[str, set[str]] = {}
    now = dict(known)
    problems: list[Problem] = []
    for stack in stacks:
        try:
            before = known.get(stack.name, given.Given())
            converted = convert(
                stack.document,
                name=stack.name,
                schemas=schemas,
                given=before,
                keep_defaults=keep_defaults,
                larger=larger.get(stack.name),
            )
        except RefusedError as error:
            problems += error.problems
            continue
        addresses[stack.target] = {new for old, new in converted.addresses.items() if not is_of_data(old)}
        now[stack.name] = replace(converted.given, state=stack.state_place)
        texts = {**converted.files, "README.md": stack_readme(stack, stacks, converted)}
        problems += [
            Problem(where=str(stack.folder / path), what="the handover writes a file of this name", hint="rename it")
            for path in sorted(stack.files_read.keys() & texts.keys())
        ]
        of_stack = {**stack.files_read, **{path: content.encode() for path, content in texts.items()}}
        files |= {f"{stack.target}/{path}": content for path, content in of_stack.items()}
    if problems:
        raise RefusedError(problems)
    has_moves = any(path.endswith("/moved.tf") for path in files)
    readme = overview(stacks, has_moves=has_moves)
    return {**files, "README.md": readme.encode(), given.FILE: given.written(now).encode()}, addresses
