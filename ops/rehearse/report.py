"""What a rehearsal says at its end: the outputs, what was proved, and what came from a stand-in."""

import json
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from ops.rehearse.emulator import Record
from ops.rehearse.rehearsal import Findings


def show(findings: Findings, record: Record, console: Console) -> None:
    """Print the report. Data, so it belongs on standard output."""
    console.print("[bold]Outputs while everything was up[/bold]", highlight=False)
    for stack, values in findings.outputs.items():
        for name, value in sorted(values.items()):
            _line(console, f"{stack}.{name} = {_text(value)}")
    console.print("[bold]What was done to it[/bold]", highlight=False)
    _show_steps(findings, console)
    _show_stand_ins(record, console)


def _show_steps(findings: Findings, console: Console) -> None:
    for what in findings.existed:
        _line(console, f"existed beforehand   {what}")
    for stack, changes in findings.changed.items():
        _line(console, f"changed in place     {stack}: {', '.join(changes)}")
    for stack, moved in findings.handed_over.items():
        _line(console, f"handed over as HCL   {stack}, and taken back: no changes, {moved} addresses moved each way")
    for address, stack in findings.replaced.items():
        _line(console, f"replaced by design   {stack}: {address}")
    for stack in findings.unchanged:
        _line(console, f"not changed          {stack}: it has no variable of retention or addresses")
    for stack, locks in findings.unlocked.items():
        _line(console, f"unlocked to destroy  {stack}: {', '.join(locks)}")


def _show_stand_ins(record: Record, console: Console) -> None:
    console.print("[bold]Answers that came from stand-ins[/bold]", highlight=False)
    table = Table("service", "operation", "times", "whose answer", box=SIMPLE)
    for operation in sorted({*record.made, *record.corrected}):
        service, _, name = operation.partition(":")
        for counts, whose in ((record.made, "made here"), (record.corrected, "moto's, corrected")):
            if operation in counts:
                table.add_row(service, name, str(counts[operation]), whose)
    console.print(table)
    services = sorted({operation.partition(":")[0] for operation in (*record.made, *record.corrected)})
    for service in services:
        _line(console, f"{service}: {record.because[service]}")
    stood_in = sum(record.made.values()) + sum(record.corrected.values())
    console.print(
        f"{record.calls} calls, {stood_in} of them answered as above, the others by moto. Proved: the AWS provider "
        "accepts the configuration, resources find each other, nothing drifts by itself, changes happen in place, and "
        "destroying leaves nothing. Not proved: that AWS accepts it. A stand-in gives back what it was given, and moto "
        "checks little.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _line(console: Console, text: str) -> None:
    """One line, whole: a terminal may wrap it, a file must not be cut."""
    console.print(f"  {text}", markup=False, highlight=False, soft_wrap=True)
