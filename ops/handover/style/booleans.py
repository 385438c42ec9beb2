"""Writes `true` for "true" in arguments that are true or false to people, and strings to the provider."""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ops.handover.argument_order import path_of
from ops.handover.hcl import Block, Expression, Template, Verbatim
from ops.handover.metadata import TopLevelBlock

_FILE = Path(__file__).with_suffix(".json")


def with_booleans(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks with booleans in these arguments."""
    return [replace(it, block=_changed(it.block)) if it.block.type == "resource" else it for it in blocks]


def _changed(block: Block, around: str = "") -> Block:
    path = path_of(block, around)
    names = _arguments().get(path, ())
    arguments = {name: _boolean(it) if name in names else it for name, it in block.arguments.items()}
    return replace(block, arguments=arguments, blocks=tuple(_changed(it, path) for it in block.blocks))


def _boolean(value: Expression) -> Expression:
    return Verbatim(value.text) if isinstance(value, Template) and value.text in ("true", "false") else value


@functools.cache
def _arguments() -> Mapping[str, Sequence[str]]:
    by_path: Mapping[str, Sequence[str]] = json.loads(_FILE.read_text(encoding="utf-8"))["arguments"]
    return by_path
