"""Progress on stderr: a bar on a terminal, nothing (or a line now and then) elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function of (done, total) that moves a bar with speed and time left; silent when not on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)


@contextmanager
def downloads() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function of (address, bytes so far, bytes in all) that shows each download; see `lenet.fetch`."""
    shown: set[str] = set()
    with bar("fetching", "bytes") as move:

        def report(address: str, done: int, total: int) -> None:
            if address not in shown:
                shown.add(address)
                print(f"fetching {address}", file=sys.stderr)
            move(done, total)

        yield report
