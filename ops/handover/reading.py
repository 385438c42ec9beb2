"""Reads a stack's JSON into blocks, by what Terraform and the providers' schemas say each name is.

https://developer.hashicorp.com/terraform/language/syntax/json
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops.handover.errors import HandoverError, Problem
from ops.handover.schema import BUILT_IN, Schemas, Shape
from ops.handover.syntax import NULL, Block, Expression, Object, Template, Tuple, Verbatim, text
from ops.handover.templates import TemplateError, parts
from terraform.output import Number

_REGISTRY = "registry.terraform.io"


@dataclass(frozen=True, kw_only=True)
class Found:
    """One top-level block, and what cdktf says of it: its path in the tree of constructs, without the stack.

    beside: the address of the block in whose file it is to lie, when it has no place of its own.
    """

    block: Block
    path: tuple[str, ...] = ()
    generated_name: bool = False
    beside: str | None = None


@dataclass(frozen=True, kw_only=True)
class Content:
    """All that a stack's file holds."""

    blocks: Sequence[Found]
    required_providers: Mapping[str, Mapping[str, str]]


def required_providers(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The providers a file asks for, by their local names."""
    found: dict[str, dict[str, str]] = {}
    for settings in _each(document.get("terraform")):
        for entry in _each(settings.get("required_providers")):
            for name, it in entry.items():
                if name == "//":
                    continue
                wanted = it if isinstance(it, dict) else {"version": str(it)}
                found[name] = {key: str(value) for key, value in wanted.items() if isinstance(value, str)}
                found[name].setdefault("source", f"hashicorp/{name}")
    for kind in ("resource", "data", "ephemeral"):
        for types in _each(document.get(kind)):
            for resource_type, named in types.items():
                for it in named.values() if isinstance(named, dict) else ():
                    for block in _each(it):
                        name = _provider_name(resource_type, block)
                        if name != "terraform":
                            found.setdefault(name, {"source": f"hashicorp/{name}"})
    for entry in _each(document.get("provider")):
        for name in entry:
            if name != "//":
                found.setdefault(name, {"source": f"hashicorp/{name}"})
    return found


def source_address(source: str) -> str:
    """`hashicorp/aws` with its registry's host before it."""
    return source if source.count("/") == 2 else f"{_REGISTRY}/{source}"


def _provider_name(type: str, block: Any) -> str:
    chosen = block.get("provider") if isinstance(block, dict) else None
    if isinstance(chosen, str):
        return _bare(chosen).split(".")[0]
    return type.split("_")[0]


def _each(value: Any) -> list[dict[str, Any]]:
    """Terraform's JSON takes an object, or a list of objects."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def _bare(reference: str) -> str:
    """A reference, which some generators write as an interpolation."""
    match = re.fullmatch(r"\$\{\s*(.*?)\s*\}", reference, re.DOTALL)
    return match[1] if match else reference


_Reader = Callable[["_Reading", Any, str], Expression]


@dataclass(frozen=True)
class _Grammar:
    """A block of Terraform's own: how each argument is read, and which blocks it may hold."""

    arguments: Mapping[str, _Reader]
    blocks: Mapping[str, "_Grammar"] = field(default_factory=dict)
    labels: int = 0
    others: _Reader | None = None


def read(document: Mapping[str, Any], *, name: str, schemas: Schemas) -> Content:
    """The blocks of a stack called `name`, in the file's order. Raises HandoverError with every problem."""
    reading = _Reading(name, required_providers(document), schemas)
    blocks = list(reading.file(document))
    if reading.problems:
        raise HandoverError(reading.problems)
    return Content(blocks=blocks, required_providers=reading.required)


class _Reading:
    def __init__(self, stack: str, required: Mapping[str, Mapping[str, str]], schemas: Schemas) -> None:
        self.stack = stack
        self.required = required
        self.schemas = schemas
        self.problems: list[Problem] = []

    def file(self, document: Mapping[str, Any]) -> Iterator[Found]:
        for kind, content in document.items():
            if kind == "//":
                continue
            if kind in ("resource", "data", "ephemeral"):
                for resource_type, name, body, where in self._labelled(content, 2, kind):
                    yield from self._of_provider(kind, resource_type, name, body, where)
            elif kind == "provider":
                for name, body, where in self._labelled(content, 1, kind):
                    yield Found(block=self._provider(name, body, where))
            elif kind == "locals":
                for body, where in self._labelled(content, 0, kind):
                    found = {
                        local: self.value(it, f"{where}.{local}")
                        for local, it in body.items()
                        if local != "//" and self._is_name(local, f"{where}.{local}")
                    }
                    yield Found(block=Block("locals", comments=_comments(body), arguments=found))
            elif kind in _TOP_LEVEL:
                yield from self._of_terraform(kind, content)
            else:
                self._problem(kind, f"{kind!r} is no block of Terraform", "remove it, or hand this stack over as JSON")

    def _of_terraform(self, kind: str, content: Any) -> Iterator[Found]:
        grammar = _TOP_LEVEL[kind]
        for *labels, body, where in self._labelled(content, grammar.labels, kind):
            block = self._by_grammar(kind, tuple(labels), body, grammar, where)
            yield Found(block=block, path=_path(body), generated_name=_generated(body, labels))

    def _labelled(self, content: Any, labels: int, where: str) -> Iterator[Any]:
        """Each body with its labels before it and its place behind it."""
        if labels == 0:
            for body in self._bodies(content, where):
                yield body, where
            return
        for level in self._bodies(content, where):
            for label, inner in level.items():
                if label != "//":
                    for found in self._labelled(inner, labels - 1, f"{where}.{label}"):
                        yield label, *found

    def _bodies(self, content: Any, where: str) -> Iterator[dict[str, Any]]:
        for item in content if isinstance(content, list) else [content]:
            if isinstance(item, dict):
                yield item
            elif item is not None:
                self._problem(
                    where, f"{_shown(item)} stands where a block belongs", "write an object, or a dynamic block"
                )

    def _by_grammar(
        self, type: str, labels: tuple[str, ...], body: Mapping[str, Any], grammar: _Grammar, where: str
    ) -> Block:
        arguments: dict[str, Expression] = {}
        blocks: list[Block] = []
        if type == "backend":
            if labels[0] not in _BACKENDS:
                self._problem(where, f"{labels[0]!r} is no backend that is known here", "keep the state in one that is")
            grammar = _BACKENDS.get(labels[0], grammar)
        for name, value in body.items():
            place = f"{where}.{name}"
            if name == "//":
                continue
            if name in grammar.blocks:
                inner = grammar.blocks[name]
                for *inner_labels, inner_body, inner_place in self._labelled(value, inner.labels, place):
                    blocks.append(self._by_grammar(name, tuple(inner_labels), inner_body, inner, inner_place))
            elif name in grammar.arguments:
                arguments[name] = grammar.arguments[name](self, value, place)
            elif grammar.others is not None:
                arguments[name] = grammar.others(self, value, place)
            elif type == "check" and name == "data":
                for kind, label, inner_body, inner_place in self._labelled(value, 2, place):
                    blocks += [found.block for found in self._of_provider("data", kind, label, inner_body, inner_place)]
            else:
                self._problem(place, f"{name!r} is nothing that {type} blocks take", "remove it")
        return Block(type, labels, _comments(body), arguments, tuple(blocks))

    def _provider(self, name: str, body: Mapping[str, Any], where: str) -> Block:
        shape = self._known(name, where)
        configuration = self.schemas.configuration(shape) if shape else None
        return self._shaped("provider", (name,), body, configuration, where, _PROVIDER_META)

    def _of_provider(self, kind: str, type: str, name: str, body: Mapping[str, Any], where: str) -> Iterator[Found]:
        if not self._is_name(name, where):
            return
        local = _provider_name(type, body)
        provider = BUILT_IN if local == "terraform" else self._known(local, where)
        if provider is None:
            return
        shape = self.schemas.find(provider, kind, type)
        if shape is None:
            self._problem(where, f"{self._release(provider)} has no {type!r}", _OTHER_RELEASE)
            return
        block = self._shaped(kind, (type, name), body, shape, where, _META[kind])
        yield Found(block=block, path=_path(body), generated_name=_generated(body, [name]))

    def _known(self, local_name: str, where: str) -> str | None:
        provider = source_address(self.required[local_name]["source"])
        if self.schemas.knows(provider):
            return provider
        hint = f"run `terraform providers schema -json` with {provider} and name its output with --schema"
        if not any(problem.hint == hint for problem in self.problems):
            self._problem(where, f"which names are blocks is not known of provider {provider}", hint)
        return None

    def _shaped(
        self,
        type: str,
        labels: tuple[str, ...],
        body: Mapping[str, Any],
        shape: Shape | None,
        where: str,
        meta: _Grammar = _Grammar({}),
    ) -> Block:
        """A block of which a provider says what it holds; `meta` is what Terraform itself adds."""
        arguments: dict[str, Expression] = {}
        blocks: list[Block] = []
        for name, value in body.items():
            place = f"{where}.{name}"
            if name == "//" or shape is None:
                continue
            if name in meta.arguments:
                arguments[name] = meta.arguments[name](self, value, place)
            elif name in meta.blocks:
                inner = meta.blocks[name]
                for *inner_labels, inner_body, inner_place in self._labelled(value, inner.labels, place):
                    blocks.append(self._by_grammar(name, tuple(inner_labels), inner_body, inner, inner_place))
            elif name == "dynamic":
                for label, dynamic, dynamic_place in self._labelled(value, 1, place):
                    blocks.append(self._dynamic(label, dynamic, shape, dynamic_place))
            elif name in shape.lists_of_objects and _all_objects(value):
                blocks += [Block(name, arguments=self._members(it, place)) for it in value]
            elif name in shape.arguments:
                arguments[name] = self.value(value, place)
            elif name in shape.blocks:
                for inner_body in self._bodies(value, place):
                    blocks.append(self._shaped(name, (), inner_body, shape.blocks[name], place))
            else:
                what = f"{name!r} is neither an argument nor a block of {' '.join([type, *labels[:1]])}"
                self._problem(place, what, _OTHER_RELEASE)
        return Block(type, labels, _comments(body), arguments, tuple(blocks))

    def _members(self, body: Mapping[str, Any], where: str) -> dict[str, Expression]:
        # In the JSON every member has to be there; in a block what is null may be left out.
        return {name: self.value(it, f"{where}.{name}") for name, it in body.items() if it is not None}

    def _dynamic(self, label: str, body: Mapping[str, Any], shape: Shape, where: str) -> Block:
        if label in shape.blocks:
            inner = shape.blocks[label]
        elif label in shape.lists_of_objects:
            inner = _ANYTHING
        else:
            self._problem(where, f"{label!r} is no block that can be dynamic here", _OTHER_RELEASE)
            inner = _ANYTHING
        arguments: dict[str, Expression] = {}
        content: list[Block] = []
        for name, value in body.items():
            place = f"{where}.{name}"
            if name == "for_each":
                arguments[name] = self.value(value, place)
            elif name == "iterator":
                arguments[name] = _reference(self, value, place)
            elif name == "labels":
                self._problem(place, "no provider's blocks have labels", "remove it")
            elif name == "content":
                for inner_body in self._bodies(value, place):
                    if inner is _ANYTHING:
                        content.append(Block("content", arguments=self._members(inner_body, place)))
                    else:
                        content.append(self._shaped("content", (), inner_body, inner, place))
            elif name != "//":
                self._problem(place, f"{name!r} is nothing that dynamic blocks take", "remove it")
        return Block("dynamic", (label,), _comments(body), arguments, tuple(content))

    def value(self, value: Any, where: str) -> Expression:
        """A value whose strings are templates."""
        return self._value(value, where, self._template)

    def _template(self, string: str, where: str) -> Template:
        try:
            return Template(tuple(parts(string)))
        except TemplateError as error:
            self._problem(
                where, f"{_shown(string)}: {error}", "end what was begun, or write $${ or %%{ for the signs themselves"
            )
            return text(string)

    def _value(self, value: Any, where: str, string: Callable[[str, str], Template]) -> Expression:
        match value:
            case None:
                return NULL
            case bool():
                return Verbatim("true" if value else "false")
            case Number():
                return Verbatim(str(value))
            case int() | float():
                return Verbatim(json.dumps(value))
            case str():
                return string(value, where)
            case list():
                return Tuple(tuple(self._value(it, f"{where}[{index}]", string) for index, it in enumerate(value)))
            case dict():
                items = (
                    (string(name, where), self._value(it, f"{where}.{name}", string)) for name, it in value.items()
                )
                return Object(tuple(items))
        raise TypeError(f"JSON holds no {type(value)}")

    def _release(self, provider: str) -> str:
        return f"{provider} {self.schemas.version(provider)}".strip()

    def _is_name(self, name: str, where: str) -> bool:
        """Texts go to files of this name, which may lead nowhere else."""
        if re.fullmatch(r"[^\W\d][\w-]*", name):
            return True
        self._problem(where, f"{_shown(name)} is no name that Terraform takes", "rename it, and synthesise again")
        return False

    def _problem(self, where: str, what: str, hint: str) -> None:
        self.problems.append(Problem(where=f"{self.stack}: {where}", what=what, hint=hint))


_ANYTHING = Shape()

_OTHER_RELEASE = (
    "if a newer release of the provider has it, run `terraform providers schema -json` with that one and name its "
    "output with --schema"
)


def _all_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _shown(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def _comments(body: Mapping[str, Any]) -> tuple[str, ...]:
    """What the JSON's `//` says to people; why a finding of checkov is accepted, in checkov's own form."""
    said = body.get("//")
    if isinstance(said, str):
        return tuple(said.splitlines())
    acknowledged = said.get("acknowledged") if isinstance(said, dict) else None
    if not isinstance(acknowledged, dict):
        return ()
    return tuple(f"checkov:skip={rule}: {' '.join(str(why).split())}" for rule, why in sorted(acknowledged.items()))


def _metadata(body: Mapping[str, Any]) -> Mapping[str, Any]:
    said = body.get("//")
    metadata = said.get("metadata") if isinstance(said, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def _path(body: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(_metadata(body).get("path", "")).split("/")[1:])


def _generated(body: Mapping[str, Any], labels: Sequence[str]) -> bool:
    """Whether cdktf made up the name, and nobody chose it."""
    return bool(labels) and _metadata(body).get("uniqueId") == labels[-1]


def _value(reading: _Reading, value: Any, where: str) -> Expression:
    return reading.value(value, where)


def _plain(reading: _Reading, value: Any, where: str) -> Expression:
    """What Terraform reads before anything can be interpolated: in JSON such strings have no escapes."""
    return reading._value(value, where, lambda string, _: text(string))


def _reference(reading: _Reading, value: Any, where: str) -> Expression:
    """A reference or a type, which JSON writes as a string and HCL without quotes."""
    match value:
        case str() if not isinstance(value, Number):
            return Verbatim(_bare(value))
        case list():
            return Tuple(tuple(_reference(reading, item, f"{where}[{index}]") for index, item in enumerate(value)))
        case dict():
            items = ((text(name), _reference(reading, item, f"{where}.{name}")) for name, item in value.items())
            return Object(tuple(items))
    reading._problem(where, f"{_shown(value)} is no reference", "write a reference as a string")
    return NULL


def _plain_providers(reading: _Reading, value: Any, where: str) -> Expression:
    """An entry of required_providers: its source and version, and the names under which a module takes it."""
    if not isinstance(value, dict):
        return _plain(reading, value, where)
    items = ((name, _reference if name == "configuration_aliases" else _plain, it) for name, it in value.items())
    return Object(tuple((text(name), read_value(reading, it, f"{where}.{name}")) for name, read_value, it in items))


def _module_source(reading: _Reading, value: Any, where: str) -> Expression:
    if str(value).startswith(("../", "/")):
        hint = "let cdktf copy the module (an asset), or publish it"
        reading._problem(where, f"{_shown(value)} lies outside the stack's folder, and stays behind", hint)
    return _plain(reading, value, where)


_CONDITION = _Grammar({"condition": _value, "error_message": _value})
_CONNECTION = _Grammar({}, others=_value)
_PROVISIONER = _Grammar(
    {"when": _reference, "on_failure": _reference}, blocks={"connection": _CONNECTION}, labels=1, others=_value
)
_LIFECYCLE = _Grammar(
    {
        "create_before_destroy": _plain,
        "prevent_destroy": _plain,
        "ignore_changes": _reference,
        "replace_triggered_by": _reference,
    },
    blocks={"precondition": _CONDITION, "postcondition": _CONDITION},
)
_REPEATED: dict[str, _Reader] = {"count": _value, "for_each": _value, "depends_on": _reference, "provider": _reference}
_META = {
    "resource": _Grammar(
        _REPEATED, blocks={"lifecycle": _LIFECYCLE, "connection": _CONNECTION, "provisioner": _PROVISIONER}
    ),
    "data": _Grammar(_REPEATED, blocks={"lifecycle": _LIFECYCLE}),
    "ephemeral": _Grammar(_REPEATED, blocks={"lifecycle": _LIFECYCLE}),
}
_PROVIDER_META = _Grammar({"alias": _plain, "version": _plain})

_SETTINGS = _Grammar({}, others=_plain)

# Of a backend's settings only these are blocks; their schemas are part of no provider's.
# https://developer.hashicorp.com/terraform/language/backend
_BACKENDS = {
    **dict.fromkeys(("azurerm", "consul", "gcs", "http", "local", "pg", "s3"), _SETTINGS),
    "cos": _Grammar({}, blocks={"assume_role": _SETTINGS}, others=_plain),
    "kubernetes": _Grammar({}, blocks={"exec": _SETTINGS}, others=_plain),
    "oss": _Grammar({}, blocks={"assume_role": _SETTINGS}, others=_plain),
    "remote": _Grammar({}, blocks={"workspaces": _SETTINGS}, others=_plain),
}

_TOP_LEVEL: dict[str, _Grammar] = {
    "terraform": _Grammar(
        {"required_version": _plain, "experiments": _reference},
        blocks={
            "required_providers": _Grammar({}, others=_plain_providers),
            "backend": _Grammar({}, labels=1, others=_plain),
            "cloud": _Grammar({}, blocks={"workspaces": _SETTINGS}, others=_plain),
        },
    ),
    "variable": _Grammar(
        {
            "type": _reference,
            "default": _plain,
            "description": _plain,
            "sensitive": _plain,
            "nullable": _plain,
            "ephemeral": _plain,
        },
        blocks={"validation": _CONDITION},
        labels=1,
    ),
    "output": _Grammar(
        {
            "value": _value,
            "description": _plain,
            "sensitive": _plain,
            "ephemeral": _plain,
            "depends_on": _reference,
        },
        blocks={"precondition": _CONDITION},
        labels=1,
    ),
    "module": _Grammar(
        {
            "source": _module_source,
            "version": _plain,
            "count": _value,
            "for_each": _value,
            "depends_on": _reference,
            "providers": _reference,
        },
        labels=1,
        others=_value,
    ),
    "check": _Grammar({}, blocks={"assert": _CONDITION}, labels=1),
    "moved": _Grammar({"from": _reference, "to": _reference}),
    "import": _Grammar({"to": _reference, "id": _value, "provider": _reference, "for_each": _value}),
    "removed": _Grammar({"from": _reference}, blocks={"lifecycle": _Grammar({"destroy": _plain})}),
}
