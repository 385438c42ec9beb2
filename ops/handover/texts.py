"""Moves long texts of a stack to files of their own."""

import base64
import binascii
import itertools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ops.handover.expressions import Syntax, parsed
from ops.handover.hcl import Block, Expression, FunctionCall, ObjectExpr, Template, Verbatim, mapped, text
from ops.handover.lists_in_texts import KeyList, Loop, looped
from ops.handover.names import identifier
from ops.handover.scopes import WITHOUT_LOCAL_VALUES
from ops.handover.strings import is_exact_without_quotes
from terraform.templates import Interpolation, Literal, Part, TemplateError, escaped, masked

# Longer texts are easier to read, check and compare in a file.
_LINES = 10
_LENGTH = 400

_SHEBANGS = {"python": ".py", "ruby": ".rb", "node": ".js", "perl": ".pl", "pwsh": ".ps1"}
_EXTENSIONS = {"buildspec": ".yml", "template_body": ".yaml", "definition": ".json"} | dict.fromkeys(
    # Mapping templates of API Gateway, in the Velocity Template Language.
    ("request_templates", "response_templates"),
    ".vtl",
)

# The last word of a local value's name may be its file's extension: `gitlab_rb` becomes `gitlab.rb`.
_LOCAL = re.compile(r"(?:files_)?(.+?)(?:_(conf|ini|js|json|ps1|py|rb|service|sh|sql|toml|xml|yaml|yml))?")

_NOT_IN_VARIABLES = {"count", "data", "each", "local", "value", "var"}
# They quote a value for its place in the file, so they stand there.
_OF_TEXTS = {"base64encode", "base64gzip", "jsonencode", "lower", "replace", "trimspace", "upper"}
_DIGEST = re.compile(r"(?:base64|file)?(md5|sha1|sha256|sha512)\(")


class TextFiles:
    """The files with a stack's long texts, by path."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}

    def moved_from(self, block: Block, lists: Sequence[KeyList] = ()) -> Block:
        """A resource or data source that reads its long texts from files, and those that repeat a list's keys."""
        return self._moved(block, block.labels[-1], lists).mapped(with_digest_of_file)

    def moved_from_locals(self, block: Block) -> Block:
        """Local values that read their long texts from files."""
        return replace(
            block, arguments={name: self._shortened(value, "files", name) for name, value in block.arguments.items()}
        )

    def template_file(self, stem: str, content: str, argument: str) -> Verbatim:
        """Add a template file for an argument; returns its path."""
        return self._path(stem, f"{_extension(content, argument)}.tftpl", content)

    def files_by_key(self, stem: str, contents: Mapping[str, str], argument: str) -> Verbatim:
        """Add a file for each key; returns the expression that reads it."""
        extension = _extension(next(iter(contents.values())), argument)
        folders = itertools.chain([stem], (f"{stem}_{number}" for number in itertools.count(2)))
        folder = next(it for it in folders if not any(path.startswith(f"{it}/") for path in self.files))
        for key, content in contents.items():
            self.files[f"{folder}/{key}{extension}"] = content
        return Verbatim(f'file("${{path.module}}/{folder}/${{each.key}}{extension}")')

    def _moved(self, block: Block, name: str, lists: Sequence[KeyList]) -> Block:
        lists = () if block.type in WITHOUT_LOCAL_VALUES else lists
        arguments: dict[str, Expression] = {}
        for argument, value in block.arguments.items():
            digested = value.arguments[0] if isinstance(value, FunctionCall) and value.arguments else None
            file = next((other for other, its in block.arguments.items() if its == digested), argument)
            arguments[argument] = self._shortened(value, file, name, lists)
        return replace(block, arguments=arguments, blocks=tuple(self._moved(it, name, lists) for it in block.blocks))

    def _shortened(self, value: Expression, argument: str, name: str, lists: Sequence[KeyList] = ()) -> Expression:
        def change(it: Expression) -> Expression:
            if isinstance(it, Template) and (loop := looped(it, lists)) is not None:
                return self._templatefile(it, argument, name, loop)
            if not isinstance(it, Template) or not is_long(it):
                return it
            if it.text is None:
                return self._templatefile(it, argument, name)
            decoded = _decoded(it.text)
            content = it.text if decoded is None else decoded
            file = f"file({self._path(*_stem_and_extension(content, argument, name), content).source})"
            return Verbatim(file if decoded is None else f"base64encode({file})")

        return mapped(value, change, with_keys=False)

    def _templatefile(self, template: Template, argument: str, name: str, loop: Loop | None = None) -> Expression:
        """A call of `templatefile`, or the template itself where the file would not evaluate to the same text."""
        if isinstance(template.parts[0], Literal) and template.parts[0].text.startswith("\ufeff"):
            return template  # Terraform drops a file's byte order mark
        variables: dict[str, str] = {}
        if loop is None:
            content = _content(template.parts, variables)
        else:
            variables[loop.expression] = loop.over.name
            before, after = _content(loop.before, variables), _content(loop.after, variables)
            content = None
            if before is not None and after is not None:
                content = f"{before}{loop.opening}{loop.line}\n{loop.closing}{after}"
        if content is None:
            return template
        stem, extension = _stem_and_extension(content, argument, name)
        path = self._path(stem, f"{extension}.tftpl", content)
        values = ObjectExpr(tuple((text(variable), Verbatim(source)) for source, variable in variables.items()))
        return FunctionCall("templatefile", (path, values))

    def _path(self, stem: str, extension: str, content: str) -> Verbatim:
        """Add a file; returns its path. Files with the same content share one path."""
        path = f"{stem}{extension}"
        numbers = itertools.count(2)
        while self.files.get(path, content) != content:
            path = f"{stem}_{next(numbers)}{extension}"
        self.files[path] = content
        return Verbatim(f'"${{path.module}}/{path}"')


def _content(parts: Sequence[Part], variables: dict[str, str]) -> str | None:
    """The text of a template file, whose `variables` are added to by expression; None if it would not be the same."""
    if not is_exact_without_quotes(parts):
        return None
    content = ""
    for part in parts:
        if isinstance(part, Literal):
            content += escaped(part.text)
        elif isinstance(part, Interpolation):
            before, reference, after = _around_reference(part.source.strip())
            content += "${" + before + _variable(reference, variables) + after + "}"
        else:
            return None
    return content


def with_digest_of_file(value: Expression) -> Expression:
    """`filemd5(…)` for `md5(file(…))`, and likewise for other digests."""
    match value:
        case FunctionCall(("md5" | "sha1" | "sha256") as function, (Verbatim(source),)) if source.startswith("file("):
            return FunctionCall(f"file{function}", (Verbatim(source[len("file(") : -1]),))
        case FunctionCall("base64sha256", (Verbatim(source),)) if source.startswith("file("):
            return FunctionCall("filebase64sha256", (Verbatim(source[len("file(") : -1]),))
    return value


def is_long(template: Template) -> bool:
    """Whether a text is too long for the middle of a block."""
    if template.expression is not None:
        return False
    whole = "".join(part.text for part in template.parts if isinstance(part, Literal))
    return whole.count("\n") >= _LINES or len(whole) > _LENGTH


def _decoded(text: str) -> str | None:
    """The readable text that `base64encode` turns into exactly this, if there is one."""
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    is_text = decoded.replace("\n", "").replace("\t", "").isprintable() and unicodedata.is_normalized("NFC", decoded)
    return decoded if is_text and base64.b64encode(decoded.encode()).decode() == text else None


def _stem_and_extension(content: str, argument: str, name: str) -> tuple[str, str]:
    """A text's path without its extension, and the extension."""
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


def _around_reference(source: str) -> tuple[str, str, str]:
    """The only reference in calls that quote it, with what stands in front of it and behind it; else the whole."""
    try:
        found = _references(parsed(source))
    except TemplateError:
        found = None
    if found is None or len(found) != 1:
        return "", source, ""
    start, end = found[0].span
    return source[:start], source[start:end], source[end:]


def _references(syntax: Syntax) -> list[Syntax] | None:
    """The references among the arguments of calls that quote them; None if there is anything else but constants."""
    core = syntax.core
    match core.kind, core.children:
        case (("string_lit" | "numeric_lit"), _):
            return []
        case "expression", [first, *_] if first.kind == "variable_expr":
            return [core]
        case "function_call", [name, _, arguments, _] if name.text in _OF_TEXTS:
            found = [_references(it) for it in arguments.children if it.kind != ","]
            return None if None in found else [it for its in found for it in its or ()]
    return None


def _variable(source: str, variables: dict[str, str]) -> str:
    """A template variable for an expression; equal expressions share one."""
    if source not in variables:
        stem = identifier(_variable_name(source))
        names = itertools.chain([stem], (f"{stem}_{number}" for number in itertools.count(2)))
        variables[source] = next(name for name in names if name not in variables.values())
    return variables[source]


def _variable_name(source: str) -> str:
    """The last words of a reference, without indexes and functions, apart from a digest in place of its content."""
    outside, within = "", masked(f"{source}\n").replace("\0", "")
    while outside != within:
        outside, within = within, re.sub(r"\[[^\[\]]*\]|[A-Za-z_]\w*\(", "", within)
    words = [word for word in re.findall(r"[A-Za-z_]\w*", outside) if word not in _NOT_IN_VARIABLES][-2:]
    if words and (digest := _DIGEST.match(source)):
        words = [*words[:1], digest[1]]
    return "_".join(words) or "value"
