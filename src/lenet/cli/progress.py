"""Progress on stderr: a bar on a terminal, nothing (or a line now and then) elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function of (done, total) that moves a bar with the time left; silent when not on a terminal.

    The bar appears with the first move and is gone once all is done, so that others can follow it.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
    progress = Progress(
        *columns,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,  # answers go where the user sent them, not above the bar
        redirect_stderr=False,
    )
    task = progress.add_task(what, total=None)

    def move(done: int, total: int) -> None:
        if not progress.live.is_started:
            progress.start()
        progress.update(task, completed=done, total=total or None)
        if total and done >= total:
            progress.stop()

    try:
        yield move
    finally:
        progress.stop()


@contextmanager
def downloads() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function of (address, bytes so far, bytes in all) that shows each download; see `lenet.data.fetch`."""
    shown: set[str] = set()
    with bar("fetching", "bytes") as move:

        def report(address: str, done: int, total: int) -> None:
            if address not in shown:
                shown.add(address)
                print(f"fetching {address}", file=sys.stderr)
            move(done, total)

        yield report
