"""A rehearsal's report: the outputs, what was proved, and which answers came from stand-ins."""

import json
from collections.abc import Iterator
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from errors.shown import counted
from ops.rehearse.emulator import Record
from ops.rehearse.rehearsal import Findings


def show(findings: Findings, record: Record, console: Console, *, seconds: float) -> None:
    """Print the report on `console`, which is standard output."""
    _heading(console, "Outputs while everything was up")
    for stack, values in findings.outputs.items():
        for name, value in sorted(values.items()):
            _line(console, f"  {stack}.{name} = {_text(value)}")
    _heading(console, "What was done to it")
    steps = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2))
    for done, what in _steps(findings):
        steps.add_row(Text(done), Text(what))
    console.print(Padding(steps, (0, 0, 0, 2)))
    _heading(console, "Answers that came from stand-ins")
    console.print(_stand_ins(record))
    for service in sorted({operation.partition(":")[0] for operation in (*record.made, *record.corrected)}):
        _line(console, f"  {service}: {record.because[service]}")
    stood_in = sum(record.made.values()) + sum(record.corrected.values())
    _line(
        console,
        f"{record.calls} calls, {stood_in} of them answered as above, the others by moto. Proved: the AWS provider "
        "accepts the configuration, resources find each other, nothing drifts by itself, changes happen in place, and "
        "destroying leaves nothing. Not proved: that AWS accepts it. A stand-in gives back what it was given, and moto "
        "checks little.",
    )
    _line(console, f"{counted(len(findings.outputs), 'stack')} up and down in {seconds:.0f} s.")


def _steps(findings: Findings) -> Iterator[tuple[str, str]]:
    for what in findings.existed:
        yield "existed beforehand", what
    for stack, changes in findings.changed.items():
        yield "changed in place", f"{stack}: {', '.join(changes)}"
    for stack, moved in findings.handed_over.items():
        yield (
            "handed over as HCL",
            f"{stack}, and taken back: no changes, {counted(moved, 'address', 'addresses')} moved each way",
        )
    for address, stack in findings.replaced.items():
        yield "replaced by design", f"{stack}: {address}"
    for stack in findings.unchanged:
        yield "not changed", f"{stack}: it has no variable of retention or addresses"
    for stack, locks in findings.unlocked.items():
        yield "unlocked to destroy", f"{stack}: {', '.join(locks)}"


def _stand_ins(record: Record) -> Table:
    table = Table("service", "operation", "times", "whose answer", box=SIMPLE)
    for operation in sorted({*record.made, *record.corrected}):
        service, _, name = operation.partition(":")
        for counts, whose in ((record.made, "made here"), (record.corrected, "moto's, corrected")):
            if operation in counts:
                table.add_row(service, name, str(counts[operation]), whose)
    return table


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _heading(console: Console, text: str) -> None:
    console.print(Text(text, style="bold"))


def _line(console: Console, text: str) -> None:
    """One line, which a terminal may wrap and a file keeps whole."""
    console.print(Text(text), soft_wrap=True)
