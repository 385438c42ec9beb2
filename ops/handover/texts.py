"""Takes long texts out of a stack into files of their own, and JSON in strings apart."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ops.handover.syntax import (
    Block,
    Call,
    Expression,
    Object,
    Template,
    Tuple,
    Verbatim,
    has_doubled_signs,
    mapped,
    text,
)
from ops.handover.templates import Interpolation, Literal, escaped

# From here on a text is easier to read, to check and to compare in a file than in the middle of a resource.
_LINES = 10
_LENGTH = 400

# Expressions whose values JSON never has to escape, and Terraform always gives as text.
_PLAIN = re.compile(r"[\w.-]+(?:\[[^\]]*\][\w.-]*)*\.(?:arn|id|account_id|key_arn|bucket_arn)")

_SHEBANGS = {"python": ".py", "ruby": ".rb", "node": ".js", "perl": ".pl", "pwsh": ".ps1"}
_EXTENSIONS = {"buildspec": ".yml", "template_body": ".yaml", "definition": ".json"}

# A local value's name says no more of its text than its last word may: `gitlab_rb` becomes `gitlab.rb`.
_LOCAL = re.compile(r"(?:files_)?(.+?)(?:_(conf|ini|js|json|ps1|py|rb|service|sh|sql|toml|xml|yaml|yml))?")


class Texts:
    """The files that a stack's long texts went to, by path."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}

    def taken_out_of(self, block: Block) -> Block:
        """A resource or data source whose long texts are read from files."""
        return self._without_texts(block, block.labels[-1])

    def taken_out_of_locals(self, block: Block) -> Block:
        """Local values whose long texts are read from files."""
        found = {name: self._shorter(value, "files", name) for name, value in block.arguments.items()}
        return replace(block, arguments=found)

    def _without_texts(self, block: Block, name: str) -> Block:
        changed = {argument: self._shorter(value, argument, name) for argument, value in block.arguments.items()}
        inner = tuple(self._without_texts(it, name) for it in block.blocks)
        return Block(block.type, block.labels, block.comments, changed, inner)

    def _shorter(self, value: Expression, argument: str, name: str) -> Expression:
        def shorter(it: Expression) -> Expression:
            if not isinstance(it, Template) or not is_long(it):
                return it
            if it.text is not None:
                encoded = _decoded(it.text)
                content = it.text if encoded is None else encoded
                stem, extension = _file(content, argument, name)
                read = f'file("${{path.module}}/{self.path(stem, extension, content)}")'
                return Verbatim(read if encoded is None else f"base64encode({read})")
            return self._template_file(it, argument, name)

        return mapped(value, shorter)

    def _template_file(self, template: Template, argument: str, name: str) -> Expression:
        if isinstance(template.parts[0], Literal) and template.parts[0].text.startswith("\ufeff"):
            return template  # Terraform would not give a file's byte order mark
        variables: dict[str, str] = {}
        written = ""
        for part in template.parts:
            if isinstance(part, Literal) and not has_doubled_signs(part):
                written += escaped(part.text)
            elif isinstance(part, Interpolation) and not (part.source.startswith("~") or part.source.endswith("~")):
                written += "${" + _variable(part.source.strip(), variables) + "}"
            else:
                return template
        stem, extension = _file(written, argument, name)
        path = self.path(stem, f"{extension}.tftpl", written)
        values = Object(tuple((text(variable), Verbatim(source)) for variable, source in variables.items()))
        return Call("templatefile", (Verbatim(f'"${{path.module}}/{path}"'), values))

    def path(self, stem: str, extension: str, content: str) -> str:
        path = f"{stem}{extension}"
        number = 2
        while self.files.get(path, content) != content:
            path = f"{stem}_{number}{extension}"
            number += 1
        self.files[path] = content
        return path


def variable_file(texts: Texts, stem: str, content: str, argument: str) -> str:
    """Keep a template in a file; returns its path as an expression."""
    return f'"${{path.module}}/{texts.path(stem, _extension(content, argument) + ".tftpl", content)}"'


def is_long(template: Template) -> bool:
    if template.expression is not None:
        return False
    whole = "".join(part.text for part in template.parts if isinstance(part, Literal))
    return whole.count("\n") >= _LINES or len(whole) > _LENGTH


def _decoded(text: str) -> str | None:
    """The text that `base64encode` would give exactly this for, if it is one."""
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    is_text = decoded.replace("\n", "").replace("\t", "").isprintable()
    return decoded if is_text and base64.b64encode(decoded.encode()).decode() == text else None


def _file(content: str, argument: str, name: str) -> tuple[str, str]:
    """The path of a text without its extension, and that."""
    if argument == "files" and (named := _LOCAL.fullmatch(name)):
        return f"{argument}/{named[1]}", f".{named[2]}" if named[2] else _extension(content, argument)
    return f"{argument}/{name}", _extension(content, argument)


def _extension(content: str, argument: str) -> str:
    first = content.split("\n", 1)[0]
    if first.startswith("#!"):
        return next((extension for word, extension in _SHEBANGS.items() if word in first), ".sh")
    if first.startswith("#cloud-config"):
        return ".yaml"
    if content.lstrip().startswith(("{", "[")):
        return ".json"
    return _EXTENSIONS.get(argument, ".txt")


def _variable(source: str, known: dict[str, str]) -> str:
    """A name for an expression, the same for the same expression."""
    for variable, other in known.items():
        if other == source:
            return variable
    words = [
        word for word in re.findall(r"[A-Za-z_]\w*", source) if word not in {"aws", "data", "var", "local", "each"}
    ]
    stem = "_".join(words[-2:]) or "value"
    variable, number = stem, 2
    while variable in known:
        variable = f"{stem}_{number}"
        number += 1
    known[variable] = source
    return variable


def with_json_apart(block: Block) -> Block:
    """A block in which strings that hold JSON are `jsonencode(…)`, where that gives the same string to the letter."""

    def apart(value: Expression) -> Expression:
        return (_json(value) or value) if isinstance(value, Template) else value

    return block.mapped(apart)


def _json(template: Template) -> Expression | None:
    places: dict[str, Interpolation] = {}
    written = ""
    for part in template.parts:
        match part:
            case Literal(literal):
                written += literal
            case Interpolation(source) if _PLAIN.fullmatch(source.strip()):
                place = f"\ue000{len(places)}\ue001"
                places[place] = part
                written += place
            case _:
                return None
    if not written.startswith(("{", "[")):
        return None
    try:
        value = json.loads(written)
    except ValueError:
        return None
    if _encoded(value) != written or any(place in key for key in _keys(value) for place in places):
        return None
    return Call("jsonencode", (_expression(value, places),))


def _encoded(value: Any) -> str:
    """As Terraform encodes: keys in order, no spaces, and what HTML could mistake escaped.

    https://developer.hashicorp.com/terraform/language/functions/jsonencode
    """
    encoded = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        encoded = encoded.replace(sign, f"\\u{ord(sign):04x}")
    return encoded


def _keys(value: Any) -> Iterator[str]:
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(inner)
    if isinstance(value, dict):
        yield from value


def _expression(value: Any, places: Mapping[str, Interpolation]) -> Expression:
    match value:
        case dict():
            return Object(tuple((text(key), _expression(it, places)) for key, it in value.items()))
        case list():
            return Tuple(tuple(_expression(it, places) for it in value))
        case str():
            pieces = re.split("(\ue000\\d+\ue001)", value)
            return Template(tuple(places.get(piece) or Literal(piece) for piece in pieces if piece))
    return Verbatim(json.dumps(value))
