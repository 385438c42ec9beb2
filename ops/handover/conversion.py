"""Converts one stack's JSON to HCL files."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from ops.handover.addresses import is_of_data
from ops.handover.constructors import with_constructors
from ops.handover.cycles import refuse_new_cycles
from ops.handover.edit_places import EditPlace, located
from ops.handover.filing import filed
from ops.handover.given import Given
from ops.handover.hcl import NULL, Block, Expression
from ops.handover.inputs import with_inputs
from ops.handover.json_strings import with_jsonencode, with_plain_paths
from ops.handover.lists_in_texts import KeyList
from ops.handover.printing import expression, render
from ops.handover.reading import read
from ops.handover.repetition import with_repetition
from ops.handover.schema import Schemas
from ops.handover.scopes import hides
from ops.handover.style import with_style
from ops.handover.style.key_lists import key_lists
from ops.handover.style.null_checks import without_needless_nullable
from ops.handover.texts import TextFiles

_NOTHING = Given()


@dataclass(frozen=True, kw_only=True)
class Converted:
    """One stack as HCL.

    files: by path, before `terraform fmt` aligns them.
    addresses: of every resource and data source in the HCL, by its address in the JSON.
    given: what the next handover must know.
    edit_places: where members of repeated resources are added, for the README.
    left_out: inputs that became no variables.
    """

    files: Mapping[str, str]
    addresses: Mapping[str, str]
    given: Given = _NOTHING
    edit_places: Sequence[EditPlace] = ()
    left_out: Set[str] = frozenset()

    @property
    def moved(self) -> dict[str, str]:
        """The addresses of resources that differ in the HCL, by those in the JSON."""
        return {old: new for old, new in self.addresses.items() if old != new and not is_of_data(old)}


def convert(
    document: Mapping[str, Any], *, name: str, schemas: Schemas, given: Given = _NOTHING, keep_defaults: bool = False
) -> Converted:
    """The stack called `name` as HCL. `given` is what earlier handovers gave to it.

    `keep_defaults` leaves the defaults of variables where they are, so that TF_VAR_… replaces them: it does not replace
    what terraform.tfvars says.

    `document` comes from `terraform.output.load`, with or without exact numbers. Raises RefusedError with everything
    in it that cannot be converted.
    """
    document = with_inputs(document, name=name)
    texts = TextFiles()
    as_read = read(document, name=name, schemas=schemas)
    repeated = with_repetition(as_read, texts, given, stack=name)
    plain = with_plain_paths(found.block for found in repeated.blocks)
    styled = with_style([replace(found, block=_with_objects(found.block, plain)) for found in repeated.blocks])
    moved = [] if keep_defaults else [found.block for found in styled if _has_value(found.block)]
    values = {block.labels[0]: block.arguments["default"] for block in moved}
    lists = key_lists(styled)
    blocks = [replace(found, block=_readable(found.block, texts, values, lists)) for found in styled]
    refuse_new_cycles(name, (found.block for found in as_read), (found.block for found in blocks))
    by_file = filed(blocks)
    files = {file: render(content) for file, content in sorted(by_file.items())}
    if values:
        files["terraform.tfvars"] = "".join(f"{it} = {expression(value)}\n" for it, value in sorted(values.items()))
    files |= texts.files
    return Converted(
        files=files,
        addresses=repeated.addresses,
        given=repeated.given,
        edit_places=located(repeated.members, by_file, files),
        left_out=repeated.left_out,
    )


def _with_objects(block: Block, plain: Set[str]) -> Block:
    """The block with `jsonencode(…)` in place of strings of JSON. `plain` are addresses with plain ARNs."""
    return with_constructors(with_jsonencode(block, plain)) if block.type in ("resource", "data") else block


def _readable(block: Block, texts: TextFiles, values: Mapping[str, Expression], lists: Sequence[KeyList]) -> Block:
    """The block without long texts, without loops over `lists`, and without the value of a variable in `values`."""
    if block.type in ("resource", "data"):
        return block if hides(block) else texts.moved_from(block, lists)
    if block.type == "locals":
        return texts.moved_from_locals(block)
    if block.type == "variable" and block.labels[0] in values:
        arguments = {name: it for name, it in block.arguments.items() if name != "default"}
        return without_needless_nullable(replace(block, arguments=arguments))
    return block


def _has_value(block: Block) -> bool:
    """Whether a variable has a default for terraform.tfvars. A null default stays: it makes the variable optional."""
    return block.type == "variable" and block.arguments.get("default", NULL) != NULL
