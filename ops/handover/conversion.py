"""One stack's JSON to the files a person would have written."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ops.handover.filing import filed
from ops.handover.reading import Found, read
from ops.handover.repetition import with_repetition
from ops.handover.schema import Schemas
from ops.handover.syntax import NULL, Block, Expression, expression, render
from ops.handover.texts import Texts, with_json_apart


def convert(document: Mapping[str, Any], *, name: str, schemas: Schemas) -> dict[str, str]:
    """The files of the stack called `name`, by path, still to be aligned by `terraform fmt`.

    `document` is as `terraform.output.load` gives it, with exact numbers or without. Raises HandoverError with
    everything that is not known of it.
    """
    content = read(document, name=name, schemas=schemas)
    texts = Texts()
    repeated = with_repetition(content.blocks, texts)
    blocks: list[Found] = []
    values: dict[str, Expression] = {}
    for found in repeated.blocks:
        block = found.block
        if block.type in ("resource", "data"):
            block = texts.taken_out_of(with_json_apart(block))
        elif block.type == "locals":
            block = texts.taken_out_of_locals(block)
        elif block.type == "variable":
            block, value = _without_value(block)
            if value is not None:
                values[block.labels[0]] = value
        blocks.append(replace(found, block=block))
    files = {file: render(blocks) for file, blocks in sorted(filed(blocks).items())}
    if values:
        files["terraform.tfvars"] = "".join(f"{it} = {expression(value)}\n" for it, value in sorted(values.items()))
    return files | texts.files


def moved_addresses(document: Mapping[str, Any], *, name: str, schemas: Schemas) -> dict[str, str]:
    """The addresses of resources that are others in what `convert` gives, each with its new one."""
    content = read(document, name=name, schemas=schemas)
    return dict(with_repetition(content.blocks, Texts()).moved)


def _without_value(variable: Block) -> tuple[Block, Expression | None]:
    """A variable without its value, which goes to terraform.tfvars; null stays, as it says that none is needed."""
    value = variable.arguments.get("default", NULL)
    if value == NULL:
        return variable, None
    arguments = {name: it for name, it in variable.arguments.items() if name != "default"}
    return Block(variable.type, variable.labels, variable.comments, arguments, variable.blocks), value
