"""Shows progress: a line for every finished step, and, on a terminal, the steps that run at the moment."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress as ProgressBars
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text


@dataclass
class Step:
    """One step that is running."""

    _bars: ProgressBars
    _bar: TaskID
    text: str = ""

    def note(self, text: str) -> None:
        """Show how far the step is; the last note stays on the finished line."""
        self.text = text
        self._bars.update(self._bar, note=text)


class Progress:
    """Messages for people, on the console given: standard error, because standard output is for the report."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = ProgressBars(
            SpinnerColumn(),
            *(TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in ("stack", "what", "note")),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bars.stop()

    @contextmanager
    def step(self, stack: str, what: str) -> Iterator[Step]:
        """Time a step. Its line has ✓ when the block ends, and ✗ when the block fails."""
        bar = self._bars.add_task("", total=None, stack=stack, what=what, note="")
        step = Step(self._bars, bar)
        began = time.monotonic()
        mark = Text("✗", style="red")
        try:
            yield step
            mark = Text("✓", style="green")
        finally:
            self._bars.remove_task(bar)
            self._console.print(_finished(mark, stack, what, time.monotonic() - began, step.text))

    def say(self, text: str) -> None:
        self._console.print(Text(f"  {text}"), soft_wrap=True)


def _finished(mark: Text, stack: str, what: str, seconds: float, note: str) -> Table:
    line = Table.grid(
        Column(),
        Column(width=16, no_wrap=True),
        Column(width=12, no_wrap=True),
        Column(width=8, justify="right"),
        Column(overflow="fold"),
        padding=(0, 1),
    )
    line.add_row(mark, Text(stack), Text(what), f"{seconds:.1f} s", Text(note))
    return line
