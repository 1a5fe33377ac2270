"""A loop of asyncio whose time passes only while nothing is to be done: seconds cost nothing, load changes nothing."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _Selector(selectors.SelectSelector):
    """Where the loop would wait until a moment, that moment is now."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None:  # only somebody else can go on
            return super().select(None)
        self.now += timeout
        return []


class _Loop(asyncio.SelectorEventLoop):
    """Tells the time of its selector."""

    def __init__(self) -> None:
        self._told = _Selector()
        super().__init__(self._told)

    def time(self) -> float:
        return self._told.now


def run_without_waiting(work: Coroutine[Any, Any, Any]) -> Any:
    """Run what talks to itself alone, over pairs of sockets: what is sent there has arrived at once."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)
