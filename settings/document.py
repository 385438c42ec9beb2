"""Reads a YAML file into plain values, and records the line of each.

It reads YAML's node graph instead of loaded objects, so that aliases cannot expand to gigabytes, a duplicate key is
reported, and every problem has a line.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from errors.shown import shown
from settings.problems import LocatedProblem, Path, SettingsError

MAX_BYTES = 1_000_000
MAX_VALUES = 20_000
MAX_DEPTH = 50

_YAML = "tag:yaml.org,2002:"
_EXAMPLE = "name a deployment file, for example deployments/example.yaml"
_START = "start from deployments/minimal.yaml"


@dataclass
class Document:
    """A file's values, with the line (from 1) of each path in it.

    `data` has dicts, lists, str, int, float, bool and None only. `problems` are those of the YAML itself (a duplicate
    key, a merge key, a tag); the rest of the file is still read, so that all problems are reported together. Values at
    the paths in `incomplete` are not what the file meant.
    """

    file: str
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[LocatedProblem] = field(default_factory=list)
    incomplete: set[Path] = field(default_factory=set)

    def line(self, path: Path) -> int:
        """The line of `path`, or of its nearest parent when it is not in the file."""
        known = path
        while known not in self.lines and known:
            known = known[:-1]
        return self.lines.get(known, 1)


def read(file: FilePath) -> Document:
    """Read `file`.

    Raises SettingsError unless it is one plain YAML mapping of a reasonable size.
    """
    return parsed(text_of(file), str(file))


def parsed(text: str, name: str) -> Document:
    """Read the text of the file `name`. Raises SettingsError as `read` does."""
    try:
        nodes = list(_nodes(text))
    except _TooMuchError as error:
        raise error.located(name) from None
    except MaxDepthExceededError as error:
        line = error.problem_mark.line + 1
        raise _refused(name, "lists or maps are nested too deeply", f"nest at most {MAX_DEPTH} levels", line) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = f"this is not text: it has the character {shown(chr(error.character))}"
        raise _refused(name, what, "save the file as plain UTF-8 text", line) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = min(mark.line, text.count("\n", 0, len(text.rstrip()))) + 1 if mark else 1
        what = f"this is not YAML: {error.problem or error.context}"
        raise _refused(name, what, "correct the line, or compare it with deployments/example.yaml", line) from None
    if len(nodes) > 1:
        raise _refused(name, "a second document starts here", "keep one deployment in one file", _line(nodes[1]))
    if not nodes or nodes[0].tag == _YAML + "null":
        raise _refused(name, "the file is empty", _START, 1)
    if not isinstance(nodes[0], MappingNode):
        raise _refused(name, "the file is not a map of settings", _START, _line(nodes[0]))
    return _NodeReader(name).document(nodes[0])


def text_of(file: FilePath) -> str:
    """The text of `file`. Raises SettingsError unless it is UTF-8 of a reasonable size."""
    name = str(file)
    try:
        if file.is_dir():
            raise _refused(name, "this is a folder", _EXAMPLE)
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        elsewhere = not file.is_absolute() and FilePath.cwd() != FilePath(__file__).parents[1]
        hint = "run it in Kakehashi's folder, or give the file's full path" if elsewhere else _EXAMPLE
        raise _refused(name, "there is no such file", hint) from None
    except (OSError, ValueError) as error:
        # A path with a NUL in it is a ValueError.
        reason = error.strerror if isinstance(error, OSError) else error
        raise _refused(name, f"the file cannot be read: {reason}", "check its name and its permissions") from None
    if len(raw) > MAX_BYTES:
        hint = f"a deployment file has at most {MAX_BYTES:,}: is this the right one?"
        raise _refused(name, f"the file has {max(len(raw), file.stat().st_size):,} bytes", hint)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _refused(name, "this is not UTF-8 text", "save the file as UTF-8", line) from None


def _line(node: Node) -> int:
    line: int = node.start_mark.line + 1
    return line


def _refused(name: str, what: str, hint: str, line: int | None = None) -> SettingsError:
    return SettingsError([LocatedProblem(file=name, line=line, what=what, hint=hint)])


class _TooMuchError(Exception):
    """The file has more values than a sensible deployment file; `line` is where counting stopped."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__()

    def located(self, name: str) -> SettingsError:
        """The error as a user reads it."""
        what = f"the file has more than {MAX_VALUES:,} values or {MAX_DEPTH} levels, with aliases expanded"
        return _refused(name, what, "write less, and write values instead of aliases (*name)", self.line)


class _CountingComposer(Composer):
    """Stops early: composing a megabyte of brackets would take ten seconds."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self.warn_double_anchors = False
        self._count = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose one node, counted."""
        self._count += 1
        if self._count > 2 * MAX_VALUES:
            raise _TooMuchError(self.parser.peek_event().start_mark.line + 1)
        return super().compose_node(parent, index)


def _nodes(text: str) -> Iterator[Node]:
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _CountingComposer
    yaml.max_depth = MAX_DEPTH
    # Duplicate keys are found below, where both lines are known.
    yaml.allow_duplicate_keys = True
    nodes: Iterator[Node] = yaml.compose_all(text)
    return nodes


class _NodeReader:
    def __init__(self, file: str) -> None:
        self._document = Document(file=file)
        self._values = 0

    def document(self, root: MappingNode) -> Document:
        try:
            self._document.data = self._value(root, ())
        except _TooMuchError as error:
            raise error.located(self._document.file) from None
        return self._document

    def _problem(self, node: Node, path: Path, what: str, hint: str) -> None:
        problem = LocatedProblem(file=self._document.file, line=_line(node), path=path, what=what, hint=hint)
        self._document.problems.append(problem)

    def _value(self, node: Node, path: Path) -> Any:
        self._values += 1
        if self._values > MAX_VALUES or len(path) > MAX_DEPTH:
            # Values are counted with aliases expanded: an alias can mean ten others, each of which means ten others.
            raise _TooMuchError(_line(node))
        self._document.lines.setdefault(path, _line(node))
        if isinstance(node, MappingNode):
            self._refuse_tag(node, path, "map")
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            self._refuse_tag(node, path, "seq")
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, node.value, path)

    def _refuse_tag(self, node: Node, path: Path, *plain: str) -> None:
        if node.tag not in [_YAML + kind for kind in plain]:
            self._document.incomplete.add(path)
            hint = "write plain values, without tags"
            self._problem(node, path, f"the tag {shown(str(node.tag).removeprefix(_YAML))} is not known here", hint)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        first_line: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if key_node.tag == _YAML + "merge":
                self._document.incomplete.add(path)
                what = "merge keys (<<) are refused: which value wins is easily misread"
                self._problem(key_node, path, what, "write the keys out")
            elif not isinstance(key_node, ScalarNode) or key_node.tag == _YAML + "null" or not _is_text(key):
                self._problem(key_node, path, "a key here is not text", "write the key as a plain word")
            elif key in values:
                what = f"{shown(key)} is a duplicate key (first on line {first_line[key]})"
                self._problem(key_node, (*path, key), what, "remove or rename one")
            else:
                first_line[key] = self._document.lines[(*path, key)] = _line(key_node)
                values[key] = self._value(value_node, (*path, key))
        return values

    def _scalar(self, node: Node, text: str, path: Path) -> Any:
        if not _is_text(text):
            self._document.incomplete.add(path)
            self._problem(node, path, f"{shown(text)} has half a character", "write the character itself")
            return None
        if "TfToken[" in text:
            self._document.incomplete.add(path)
            self._problem(node, path, "'TfToken[' is reserved for cdktf's references", "write something else")
            return None
        match str(node.tag).removeprefix(_YAML):
            case "str" | "timestamp":
                return text
            case "null":
                return None
            case "bool":
                return {"true": True, "false": False}.get(text.lower(), text)
            case "int":
                return _number(text)
            case "float":
                return _fraction(text)
        self._refuse_tag(node, path)
        return text


def _fraction(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _is_text(text: str) -> bool:
    r"""Whether `text` is whole characters: an escape such as "\ud800" makes half of one."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _number(text: str) -> int | str:
    """The whole number that `text` is in plain digits; otherwise the text itself.

    012345678901 stays text, because an account id keeps its zero. So do 0x1f and 1_000, which few people expect YAML to
    read as numbers.
    """
    digits = text.removeprefix("-")
    plain = digits.isascii() and digits.isdigit() and len(digits) <= 40 and (text == "0" or digits[0] != "0")
    return int(text) if plain else text
