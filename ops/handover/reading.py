"""Reads a stack's JSON into blocks, by Terraform's own grammar and the providers' schemas.

https://developer.hashicorp.com/terraform/language/syntax/json
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from errors import RefusedError
from errors.shown import printable, shown
from ops.handover.grammar import BACKENDS, DYNAMIC, DYNAMIC_OBJECTS, OBJECT_KINDS, TOP_LEVEL, ArgumentKind, BlockGrammar
from ops.handover.hcl import Block, Expression
from ops.handover.metadata import TopLevelBlock, comments, members_without, reason, with_metadata
from ops.handover.providers import local_name, required_providers, source_address
from ops.handover.schema import BUILT_IN, ProviderSchema, Schemas, Shape
from ops.handover.values import Problems, ValueReader
from terraform.patterns import NAME

_OTHER_RELEASE = (
    "if a newer release of the provider has it, run `terraform providers schema -json` with that release and pass its "
    "output with --schema"
)
_THIS_RELEASE = (
    "narrow the provider's version constraint to the release that the stack uses; if that is not enough, run "
    "`terraform providers schema -json` with that release and pass its output with --schema"
)
_NO_GRAMMAR = BlockGrammar()


def read(document: Mapping[str, Any], *, name: str, schemas: Schemas) -> list[TopLevelBlock]:
    """The blocks of the stack called `name`, in the file's order. Raises RefusedError with every problem."""
    problems = Problems(name)
    for where, text in _halves_of_characters(document):
        problems.add(where, f"{shown(text)} has half of a character", "write the whole character, and synthesise again")
    blocks = [] if problems.found else list(_StackReader(document, problems, schemas).top_level())
    if problems.found:
        raise RefusedError(problems.found)
    return blocks


def _halves_of_characters(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Texts with a lone surrogate, which JSON can write and UTF-8 cannot, each with its place."""
    match value:
        case str() if not value.isascii() and re.search("[\ud800-\udfff]", value):
            yield where, value
        case list():
            for index, item in enumerate(value):
                yield from _halves_of_characters(item, f"{where}[{index}]")
        case dict():
            for name, item in value.items():
                place = f"{where}.{printable(name)}".removeprefix(".")
                yield from _halves_of_characters(name, place)
                yield from _halves_of_characters(item, place)


class _Body(NamedTuple):
    """A block in JSON: its labels and content, and its place for messages."""

    labels: tuple[str, ...]
    content: Mapping[str, Any]
    where: str


class _StackReader:
    def __init__(self, document: Mapping[str, Any], problems: Problems, schemas: Schemas) -> None:
        self.problems = problems
        self._document = document
        self._schemas = schemas
        self._values = ValueReader(problems)
        self._required = required_providers(document)
        self._unknown_providers: set[str] = set()

    def top_level(self) -> Iterator[TopLevelBlock]:
        for kind, content in self._document.items():
            if kind in TOP_LEVEL:
                grammar = TOP_LEVEL[kind]
                for body in self._bodies(content, grammar.labels, kind):
                    for block in self._own_block(kind, body, grammar):
                        yield with_metadata(block, body.content)
            elif kind != "//":
                hint = "remove it, or hand over this stack as JSON"
                self.problems.add(kind, f"{kind!r} is not a Terraform block", hint)

    def _bodies(self, content: Any, labels: int, where: str, before: tuple[str, ...] = ()) -> Iterator[_Body]:
        """Each block below `labels` levels of labels. Every level may be one object or a list of objects."""
        for item in content if isinstance(content, list) else [content]:
            if not isinstance(item, dict):
                if item is not None:
                    self.problems.add(where, f"{shown(item)} is not a block", "write an object, or a dynamic block")
            elif labels == 0:
                yield _Body(before, item, where)
            else:
                for label, inner in item.items():
                    if label != "//":
                        yield from self._bodies(inner, labels - 1, f"{where}.{label}", (*before, label))

    def _own_block(self, type: str, body: _Body, grammar: BlockGrammar) -> Iterator[Block]:
        """A block that Terraform defines; a provider may define the rest of its content."""
        if not all(self._is_name(label, body.where) for label in body.labels):
            return
        if type == "provider":
            provider = self._known_provider(body.labels[0], body.where)
            if provider is not None:
                yield self._block(type, body, grammar, provider.configuration)
        elif type in OBJECT_KINDS:
            shape = self._shape(type, body)
            if shape is not None:
                yield self._block(type, body, grammar, shape)
        elif type == "backend":
            yield self._block(type, body, self._backend(body))
        else:
            yield self._block(type, body, grammar)

    def _backend(self, body: _Body) -> BlockGrammar:
        (name,) = body.labels
        if name not in BACKENDS:
            self.problems.add(body.where, f"unknown backend {name!r}", f"use one of: {', '.join(sorted(BACKENDS))}")
        return BACKENDS.get(name, BlockGrammar(others=ArgumentKind.PLAIN))

    def _shape(self, kind: str, body: _Body) -> Shape | None:
        """The provider's schema for a resource or data source; without one, there is a problem."""
        type_, _ = body.labels
        provider = self._known_provider(local_name(type_, body.content), body.where)
        shape = None if provider is None else provider.find(kind, type_)
        if provider is not None and shape is None:
            self.problems.add(body.where, f"{provider.name} has no {type_!r}", _OTHER_RELEASE)
        return shape

    def _known_provider(self, local: str, where: str) -> ProviderSchema | None:
        """A provider's schema; for a provider without one, one problem is reported."""
        entry = {"source": BUILT_IN} if local == "terraform" else self._required[local]
        source, constraint = source_address(entry["source"]), entry.get("version", "")
        provider = self._schemas.provider(source, constraint)
        if provider is None and source not in self._unknown_providers:
            self._unknown_providers.add(source)
            what = f"the schema of provider {f'{source} {constraint}'.strip()} is not known"
            why = self._schemas.failures.get((source, constraint))
            hint = f"{_commands(source, constraint)}, where Terraform can download it, and pass --schema schema.json"
            self.problems.add(where, what if why is None else f"{what}, and {why}", hint)
        return provider

    def _block(self, type: str, body: _Body, grammar: BlockGrammar, shape: Shape | None = None) -> Block:
        """A block of which Terraform defines the content in `grammar`, and a provider defines that in `shape`."""
        arguments: dict[str, Expression] = {}
        blocks: list[Block] = []
        for name, value in body.content.items():
            where = f"{body.where}.{name}"
            if name == "//":
                continue
            kind = _argument_kind(name, value, grammar, shape)
            if kind is not None:
                if self._is_name(name, where):
                    arguments[name] = self._values.read(kind, value, where)
            elif name in grammar.blocks:
                inner = grammar.blocks[name]
                for inner_body in self._bodies(value, inner.labels, where):
                    blocks += self._own_block(name, inner_body, inner)
            elif shape is not None:
                blocks += self._provider_blocks(" ".join([type, *body.labels[:1]]), name, value, shape, where)
            else:
                self.problems.add(where, f"{name!r} is neither an argument nor a block of {type}", "remove it")
        above, inside = reason(body.content), comments(body.content)
        sets = frozenset() if shape is None else shape.sets
        without = members_without(body.content)
        return Block(type, body.labels, inside, arguments, tuple(blocks), above, sets, without)

    def _provider_blocks(self, owner: str, name: str, value: Any, shape: Shape, where: str) -> Iterator[Block]:
        if name == "dynamic":
            for body in self._bodies(value, DYNAMIC.labels, where):
                yield self._dynamic(body, shape)
        elif name in shape.lists_of_objects:
            yield from (Block(name, (), comments(it), self._members(it, where)) for it in value)
        elif name in shape.blocks:
            for body in self._bodies(value, 0, where):
                yield self._block(name, body, _NO_GRAMMAR, shape.blocks[name])
        elif name in shape.unclear:
            what = f"it is not known whether {name!r} is an argument or a block of {owner}, or what it contains"
            self.problems.add(where, what, _THIS_RELEASE)
        else:
            self.problems.add(where, f"{name!r} is neither an argument nor a block of {owner}", _OTHER_RELEASE)

    def _dynamic(self, body: _Body, shape: Shape) -> Block:
        """A dynamic block, whose content is that of the block in its label."""
        (label,) = body.labels
        if label in shape.blocks:
            return self._block("dynamic", body, DYNAMIC, Shape(blocks={"content": shape.blocks[label]}))
        if label not in shape.lists_of_objects | shape.possibly_blocks:
            self.problems.add(body.where, f"{label!r} is not a block that can be dynamic here", _OTHER_RELEASE)
        return self._block("dynamic", body, DYNAMIC_OBJECTS)

    def _members(self, content: Mapping[str, Any], where: str) -> dict[str, Expression]:
        """An object as a block's arguments. JSON needs every member, whereas a block may leave out null ones."""
        return {
            name: self._values.read(ArgumentKind.TEMPLATE, it, f"{where}.{name}")
            for name, it in content.items()
            if it is not None and name != "//" and self._is_name(name, f"{where}.{name}")
        }

    def _is_name(self, name: str, where: str) -> bool:
        """Whether a name is valid. It is written as it is, and becomes part of file names."""
        if re.fullmatch(NAME, name):
            return True
        self.problems.add(where, f"{shown(name)} is not a valid Terraform name", "rename it, and synthesise again")
        return False


def _commands(source: str, constraint: str) -> str:
    """The commands that write the schema of a provider to schema.json, with a version for the reader to choose."""
    required = {source.rpartition("/")[2]: {"source": source, "version": constraint or "VERSION"}}
    settings = json.dumps({"terraform": {"required_providers": required}})
    write = f"echo {shlex.quote(settings)} >versions.tf.json"
    return f"run `{write} && terraform init && terraform providers schema -json >schema.json`"


def _argument_kind(name: str, value: Any, grammar: BlockGrammar, shape: Shape | None) -> ArgumentKind | None:
    """How to read an argument; None if the name is not an argument."""
    if name in grammar.arguments:
        return grammar.arguments[name]
    if name in grammar.blocks:
        return None
    if shape is None:
        return grammar.others
    is_block = name == "dynamic" or (name in shape.lists_of_objects and _are_objects(value))
    return ArgumentKind.TEMPLATE if name in shape.arguments and not is_block else None


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
