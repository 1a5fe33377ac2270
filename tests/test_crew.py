"""Processes that do things in order: what ends one is found out, and none outlives its crew."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenet.bulk.worker_pool import map_in_processes
from lenet.errors import LenetError
from lenet.processes import start_child


def doubling(deadly: int) -> Callable[[int], int]:
    """Return what doubles a number, and ends its process at one of them."""

    def do(number: int) -> int:
        if number == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * number

    return do


def dying() -> Any:
    """End the process that begins with this."""
    os.kill(os.getpid(), signal.SIGKILL)


@settings(max_examples=4)
@given(count=st.integers(0, 40), chunk=st.integers(1, 9), deadly=st.integers(0, 60), members=st.integers(1, 3))
def test_everything_is_done_in_order(count: int, chunk: int, deadly: int, members: int) -> None:
    """However many there are of what: each once, and None where a process ended."""
    found = list(map_in_processes(members, doubling, (deadly,), iter(range(count)), chunk=chunk))
    assert found == [None if number == deadly else 2 * number for number in range(count)]
    assert not multiprocessing.active_children()


def test_large_things_go_both_ways() -> None:
    """Far more than a pipe holds at once."""
    things = [bytes([number]) * 3_000_000 for number in range(20)]
    assert list(map_in_processes(2, identity, (), iter(things), chunk=4)) == things


def identity() -> Callable[[bytes], bytes]:
    """Return what gives back what it is given."""
    return bytes


def test_who_stops_listening_leaves_no_process() -> None:
    """As Ctrl-C does in the middle of a job."""
    answers = map_in_processes(2, doubling, (-1,), iter(range(1000)))
    assert next(answers) == 0
    assert multiprocessing.active_children()
    answers.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


def test_what_cannot_begin_is_one_clear_line() -> None:
    """No answers are made up when no process comes up."""
    with pytest.raises(LenetError, match="reader: its process ended as it began; is there memory enough"):
        list(map_in_processes(1, dying, (), iter([1])))
    assert not multiprocessing.active_children()


def listening(pipe: Connection, names: list[str]) -> None:
    """Say what these signals do here, then wait for ever."""
    pipe.send([signal.getsignal(signal.Signals[name]) is signal.SIG_IGN for name in names])
    pipe.recv()


def test_a_child_hears_what_it_is_not_deaf_to_and_ends_at_once() -> None:
    """Ctrl-C on a service is for the parent; a child that waits is ended and its pipe closed."""
    child = start_child(listening, ["SIGINT", "SIGTERM", "SIGUSR1"], deaf_to=(signal.SIGINT, signal.SIGTERM))
    assert child.pipe.recv() == [True, True, False]
    child.end()
    assert (child.process.exitcode, child.pipe.closed) == (-signal.SIGKILL, True)


def test_a_child_that_cannot_be_started_leaves_no_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is asked again and again does not run out of files."""

    def start(_process: SpawnProcess) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(SpawnProcess, "start", start)
    files = set(Path("/proc/self/fd").iterdir())
    with pytest.raises(BlockingIOError) as caught:
        start_child(listening, [])
    assert set(Path("/proc/self/fd").iterdir()) <= files, caught  # though who keeps the error keeps what it saw
    with pytest.raises(LenetError, match="reader: no process can be started \\(resource temporarily unavailable\\)"):
        list(map_in_processes(1, identity, (), iter([b"1"])))
