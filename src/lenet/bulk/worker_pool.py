"""Processes that read pictures, one on each core; one that a picture brings down is replaced, the picture named."""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from lenet.errors import LenetError, reason

_SPAWN = get_context("spawn")
# How many things a process is given at once, and how many are drawn and not yielded, for each process.
_CHUNK, _AHEAD = 8, 64

Chunk = list[tuple[int, Any]]


@dataclass
class _Worker:
    """A process, and what it was given and has not answered."""

    process: BaseProcess
    pipe: Connection
    given: Chunk = field(default_factory=list)

    @classmethod
    def begun(cls, begin: Callable[..., Any], arguments: tuple[Any, ...]) -> _Worker:
        """Start one, which first makes what it works with."""
        ours, theirs = _SPAWN.Pipe()
        main = threading.current_thread() is threading.main_thread()
        # Ctrl-C is for this process: the others inherit that they do not hear it, from their first moment on.
        heard = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
        try:
            process = _SPAWN.Process(target=_work, args=(theirs, begin, arguments), daemon=True)
            process.start()
        except OSError as error:
            raise LenetError("reader", f"no process can be started ({reason(error)})") from error
        finally:
            if main:
                signal.signal(signal.SIGINT, heard)
        theirs.close()
        return cls(process, ours)

    def give(self, chunk: Chunk) -> None:
        """Send it; that it cannot be sent is seen when the answers are taken."""
        self.given = chunk
        with suppress(OSError):
            self.pipe.send([each for _number, each in chunk])

    def end(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def map_in_processes(
    count: int, begin: Callable[..., Any], arguments: tuple[Any, ...], things: Iterator[Any], *, chunk: int = _CHUNK
) -> Iterator[Any]:
    """Yield what `begin(*arguments)` returns of each thing, in order; `count` processes call that function of theirs.

    A thing that ends its process gives None, and only that one: what was given with it is given anew, one by one, and
    what ends a process twice while it is alone there is it.
    Things are drawn only as fast as they are done. Raises LenetError when no process can be started.
    """
    numbered = enumerate(things)
    again: deque[Chunk] = deque()
    answers: dict[int, Any] = {}
    suspected: set[int] = set()
    drawn = following = 0
    with _start_workers(count, begin, arguments) as crew:
        ready: deque[Chunk] = deque()
        while True:
            for each in [each for each in crew if not each.given]:
                if again or ready:
                    each.give((again or ready).popleft())
            # What comes next is drawn while the processes work.
            while len(ready) < count and drawn + chunk - following <= count * _AHEAD:
                if not (more := list(islice(numbered, chunk))):
                    break
                drawn += len(more)
                ready.append(more)
            busy = {each.pipe: place for place, each in enumerate(crew) if each.given}
            if not busy and not ready:
                break
            for pipe in wait(list(busy), timeout=0 if ready and len(busy) < count else None):
                place = busy[pipe]  # type: ignore[index]
                member = crew[place]
                try:
                    answers.update(zip((number for number, _each in member.given), member.pipe.recv(), strict=True))
                    member.given = []
                except (EOFError, OSError):
                    lost = member.given
                    member.end()
                    crew[place] = _Worker.begun(begin, arguments)
                    _wait_for([crew[place]])
                    if len(lost) > 1:
                        again.extend([each] for each in lost)
                    elif lost[0][0] in suspected:
                        answers[lost[0][0]] = None
                    else:
                        suspected.add(lost[0][0])
                        again.append(lost)
            while following in answers:
                yield answers.pop(following)
                following += 1


@contextmanager
def _start_workers(count: int, begin: Callable[..., Any], arguments: tuple[Any, ...]) -> Iterator[list[_Worker]]:
    crew: list[_Worker] = []
    try:
        crew.extend(_Worker.begun(begin, arguments) for _number in range(count))
        _wait_for(crew)
        yield crew
    finally:
        for each in crew:
            each.end()


def _wait_for(crew: list[_Worker]) -> None:
    """Wait until each has what it works with."""
    try:
        for each in crew:
            each.pipe.recv()
    except (EOFError, OSError):
        raise LenetError("reader", "its process ended as it began", "is there memory enough?") from None


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
