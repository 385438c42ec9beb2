"""Writes the provider's default tags once, as `local.tags`, where resources or other providers repeat them.

An Auto Scaling group gives its instances tags by `tag` blocks, which become one dynamic block. Their order has no
meaning: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/autoscaling_group#tag-and-tags
"""

from collections.abc import Sequence
from dataclasses import replace

from ops.handover.hcl import Block, Expression, FunctionCall, ObjectExpr, Template, Verbatim
from ops.handover.metadata import TopLevelBlock
from ops.handover.style.local_values import is_text, local_values, values, with_changed_values, with_local_values

_LEAST_TAGS = 2
_LEAST_BLOCKS = 3
_LOCAL = Verbatim("local.tags")


def with_tags(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks with one dynamic block for many `tag` blocks, and references in place of the default tags."""
    blocks = [replace(found, block=_with_dynamic_tags(found.block)) for found in blocks]
    tags = _default_tags(blocks)
    if tags is None or len(tags.items) < _LEAST_TAGS or "tags" in local_values(blocks):
        return blocks
    if sum(_without(it, tags) is not None for it in values(blocks)) < 2:
        return blocks
    return with_local_values([with_changed_values(it, lambda it: _named(it, tags)) for it in blocks], {"tags": tags})


def _default_tags(blocks: Sequence[TopLevelBlock]) -> ObjectExpr | None:
    """The constant tags that the first AWS provider gives to everything."""
    for found in blocks:
        if found.block.type == "provider" and found.block.labels == ("aws",):
            for block in found.block.blocks:
                tags = block.arguments.get("tags")
                if block.type == "default_tags" and isinstance(tags, ObjectExpr) and _is_constant(tags):
                    return tags
    return None


def _is_constant(tags: ObjectExpr) -> bool:
    return all(key.text and is_text(value) is not None for key, value in tags.items)


def _without(expression: Expression, tags: ObjectExpr) -> ObjectExpr | None:
    """What an object has besides all of the tags; None if it does not have them all."""
    if not isinstance(expression, ObjectExpr) or any(it not in expression.items for it in tags.items):
        return None
    return ObjectExpr(tuple(it for it in expression.items if it not in tags.items))


def _named(expression: Expression, tags: ObjectExpr) -> Expression:
    others = _without(expression, tags)
    if others is None:
        return expression
    return FunctionCall("merge", (_LOCAL, others)) if others.items else _LOCAL


def _with_dynamic_tags(block: Block) -> Block:
    """An Auto Scaling group whose tags are one dynamic block, if they differ in their key and value alone."""
    tags = [it for it in block.blocks if it.type == "tag"]
    if block.labels[:1] != ("aws_autoscaling_group",) or len(tags) < _LEAST_BLOCKS:
        return block
    pairs = [(it.arguments.get("key"), it.arguments.get("value")) for it in tags]
    rest = [{name: it for name, it in tag.arguments.items() if name not in ("key", "value")} for tag in tags]
    items = [(key, it) for key, it in pairs if isinstance(key, Template) and key.text and isinstance(it, Template)]
    if len({key.text for key, _ in items}) < len(tags) or any(it != rest[0] for it in rest):
        return block
    if any(tag.comments or tag.blocks for tag in tags):
        return block
    content = Block("content", arguments={"key": Verbatim("tag.key"), "value": Verbatim("tag.value"), **rest[0]})
    dynamic = Block("dynamic", ("tag",), arguments={"for_each": ObjectExpr(tuple(items))}, blocks=(content,))
    others = tuple(it for it in block.blocks if it.type != "tag")
    return replace(block, blocks=(*others, dynamic))
