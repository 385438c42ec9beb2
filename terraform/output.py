"""Reads an output folder of cdktf: its stacks in the order they are deployed, and what each one's Terraform says."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from errors import RefusedError, refused

Json = Mapping[str, Any]

FILE = "cdk.tf.json"


class Number(str):
    """A number as the file writes it: no digit is lost."""


@dataclass(frozen=True, kw_only=True)
class StateLocation:
    """Where Terraform keeps a state: the backend's type, and its arguments."""

    backend: str
    settings: Json

    def __str__(self) -> str:
        match self:
            case StateLocation(backend="s3", settings={"bucket": bucket, "key": key}):
                return f"s3://{bucket}/{key}"
            case StateLocation(backend="local"):
                return str(self.settings.get("path", "terraform.tfstate"))
        return self.backend


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One synthesised stack.

    document: its Terraform, in Terraform's JSON syntax. file: where that lies; Terraform runs in the file's folder.
    dependencies: names of the stacks that are deployed before it.
    """

    name: str
    document: Json
    file: Path = Path(FILE)
    dependencies: frozenset[str] = frozenset()

    @property
    def folder(self) -> Path:
        return self.file.parent

    @property
    def provider(self) -> Json:
        """The arguments of its default AWS provider."""
        return self._aws_provider(None)

    @property
    def providers(self) -> list[Json]:
        """The arguments of all its AWS providers."""
        levels = objects(self.document.get("provider"))
        return [provider for level in levels for provider in objects(level.get("aws"))]

    @property
    def account(self) -> str | None:
        """The only account that its default AWS provider allows."""
        return self.place({}).get("account")

    @property
    def region(self) -> str:
        """The region of its default AWS provider, or nothing."""
        return self.place({}).get("region", "")

    def place(self, arguments: Json) -> dict[str, str]:
        """The `region` and the `account` of a resource, as far as its provider gives them."""
        provider = self._aws_provider(str(arguments.get("provider", "")).rpartition(".")[2] or None)
        place = {"region": provider["region"]} if isinstance(provider.get("region"), str) else {}
        match provider.get("allowed_account_ids"):
            case [str(account)] if re.fullmatch(r"\d{12}", account):
                place["account"] = account
        return place

    def default_tags(self, arguments: Json) -> list[Any]:
        """The tags that a resource's provider gives to everything."""
        provider = self._aws_provider(str(arguments.get("provider", "")).rpartition(".")[2] or None)
        return [block["tags"] for block in objects(provider.get("default_tags")) if block.get("tags")]

    @property
    def variables(self) -> dict[str, Json]:
        return self._named("variable")

    @property
    def outputs(self) -> dict[str, Json]:
        return self._named("output")

    @property
    def modules(self) -> dict[str, Json]:
        """The modules that it calls, by the name of the call."""
        return self._named("module")

    @property
    def checks(self) -> dict[str, Json]:
        return self._named("check")

    @property
    def locals(self) -> Json:
        """What its local values are made of, by name."""
        return {name: value for level in objects(self.document.get("locals")) for name, value in level.items()}

    @property
    def state(self) -> StateLocation:
        """Where its own state is kept."""
        for settings in objects(self.document.get("terraform")):
            for backends in objects(settings.get("backend")):
                for backend, arguments in backends.items():
                    return StateLocation(backend=backend, settings=next(objects(arguments), {}))
        return StateLocation(backend="local", settings={})

    @property
    def states(self) -> list[StateLocation]:
        """Where its own state is kept, and every state that it reads."""
        read = [
            StateLocation(backend=remote["backend"], settings=remote.get("config") or {})
            for kind, _, remote in self.data()
            if kind == "terraform_remote_state"
        ]
        return [self.state, *read]

    @property
    def protected(self) -> list[str]:
        """Addresses of the resources that Terraform refuses to destroy."""
        return [
            f"{kind}.{name}"
            for kind, name, resource in self.resources()
            if any(lifecycle.get("prevent_destroy") is True for lifecycle in objects(resource.get("lifecycle")))
        ]

    def resources(self) -> Iterator[tuple[str, str, Json]]:
        """Type, name and arguments of every resource."""
        return self._blocks("resource")

    def data(self) -> Iterator[tuple[str, str, Json]]:
        """Type, name and arguments of every data source."""
        return self._blocks("data")

    def other_files(self) -> list[Path]:
        """Every other file in its folder and below.

        Raises RefusedError for a link that leads out of the folder.
        """
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file() and path != self.file)
        for path in paths:
            _refuse_link(path, self.folder)
        return paths

    def _aws_provider(self, alias: str | None) -> Json:
        """The arguments of the AWS provider with an alias, or of the default one."""
        return next((provider for provider in self.providers if provider.get("alias") == alias), {})

    def _named(self, kind: str) -> dict[str, Json]:
        return {
            name: block
            for level in objects(self.document.get(kind))
            for name, blocks in level.items()
            for block in objects(blocks)
            if name != "//"
        }

    def _blocks(self, kind: str) -> Iterator[tuple[str, str, Json]]:
        for level in objects(self.document.get(kind)):
            for label, resources in level.items():
                for named in objects(resources) if label != "//" else ():
                    for name, blocks in named.items():
                        yield from ((label, name, block) for block in objects(blocks))


def read(out: Path, *, exact_numbers: bool = False) -> list[Stack]:
    """The stacks of the output folder `out`, or the one stack whose folder it is; each comes after its dependencies.

    `exact_numbers` keeps every number as the file writes it, as a `Number`.

    Raises RefusedError for a folder that cdktf did not write, and for dependencies that are missing or form a cycle.
    """
    if (out / FILE).is_file():
        file = out / FILE
        _refuse_link(file, out)
        return [Stack(name=out.resolve().name, file=file, document=load(file, exact_numbers=exact_numbers))]
    try:
        entries = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["stacks"]
        files = {name: _file(out, name, entry) for name, entry in entries.items()}
        dependencies = {name: frozenset(map(str, entry.get("dependencies") or ())) for name, entry in entries.items()}
    except FileNotFoundError:
        raise _not_an_output(out, "has no manifest.json") from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise _not_an_output(out, "has a manifest.json that cdktf did not write") from None
    return [
        Stack(
            name=name,
            file=files[name],
            document=load(files[name], exact_numbers=exact_numbers),
            dependencies=dependencies[name],
        )
        for name in _in_order(out, dependencies)
    ]


def load(file: Path, *, exact_numbers: bool = False) -> dict[str, Any]:
    """A file in Terraform's JSON syntax. As in Terraform, a key that comes twice in an object is an error."""
    numbers: dict[str, Any] = {"parse_int": Number, "parse_float": Number} if exact_numbers else {}
    try:
        document = json.loads(
            file.read_text(encoding="utf-8"),
            parse_constant=_refuse_constant,
            object_pairs_hook=without_repetition,
            **numbers,
        )
        if not isinstance(document, dict):
            raise ValueError("it is no object")
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
    except ValueError as error:
        what = f"is no JSON that Terraform takes: {error}"
    else:
        return document
    raise refused(str(file), what, "synthesise it again")


def _file(out: Path, name: str, entry: Mapping[str, str]) -> Path:
    """The stack's file, in the folder that the manifest gives for it. Raises ValueError for one outside `out`."""
    folder, file = (out / _path(entry[it]) for it in ("workingDirectory", "synthesizedStackPath"))
    if Path(name).name != name or name == "..":
        raise ValueError("the stack's name leads elsewhere")
    if not folder.resolve().is_relative_to(out.resolve()) or file.parent.resolve() != folder.resolve():
        raise ValueError("the stack's folder lies elsewhere")
    _refuse_link(file, folder)
    return file


def _path(written: str) -> str:
    """A path of the manifest with slashes: on Windows, cdktf writes it with backslashes."""
    return written if "/" in written else written.replace("\\", "/")


def _in_order(out: Path, dependencies: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Names, each after its dependencies; those that could come together keep the manifest's order."""
    for name, needed in dependencies.items():
        if missing := sorted(needed - dependencies.keys()):
            raise _not_an_output(out, f"lacks the stack {missing[0]}, which {name} depends on")
    sorter = TopologicalSorter(dependencies)
    try:
        sorter.prepare()
    except CycleError as error:
        raise _not_an_output(out, f"has stacks that depend on each other: {' → '.join(error.args[1])}") from None
    while sorter.is_active():
        ready = set(sorter.get_ready())
        yield from (name for name in dependencies if name in ready)
        sorter.done(*ready)


def _not_an_output(out: Path, what: str) -> RefusedError:
    return refused(str(out), what, "name the folder that `python main.py` or `cdktf synth` wrote")


def _refuse_link(path: Path, folder: Path) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise _not_an_output(path, "is a link that leads out of the stack's folder")


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")


def without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, as `object_pairs_hook` of `json.loads`. Raises ValueError for a key that comes twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = sorted({name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1})
        raise ValueError(f"{', '.join(map(repr, twice))} comes twice in one object")
    return found


def objects(value: Any) -> Iterator[Json]:
    """The objects in `value`: in Terraform's JSON syntax, one object may stand for a list of one."""
    return (it for it in (value if isinstance(value, list) else [value]) if isinstance(it, dict))
