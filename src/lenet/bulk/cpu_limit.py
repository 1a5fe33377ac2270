"""How long one picture may take, in CPU seconds: a machine that has much else to do changes nothing.

In a process of a job the kernel keeps the time and ends the process (`end_process_after`): so C code ends too that
comes back to Python never, and whether it holds Python's lock. The process that was typed cannot be ended like that:
there a second thread looks at the time, and Python code is interrupted (`Interrupter`). C code is not, until it
returns; what does not return is given up, with the command. C code that keeps Python's lock for ever keeps the thread
from that as well: OpenCV, Pillow's decoders and the engine do not.
"""

from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Callable
from typing import Self, TypeVar

T = TypeVar("T")
# The signal by which the kernel ends a process, or the thread interrupts. Windows has no such clock: no process of a
# job ends there.
_SIGNAL = getattr(signal, "SIGPROF", signal.SIGTERM)
# How often the thread looks, in seconds; and how many CPU seconds Python code has to end, from one interrupt to the
# next, and from the limit to the moment where all is given up.
_LOOK, _TO_UNWIND, _GRACE = 0.2, 1.0, 5.0


class TookTooLong(BaseException):
    """The work has had its time. No Exception: who catches any of those lets it through."""


def run_unlimited(_name: str, do: Callable[[], T]) -> T:
    """Return what `do()` returns, however long it takes."""
    return do()


def end_process_after(seconds: float) -> Callable[[str, Callable[[], T]], T]:
    """Return what runs a named `do()`, and ends this process if that takes more CPU seconds, whatever code runs."""

    def run(_name: str, do: Callable[[], T]) -> T:
        if not hasattr(signal, "setitimer"):
            return do()
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            return do()
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    return run


def was_ended(exit_code: int | None) -> bool:
    """Tell by the exit code of a process whether `end_process_after` ended it."""
    return exit_code == -_SIGNAL


class Interrupter:
    """Runs work in the main thread, and interrupts what takes more CPU seconds than it may. Framed by `with`.

    `give_up` is called from another thread, with the name of what goes on all the same, and must end this process.
    """

    def __init__(self, seconds: float, give_up: Callable[[str], object] | None = None) -> None:
        self._seconds, self._give_up = seconds, give_up
        # Who holds the lock decides whether the work has ended in time. The main thread's handler never waits for it.
        self._lock = threading.Lock()
        self._name: str | None = None
        self._interrupt_at = self._give_up_at = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._heard = signal.signal(_SIGNAL, self._hear)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()
        signal.signal(_SIGNAL, self._heard)

    def run(self, name: str, do: Callable[[], T]) -> T:
        """Return what `do()` returns. Raises TookTooLong."""
        try:
            try:
                limit = self._begin(name)
                found = do()
                if time.process_time() > limit:  # and the thread had no moment to see it
                    raise TookTooLong
                return found
            finally:
                self._end()
        except TookTooLong:
            self._end()  # it may have come before the first one
            raise

    def _begin(self, name: str) -> float:
        """Start the clock; return at which CPU time of this process it runs out."""
        limit = time.process_time() + self._seconds
        with self._lock:
            self._name, self._interrupt_at, self._give_up_at = name, limit, limit + _GRACE
        return limit

    def _end(self) -> None:
        with self._lock:
            self._name = None

    def _hear(self, *_signal: object) -> None:
        """Interrupt the main thread where it is, unless the work has ended: it is only now that this is known."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            late = self._name is not None and time.process_time() > self._interrupt_at
            self._interrupt_at += _TO_UNWIND if late else 0.0
        finally:
            self._lock.release()
        if late:
            raise TookTooLong

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK):
            with self._lock:
                now = time.process_time()
                if self._name is not None and now > self._give_up_at and self._give_up is not None:
                    self._give_up(self._name)  # the lock stays held: the work cannot end any more
                late = self._name is not None and now > self._interrupt_at
            if late:
                _thread.interrupt_main(_SIGNAL)
