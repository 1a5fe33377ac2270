"""Processes that read pictures, one on each core; one that a picture brings down is replaced, the picture named."""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from typing import Any

from lenet.bulk.cpu_limit import was_ended
from lenet.errors import LenetError, reason
from lenet.processes import Child, start_child

# How many things a process is given at once, and how many are drawn and not yielded, for each process.
_CHUNK, _AHEAD = 8, 64

# The answer to what took its process more CPU time than it may.
LATE = object()

Chunk = list[tuple[int, Any]]


class _Worker:
    """A process, and what it was given and has not answered."""

    def __init__(self, begin: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.given: Chunk = []
        self._begin, self._arguments = begin, arguments
        self._child = self._start()

    @property
    def pipe(self) -> Connection:
        """The pipe that its answers come through."""
        return self._child.pipe

    def _start(self) -> Child:
        try:
            with _no_interrupts():
                return start_child(_work, self._begin, self._arguments)
        except OSError as error:
            raise LenetError("reader", f"no process can be started ({reason(error)})") from error

    def wait_until_ready(self) -> None:
        """Wait until it has what it works with. Raises LenetError when its process ended before."""
        try:
            self.pipe.recv()
        except (EOFError, OSError):
            raise LenetError("reader", "its process ended as it began", "is there memory enough?") from None

    def give(self, chunk: Chunk) -> None:
        """Send it; that it cannot be sent is seen when the answers are taken."""
        self.given = chunk
        with suppress(OSError):
            self.pipe.send([each for _number, each in chunk])

    def take_answers(self) -> dict[int, Any]:
        """Return the answers to all that it was given, by number. Raises EOFError or OSError when it has ended."""
        found = dict(zip((number for number, _each in self.given), self.pipe.recv(), strict=True))
        self.given = []
        return found

    def replace_process(self) -> tuple[Chunk, bool]:
        """Begin anew with another process; return what the one before had not answered, and if its time was over."""
        lost, self.given = self.given, []
        self.end()
        late = was_ended(self._child.process.exitcode)
        self._child = self._start()
        self.wait_until_ready()
        return lost, late

    def end(self) -> None:
        """End its process, whatever it does."""
        self._child.end()


class _Queue:
    """The things of a job on their way: drawn, given out, and answered; each has a number, from 0 on."""

    def __init__(self, things: Iterator[Any], chunk: int, most: int) -> None:
        self._numbered, self._chunk, self._most = enumerate(things), chunk, most
        self._ready: deque[Chunk] = deque()
        self._again: deque[Chunk] = deque()
        self._suspected: set[int] = set()
        self._answers: dict[int, Any] = {}
        self._drawn = self._following = 0

    def draw(self, chunks: int) -> None:
        """Have so many chunks ready, if there is more, and as long as few enough answers wait to be told."""
        while len(self._ready) < chunks and self._drawn + self._chunk - self._following <= self._most:
            if not (more := list(islice(self._numbered, self._chunk))):
                break
            self._drawn += len(more)
            self._ready.append(more)

    def is_empty(self) -> bool:
        """Tell whether nothing is ready to be given out."""
        return not self._ready

    def give_out(self, workers: list[_Worker]) -> None:
        """Give each worker that has nothing to do a chunk: first what is given anew."""
        for each in workers:
            if not each.given and (waiting := self._again or self._ready):
                each.give(waiting.popleft())

    def add_answers(self, found: dict[int, Any]) -> None:
        """Take answers, by number."""
        self._answers.update(found)

    def add_lost(self, lost: Chunk, *, late: bool) -> None:
        """Take what was with a process that ended: one of several is given anew, as is what is suspected only now."""
        (number, _thing), *others = lost
        if others:
            self._again.extend([each] for each in lost)
        elif late:
            self._answers[number] = LATE
        elif number in self._suspected:
            self._answers[number] = None
        else:
            self._suspected.add(number)
            self._again.append(lost)

    def take_following(self) -> Iterator[Any]:
        """Yield the answers that come next."""
        while self._following in self._answers:
            yield self._answers.pop(self._following)
            self._following += 1


def map_in_processes(
    count: int, begin: Callable[..., Any], arguments: tuple[Any, ...], things: Iterator[Any], *, chunk: int = _CHUNK
) -> Iterator[Any]:
    """Yield what `begin(*arguments)` returns of each thing, in order; `count` processes call that function of theirs.

    A thing that ends its process gives None, and only that one: what was given with it is given anew, one by one, and
    what ends a process twice while it is alone there is it. One for which `end_process_after` ends it gives LATE.
    Things are drawn only as fast as they are done. Raises LenetError when no process can be started.
    """
    queue = _Queue(things, chunk, count * _AHEAD)
    with _start_workers(count, begin, arguments) as workers:
        while True:
            queue.give_out(workers)
            queue.draw(count)  # what comes next, while the processes work
            busy = [each for each in workers if each.given]
            if not busy and queue.is_empty():
                break
            idle = len(busy) < count and not queue.is_empty()
            for worker in _wait_for_any(busy, None if not idle else 0.0):
                try:
                    queue.add_answers(worker.take_answers())
                except (EOFError, OSError):
                    lost, late = worker.replace_process()
                    queue.add_lost(lost, late=late)
            yield from queue.take_following()


def _wait_for_any(workers: list[_Worker], seconds: float | None) -> list[_Worker]:
    """Return which of the workers have answered or ended, when one has, or after so many seconds."""
    told = set(wait([each.pipe for each in workers], timeout=seconds))
    return [each for each in workers if each.pipe in told]


@contextmanager
def _start_workers(count: int, begin: Callable[..., Any], arguments: tuple[Any, ...]) -> Iterator[list[_Worker]]:
    """Start workers, and wait until each is ready; end them all."""
    workers: list[_Worker] = []
    try:
        workers.extend(_Worker(begin, arguments) for _number in range(count))
        for each in workers:
            each.wait_until_ready()
        yield workers
    finally:
        for each in workers:
            each.end()


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Have a process that is started here not hear Ctrl-C, from its first moment on: it is for this process alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heard)


def _work(pipe: Connection, begin: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Make what does the work, and do it until the pipe is closed."""
    do = begin(*arguments)
    answers: list[Any] = []  # the first time, that it is ready
    while True:
        try:
            pipe.send(answers)
            given = pipe.recv()
        except (EOFError, OSError):
            return  # the other side has ended
        answers = [do(each) for each in given]
