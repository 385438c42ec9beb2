"""Shows who may do what, from where: for people in the terminal, as Markdown and as JSON."""

import html
import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from iam.deployed import read
from iam.matrix import ANYBODY, MatrixRow, matrix
from iam.model import Model
from iam.promises import PROMISES, broken
from iam.promises.promise import BrokenPromise, Promise
from iam.ways import Way, ways
from terraform import output

_NOTE = (
    "Computed from the policies in the synthesised Terraform, with its variables' defaults. An address that is known "
    "after an apply only is represented by one that no list can contain."
)

_WHOLE_WORDS: Mapping[str, Any] = {"break_long_words": False, "break_on_hyphens": False}

# As many names as it takes to recognise a line; the JSON has every name.
_SHOWN = 4


@dataclass(frozen=True, kw_only=True)
class Line:
    """Rows that differ in nothing but these names, as one line for people."""

    principals: tuple[str, ...]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    sources: tuple[str, ...]
    allowed: bool
    because: str


@dataclass(frozen=True, kw_only=True)
class Access:
    """A deployment's access, computed once for every form of output."""

    model: Model
    rows: Sequence[MatrixRow]
    findings: Sequence[BrokenPromise]


def access(out: Path) -> Access:
    """The access that the Terraform in an output folder gives."""
    model = read({stack.name: stack.document for stack in sorted(output.read(out), key=lambda stack: stack.name)})
    return Access(model=model, rows=matrix(model), findings=broken(model))


def lines(rows: Sequence[MatrixRow]) -> list[Line]:
    """The rows joined: first what is allowed, and at the end one line for all that may do nothing."""
    able = {row.principal for row in rows if row.allowed}
    powerless = dict.fromkeys(row.principal for row in rows if row.principal not in able)
    found = [
        Line(
            principals=(row.principal,),
            actions=(row.action,),
            resources=(row.resource,),
            sources=(row.source,),
            allowed=row.allowed,
            because=row.because,
        )
        for row in rows
        if row.principal in able
    ]
    # Actions first: what one statement allows reads best together.
    for names in ("actions", "resources", "sources", "principals"):
        found = _joined(found, names)
    found.sort(key=lambda line: not line.allowed)
    if powerless:
        found.append(
            Line(
                principals=tuple(sorted(powerless, key=lambda name: name == ANYBODY)),
                actions=("anything",),
                resources=("any",),
                sources=("anywhere",),
                allowed=False,
                because="nothing allows it",
            )
        )
    return found


def _joined(found: Sequence[Line], names: str) -> list[Line]:
    """The lines with those joined that differ in one field only."""
    groups: dict[Line, dict[str, None]] = {}
    for line in found:
        without: dict[str, Any] = {names: ()}
        groups.setdefault(replace(line, **without), {}).update(dict.fromkeys(getattr(line, names)))
    return [Line(**{**vars(rest), names: tuple(named)}) for rest, named in groups.items()]


def show(found: Access) -> None:
    """Print the access to repositories, and the promises, for people: a block for each identity, no word broken."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False)

    def put(start: Text, *texts: str) -> None:
        """The texts below one another, beside `start`. A name that is too long for the line stands out of it."""
        for text in texts:
            first, *others = textwrap.wrap(text, console.width - len(start), **_WHOLE_WORDS) or [""]
            console.print(Text.assemble(start, first), soft_wrap=True)
            start = Text(" " * len(start))
            for line in others:
                console.print(f"{start}{line}", soft_wrap=True)

    blocks: dict[tuple[str, ...], list[Line]] = {}
    for line in _on_repositories(found):
        blocks.setdefault(line.principals, []).append(line)
    for principals, rows in blocks.items():
        for heading in textwrap.wrap(_some(principals), console.width, **_WHOLE_WORDS):
            console.print(Text(heading, "bold"), soft_wrap=True)
        for row in rows:
            verdict, style = ("may", "bold green") if row.allowed else ("may not", "red")
            put(Text.assemble("  ", (f"{verdict:<9}", style)), _some(_short(row.actions)))
            put(Text("  on       "), _some(row.resources))
            put(Text("  from     "), *row.sources)
            put(Text("  because  "), row.because)
            console.print()
    for way in ways(found.model):
        console.print(Text(way.unit, "bold"), soft_wrap=True)
        put(Text("  roles    "), " → ".join(way.roles))
        put(Text("  on       "), _reached(way, _some(way.repositories)))
        put(Text("  limit    "), way.protection)
        console.print()
    for promise, findings in _promises(found):
        mark = Text("broken  ", "red") if findings else Text("kept  ", "green")
        put(mark, f"{promise.id}: {promise.what}", *findings)
    console.print()
    put(Text(), _NOTE)


def as_markdown(found: Access) -> str:
    """The access to repositories and to other resources, and the promises, as Markdown."""
    others = lines([row for row in found.rows if not row.is_repository and row.allowed])
    kept = [
        f"| {'no' if findings else 'yes'} | {promise.what} | {_cell(*findings)} |"
        for promise, findings in _promises(found)
    ]
    return "\n".join(
        (
            "# Access",
            "",
            _NOTE,
            "",
            *_markdown_table(_on_repositories(found), "repository"),
            "",
            "## Other resources",
            "",
            *_markdown_table(others, "resource"),
            "",
            *_units(found),
            "## Promises",
            "",
            "| kept | promise | broken by |",
            "|---|---|---|",
            *kept,
            "",
        )
    )


def as_json(found: Access) -> str:
    """Everything, for programs: the whole matrix, each entry for every combination of its names, and the promises."""
    places = [
        {
            "name": place.name,
            "networks": [] if place.representative else [str(network) for network in place.networks],
            "vpc_endpoints": place.vpc_endpoints,
            "is_room": place.is_room,
            "known_before_apply": not place.representative,
        }
        for place in found.model.places
    ]
    promises = [
        {"id": promise.id, "what": promise.what, "kept": not findings, "broken_by": findings}
        for promise, findings in _promises(found)
    ]
    document: Mapping[str, object] = {
        "note": _NOTE,
        "places": places,
        "promises": promises,
        "units": [{**asdict(way), "protection": way.protection} for way in ways(found.model)],
        "repositories": [asdict(line) for line in _on_repositories(found)],
        "other_resources": [asdict(line) for line in lines([row for row in found.rows if not row.is_repository])],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _units(found: Access) -> Iterator[str]:
    """The way of each unit's build, as Markdown; nothing without units."""
    rows = list(ways(found.model))
    if not rows:
        return
    yield from ("## Builds", "", "| unit | by | repositories |", "|---|---|---|")
    for way in rows:
        reached = _reached(way, _code(way.repositories))
        yield f"| `{way.unit}` | {' → '.join(f'`{role}`' for role in way.roles)} | {reached} |"
    yield ""
    for protection in dict.fromkeys(way.protection for way in rows):
        yield from (protection, "")


def _reached(way: Way, names: str) -> str:
    return f"{names}, by their tag" if way.by_tag else names


def _on_repositories(found: Access) -> list[Line]:
    return lines([row for row in found.rows if row.is_repository])


def _promises(found: Access) -> Iterator[tuple[Promise, list[str]]]:
    """Every promise, and where it is broken."""
    for promise in PROMISES:
        yield promise, [f"{each.place}: {each.what}" for each in found.findings if each.promise is promise]


def _markdown_table(rows: Sequence[Line], resource: str) -> Iterator[str]:
    yield f"| who | | what | {resource} | from | because |"
    yield "|---|---|---|---|---|---|"
    for line in rows:
        cells = (
            _code(line.principals),
            "**may**" if line.allowed else "may not",
            _code(_short(line.actions)),
            _code(line.resources),
            _cell(*line.sources),
            _cell(line.because),
        )
        yield f"| {' | '.join(cells)} |"


def _code(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names).replace("|", r"\|")


def _cell(*texts: str) -> str:
    """Texts under one another in a cell. Names in them have no characters that Markdown reads, but for HTML's."""
    return "<br>".join(html.escape(text, quote=False) for text in texts).replace("|", r"\|")


def _short(actions: Sequence[str]) -> tuple[str, ...]:
    return tuple(action.removeprefix("codecommit:") for action in actions)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names) if more < 2 else f"{', '.join(names[:_SHOWN])} and {more} more"
