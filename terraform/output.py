"""Reads an output folder of cdktf: its stacks in the order they are deployed, and what lies beside them."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.handover import reading
from ops.handover.errors import HandoverError, Problem

_JSON = "cdk.tf.json"

# Terraform's own, which belong to whoever ran it.
_NOT_HANDED_OVER = re.compile(
    r"(^|/)\.terraform(/|\.lock\.hcl$)|\.tfstate(\.|$)|\.tfplan$|(^|/)plan$|\.tfvars(\.json)?$"
)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One stack as it was synthesised. beside: other files of its folder that it reads, by path; assets for example."""

    name: str
    document: Mapping[str, Any]
    dependencies: frozenset[str]
    beside: Mapping[str, bytes]

    @property
    def account(self) -> str | None:
        """The one account it may be applied to, if the provider says so."""
        for entry in _listed(self.document.get("provider")):
            for provider in _listed(entry.get("aws")):
                match provider.get("allowed_account_ids"):
                    case [str(account)] if re.fullmatch(r"\d{12}", account):
                        return account
        return None

    @property
    def state(self) -> str:
        """Where its state is kept, for people."""
        for settings in _listed(self.document.get("terraform")):
            for backend in _listed(settings.get("backend")):
                match backend:
                    case {"s3": {"bucket": bucket, "key": key}}:
                        return f"s3://{bucket}/{key}"
                    case {"local": {"path": path}}:
                        return str(path)
                return next(iter(backend), "")
        return "terraform.tfstate"

    @property
    def target(self) -> str:
        """Its folder in what is handed over."""
        return f"{self.account}/{self.name}" if self.account else self.name


def read(out: Path) -> list[Stack]:
    """The stacks below `out`, each after those it depends on."""
    if (out / _JSON).is_file():
        return [_stack(out.resolve().name, out, out / _JSON, [])]
    try:
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        entries = manifest["stacks"]
        if any(Path(name).name != name or name == ".." for name in entries):
            raise ValueError("a stack's name leads elsewhere")
        if any(
            not (out / entry[key]).resolve().is_relative_to(out.resolve())
            for entry in entries.values()
            for key in ("workingDirectory", "synthesizedStackPath")
        ):
            raise ValueError("a stack's folder lies elsewhere")
        stacks = {
            name: _stack(
                name,
                out / entry["workingDirectory"],
                out / entry["synthesizedStackPath"],
                entry.get("dependencies") or [],
            )
            for name, entry in entries.items()
        }
    except FileNotFoundError as error:
        raise _unreadable(out, f"has no {Path(error.filename).name}") from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise _unreadable(out, "has a manifest.json that cdktf did not write") from None
    ordered: list[Stack] = []
    while len(ordered) < len(stacks):
        done = {stack.name for stack in ordered}
        ready = [it for it in stacks.values() if it.name not in done and it.dependencies & stacks.keys() <= done]
        if not ready:
            raise _unreadable(out, f"has stacks that wait for each other: {', '.join(sorted(stacks.keys() - done))}")
        ordered += ready
    return ordered


def _unreadable(out: Path, what: str) -> HandoverError:
    return HandoverError(
        [Problem(where=str(out), what=what, hint="name an output folder of cdktf, as `synth` wrote it")]
    )


def _stack(name: str, folder: Path, file: Path, dependencies: list[str]) -> Stack:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != file)
    if strays := [path for path in (*paths, file) if not path.resolve().is_relative_to(folder.resolve())]:
        raise _unreadable(strays[0], "is a link that leads out of the stack's folder")
    beside = {path.relative_to(folder).as_posix(): path for path in paths}
    document = reading.load(file)
    texts = list(_texts(document))
    return Stack(
        name=name,
        document=document,
        dependencies=frozenset(dependencies),
        beside={
            path: it.read_bytes()
            for path, it in beside.items()
            if not _NOT_HANDED_OVER.search(path) and _is_read(path, texts)
        },
    )


def _is_read(path: str, texts: Sequence[str]) -> bool:
    """Whether Terraform may read a file. One alone in the folder that nothing names is there for people, and would
    have them change it in vain; of one in a folder below, only the folder may be named.
    """
    if "/" in path or re.search(r"\.(tf|tofu)(\.json)?$", path):
        return True
    name = re.escape(path)
    in_an_expression = re.compile(rf'(\}}|\.)/{name}|\(\s*"{name}"')
    as_a_value = re.compile(rf'(^|["\s]){name}')
    return any(in_an_expression.search(it) or ("\n" not in it and as_a_value.search(it)) for it in texts)


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            for item in value.values():
                yield from _texts(item)


def _listed(value: Any) -> list[Any]:
    return [it for it in (value if isinstance(value, list) else [value]) if isinstance(it, dict)]
