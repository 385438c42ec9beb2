"""Reads a YAML file into plain values, and remembers the line of every one of them.

Works on YAML's node graph instead of loaded objects, so that aliases cannot grow into gigabytes, no two keys silently
overwrite each other, and every problem has a line.
"""

from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from settings.problems import LocatedProblem, Path, SettingsError, dotted

MAX_BYTES = 1_000_000
MAX_VALUES = 20_000
MAX_DEPTH = 50

_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_CONSTRUCTED = (*_NUMBERS, "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null")
_TEXTS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp")


@dataclass
class Document:
    """A file's values, with the line (from 1) of each path in it.

    `data` holds dicts, lists, str, int, float, bool and None only. `problems` are those of YAML's own making (a key
    written twice, a merge key, a tag): the rest of the file is read on, so that all are reported together.
    """

    file: str
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[LocatedProblem] = field(default_factory=list)

    def where(self, path: Path) -> str:
        """`file:line: path`, with the line of the nearest parent for what is not in the file."""
        known = path
        while known not in self.lines and known:
            known = known[:-1]
        name = dotted(path)
        return f"{self.file}:{self.lines.get(known, 1)}" + (f": {name}" if name else "")


def read(file: FilePath) -> Document:
    """Read `file`.

    Raises SettingsError for what is not one plain YAML mapping of a reasonable size.
    """
    shown = str(file)
    text = _text(file, shown)
    try:
        nodes = list(_compose_all(text))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _refused(
            f"{shown}:{line}", f"this is not YAML: {error.problem}", "mend the line, or compare it with example.yaml"
        ) from None
    except YAMLError as error:
        raise _refused(
            shown, f"this is not YAML: {str(error).splitlines()[0]}", "save it as plain UTF-8 text"
        ) from None
    except RecursionError:
        raise _refused(shown, "lists or maps are nested too deeply", f"nest at most {MAX_DEPTH} levels") from None
    if len(nodes) > 1:
        line = nodes[1].start_mark.line + 1
        raise _refused(f"{shown}:{line}", "a second document starts here", "keep one deployment in one file")
    if not nodes or (isinstance(nodes[0], ScalarNode) and not nodes[0].value):
        raise _refused(shown, "the file is empty", "start from deployments/minimal.yaml")
    if not isinstance(nodes[0], MappingNode):
        raise _refused(f"{shown}:1", "the file is not a map of settings", "start from deployments/minimal.yaml")
    return _Reader(shown).document(nodes[0])


def _text(file: FilePath, shown: str) -> str:
    try:
        if file.is_dir():
            raise _refused(shown, "this is a folder", "name a deployment file, for example deployments/example.yaml")
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _refused(
            shown, "there is no such file", "name a deployment file, for example deployments/example.yaml"
        ) from None
    except OSError as error:
        raise _refused(shown, f"the file cannot be read: {error.strerror}", "check its permissions") from None
    if len(raw) > MAX_BYTES:
        size = file.stat().st_size
        raise _refused(
            shown,
            f"the file has {size:,} bytes",
            f"a deployment file has at most {MAX_BYTES:,}: is this the right one?",
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _refused(f"{shown}:{line}", "this is not UTF-8 text", "save the file as UTF-8") from None


def _compose_all(text: str) -> Any:
    yaml = YAML(typ="safe", pure=True)
    # Duplicate keys are found below, where both lines are known.
    yaml.allow_duplicate_keys = True
    return yaml.compose_all(text)


def _refused(where: str, what: str, hint: str) -> SettingsError:
    return SettingsError([LocatedProblem(where=where, what=what, hint=hint)])


class _Reader:
    def __init__(self, file: str) -> None:
        self._document = Document(file=file)
        self._values = 0
        self._constructor = YAML(typ="safe", pure=True).constructor

    def document(self, root: MappingNode) -> Document:
        self._document.data = self._value(root, ())
        return self._document

    def _problem(self, node: Node, path: Path, what: str, hint: str) -> None:
        name = dotted(path)
        where = f"{self._document.file}:{node.start_mark.line + 1}" + (f": {name}" if name else "")
        self._document.problems.append(LocatedProblem(where=where, what=what, hint=hint))

    def _value(self, node: Node, path: Path) -> Any:
        self._values += 1
        if self._values > MAX_VALUES or len(path) > MAX_DEPTH:
            # An alias may stand for ten others that stand for ten others: what counts is what they come to.
            raise _refused(
                f"{self._document.file}:{node.start_mark.line + 1}",
                f"the file comes to more than {MAX_VALUES:,} values or {MAX_DEPTH} levels",
                "write aliases (*name) out, or use fewer",
            )
        self._document.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        first_line: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            line = key_node.start_mark.line + 1
            if key_node.tag == "tag:yaml.org,2002:merge":
                self._problem(
                    key_node,
                    path,
                    "merge keys ('<<') are refused: which value wins is easily misread",
                    "write the keys out",
                )
            elif not isinstance(key_node, ScalarNode) or key_node.tag == "tag:yaml.org,2002:null":
                self._problem(key_node, path, "a key that is not text", "write the key as a plain word")
            elif key in values:
                self._problem(
                    key_node,
                    (*path, key),
                    f"{key!r} stands here a second time (first on line {first_line[key]})",
                    "remove or rename one",
                )
            else:
                first_line[key] = line
                self._document.lines[(*path, key)] = line
                values[key] = self._value(value_node, (*path, key))
        return values

    def _scalar(self, node: Node, path: Path) -> Any:
        if node.tag in _NUMBERS and node.value.lstrip("+-")[:1] == "0" and node.value.isdigit() and len(node.value) > 1:
            # 012345678901 is an account id to the person who wrote it, and stays one.
            return node.value
        if node.tag in _CONSTRUCTED:
            try:
                return self._constructor.construct_object(node)
            except ValueError:
                return node.value
        if node.tag in _TEXTS:
            return node.value
        self._problem(node, path, f"the tag {node.tag!r} is not known here", "write plain values, without tags")
        return None
