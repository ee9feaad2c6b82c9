"""A progress bar with rate and remaining time, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, int, int], None]
"""Is told what is done, how many of it, and of how many."""


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show a run's progress where a person is looking; nothing where standard error is a file or a pipe.

    Yields
    ------
    callable
        Takes what is done, how many of it, and of how many.
    """
    if not sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, int] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks or done == 1:
                tasks[what] = int(bar.add_task(what, total=total, rate=""))
            speed = bar.tasks[-1].speed
            bar.update(bar.tasks[-1].id, completed=done, rate="" if speed is None else f"{speed:.1f}/s")

        yield tell
