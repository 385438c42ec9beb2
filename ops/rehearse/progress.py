"""Says what is going on: a line for every finished step, and, on a terminal, what runs at the moment."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


@dataclass
class Step:
    """One thing being done."""

    _bars: Bars
    _bar: TaskID
    _title: str
    note: str = ""

    def tell(self, note: str) -> None:
        """Say how far it is; the last thing told stays on the finished line."""
        self.note = note
        self._bars.update(self._bar, description=escape(f"{self._title} {note}"))


class Progress:
    """Messages for people, on the console given (standard error, so that data can be piped)."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
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
        """Time a step; it is ticked off when the block ends, and crossed out when the block fails."""
        title = f"{stack:<16} {what:<12}"
        bar = self._bars.add_task(escape(title), total=None)
        live = Step(self._bars, bar, title)
        began = time.monotonic()
        mark = "[red]✗[/red]"
        try:
            yield live
            mark = "[green]✓[/green]"
        finally:
            self._bars.remove_task(bar)
            took = time.monotonic() - began
            self._console.print(
                f"{mark} {escape(title)} {took:6.1f} s  {escape(live.note)}".rstrip(), highlight=False, soft_wrap=True
            )

    def say(self, text: str) -> None:
        self._console.print(f"  {escape(text)}", highlight=False, soft_wrap=True)
