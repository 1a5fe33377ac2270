"""Processes that read pictures: one per core, each asked one thing at a time, ended when it takes too long."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from lenet.network.spec import DEFAULT
from lenet.processes import Child, start_child
from lenet.serve.tasks import TASKS, Outcome

# A pipe takes so many bytes at once; more are sent from a thread, so that the loop goes on.
_AT_ONCE = 60_000
# How long a process may take to begin, in seconds.
_TO_START = 60.0


class NoAnswer(Exception):
    """The readers gave no answer; the text says why."""


class Busy(NoAnswer):
    """Too many requests wait already."""


class TooSlow(NoAnswer):
    """A reader did not answer in time, and was ended."""


class Died(NoAnswer):
    """A reader ended before it answered."""


class _Reader:
    """A process and the pipe to it; it is started again when it has ended."""

    def __init__(self) -> None:
        self.child: Child | None = None

    async def ask(self, task: str, arguments: dict[str, Any], seconds: float) -> Outcome:
        """Have the process do a task, without a thread: the loop waits for the pipe. Raises TooSlow or Died."""
        if self.child is None or not self.child.process.is_alive():
            await asyncio.to_thread(self._start)
        assert self.child is not None
        pipe = self.child.pipe
        try:
            async with asyncio.timeout(seconds):
                if len(arguments.get("picture", b"")) > _AT_ONCE:
                    await asyncio.to_thread(pipe.send, (task, arguments))  # ends with the process, if it hears nothing
                else:
                    pipe.send((task, arguments))
                found = await _received(pipe)
        except TimeoutError as error:
            await asyncio.to_thread(self.stop)
            raise TooSlow("it took too long to be read; send a smaller picture") from error
        except (EOFError, OSError) as error:
            await asyncio.to_thread(self.stop)
            raise Died("reading it ended the reader; send another picture") from error
        return found

    def _start(self) -> None:
        self.stop()
        self.child = start_child(_work, deaf_to=(signal.SIGINT, signal.SIGTERM))  # they are for the parent alone

    def stop(self) -> None:
        """End the process, whatever it does."""
        if self.child is not None:
            self.child.end()
        self.child = None


async def _received(pipe: Connection) -> Outcome:
    """Wait for an answer through a pipe, without a thread."""
    loop, file = asyncio.get_running_loop(), pipe.fileno()
    came: asyncio.Future[None] = loop.create_future()

    def told() -> None:
        if not came.done():
            came.set_result(None)

    loop.add_reader(file, told)
    try:
        await came
    finally:
        loop.remove_reader(file)
        os.set_blocking(file, True)  # uvloop makes it otherwise, which pipes do not expect
    found: Outcome = pipe.recv()
    return found


@dataclass
class Readers:
    """Reader processes behind one queue. `start` and `stop` frame their use."""

    count: int
    waiting: int
    seconds: float
    _free: asyncio.Queue[_Reader] = field(default_factory=asyncio.Queue)
    _all: list[_Reader] = field(default_factory=list)
    asked: int = 0

    async def start(self) -> None:
        """Start all processes and wait until each has loaded the default network."""
        self._all = [_Reader() for _number in range(self.count)]
        await asyncio.gather(*(each.ask("ready", {"model": DEFAULT}, _TO_START) for each in self._all))
        for each in self._all:
            self._free.put_nowait(each)

    @property
    def full(self) -> bool:
        """Whether so many requests wait that no more are taken."""
        return self.asked >= self.count + self.waiting

    async def ask(self, task: str, **arguments: Any) -> Outcome:
        """Have the next free process do a task of `lenet.serve.tasks`. Raises Busy, TooSlow or Died."""
        if self.full:
            raise Busy("too many requests wait already; try again")
        self.asked += 1
        # The client may leave: what is begun is ended all the same, and the process is free again.
        return await asyncio.shield(asyncio.ensure_future(self._asked(task, arguments)))

    async def _asked(self, task: str, arguments: dict[str, Any]) -> Outcome:
        try:
            reader = await self._free.get()
            try:
                return await reader.ask(task, arguments, self.seconds)
            finally:
                self._free.put_nowait(reader)
        finally:
            self.asked -= 1

    def stop(self) -> None:
        """End all processes."""
        for each in self._all:
            each.stop()


def _work(pipe: Connection) -> None:
    """Do tasks until the pipe is closed."""
    with suppress(EOFError, OSError):
        while True:
            task, arguments = pipe.recv()
            pipe.send(TASKS[task](**arguments))
