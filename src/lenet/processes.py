"""A process of our own with a pipe to it: begun anew, no copy of this one, and ended whatever it does."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Lock
from types import ModuleType
from typing import Any

_SPAWN = get_context("spawn")
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class Child:
    """A process, and this side of the pipe to it."""

    process: BaseProcess
    pipe: Connection

    def end(self) -> None:
        """End the process, whatever it does, and close the pipe."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def start_child(do: Callable[..., None], *arguments: Any, deaf_to: Iterable[signal.Signals] = ()) -> Child:
    """Start a process that calls `do(pipe, *arguments)`, does not hear some signals, and ends with this one.

    Raises OSError when it cannot be started.
    """
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_work, args=(theirs, tuple(deaf_to), do, arguments), daemon=True)
    try:
        with _without_main():
            process.start()
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return Child(process, ours)


@contextmanager
def _without_main() -> Iterator[None]:
    """Have a process that is started here not run the caller's own program again: nothing of it is needed there.

    So a script needs no `if __name__ == "__main__"`, which it would otherwise have to know of.
    """
    with _ONE_AT_A_TIME:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def _work(
    pipe: Connection, deaf_to: tuple[signal.Signals, ...], do: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    for each in deaf_to:
        signal.signal(each, signal.SIG_IGN)
    do(pipe, *arguments)
