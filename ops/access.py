"""Shows who may do what, from where: the matrix as a table for people, as Markdown and as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from iam.deployed import read
from iam.matrix import ANYBODY, Row, matrix
from iam.model import Model
from iam.promises import PROMISES, Finding, broken

_NOTE = (
    "Computed from the policies in the synthesised Terraform, with its variables' defaults. An address that only an "
    "apply will tell is represented by one that no list can hold."
)

# Enough to recognise what a line is about; the JSON has every row.
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
    """A deployment's access, computed once for every form of showing it."""

    model: Model
    rows: Sequence[Row]
    findings: Sequence[Finding]


def access(out: Path) -> Access:
    """The access that the Terraform in an output folder gives."""
    folders = sorted((out / "stacks").iterdir())
    model = read({folder.name: json.loads((folder / "cdk.tf.json").read_text()) for folder in folders})
    return Access(model=model, rows=matrix(model), findings=broken(model))


def lines(rows: Sequence[Row]) -> list[Line]:
    """The rows joined, what is allowed first, and whoever may do nothing in one line at the end."""
    able = {row.principal for row in rows if row.allowed}
    powerless = dict.fromkeys(row.principal for row in rows if row.principal not in able)
    keys = [
        ((row.principal,), (row.action,), (row.resource,), (row.source,), row.allowed, row.because)
        for row in rows
        if row.principal in able
    ]
    # Actions first: what one statement grants reads best together.
    for place in (1, 2, 3, 0):
        groups: dict[tuple[object, ...], dict[str, None]] = {}
        for key in keys:
            groups.setdefault((*key[:place], None, *key[place + 1 :]), {}).update(dict.fromkeys(key[place]))  # type: ignore[arg-type]
        keys = [(*rest[:place], tuple(named), *rest[place + 1 :]) for rest, named in groups.items()]  # type: ignore[misc]
    found = [
        Line(principals=who, actions=do, resources=on, sources=at, allowed=allowed, because=because)
        for who, do, on, at, allowed, because in sorted(keys, key=lambda key: not key[4])
    ]
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


def show(found: Access) -> None:
    """Print the matrix on repositories, and the promises, for people."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=SIMPLE_HEAD, leading=1, pad_edge=False)
    for heading in ("who", "", "what", "repository", "from", "because"):
        table.add_column(heading, overflow="fold")
    for line in _on_repositories(found):
        verdict = "[bold green]may[/]" if line.allowed else "[red]may not[/]"
        table.add_row(
            _some(line.principals),
            verdict,
            _some(_short(line.actions)),
            _some(line.resources),
            "\n".join(line.sources),
            line.because,
        )
    console.print(table)
    for name, what, findings in _promises(found):
        console.print(f"{'[red]broken[/]' if findings else '[green]kept[/]'}  {name}: {what}")
        for finding in findings:
            console.print(f"        {finding}")
    console.print(f"\n{_NOTE}")


def as_markdown(found: Access) -> str:
    """The matrix on repositories, what else policies allow, and the promises, as Markdown."""
    beside = lines([row for row in found.rows if not row.is_repository and row.allowed])
    kept = [
        f"| {'no' if findings else 'yes'} | {what} | {'<br>'.join(findings)} |"
        for _, what, findings in _promises(found)
    ]
    return "\n".join(
        (
            "# Access",
            "",
            _NOTE,
            "",
            *_markdown_table(_on_repositories(found), "repository"),
            "",
            "## Beside repositories",
            "",
            *_markdown_table(beside, "resource"),
            "",
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
        {"id": name, "what": what, "kept": not findings, "broken_by": findings}
        for name, what, findings in _promises(found)
    ]
    document: Mapping[str, object] = {
        "note": _NOTE,
        "places": places,
        "promises": promises,
        "repositories": [asdict(line) for line in _on_repositories(found)],
        "beside_repositories": [asdict(line) for line in lines([row for row in found.rows if not row.is_repository])],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _on_repositories(found: Access) -> list[Line]:
    return lines([row for row in found.rows if row.is_repository])


def _promises(found: Access) -> Iterator[tuple[str, str, list[str]]]:
    for promise in PROMISES:
        broken_by = [f"{f.place}: {f.what}" for f in found.findings if f.promise is promise]
        yield promise.id, promise.what, broken_by


def _markdown_table(rows: Sequence[Line], resource: str) -> Iterator[str]:
    yield f"| who | | what | {resource} | from | because |"
    yield "|---|---|---|---|---|---|"
    for line in rows:
        cells = (
            _code(line.principals),
            "**may**" if line.allowed else "may not",
            _code(_short(line.actions)),
            _code(line.resources),
            "<br>".join(map(_escaped, line.sources)),
            _escaped(line.because),
        )
        yield f"| {' | '.join(cells)} |"


def _code(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def _short(actions: Sequence[str]) -> tuple[str, ...]:
    return tuple(action.removeprefix("codecommit:") for action in actions)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names) if more < 2 else f"{', '.join(names[:_SHOWN])} and {more} more"
