"""Read many pictures: all cores read, answers come in order, bad pictures stop nothing, little is held at a time."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from lenet.engine import Network, load
from lenet.engine.choice import cores
from lenet.errors import LenetError
from lenet.reader import Asked, read
from lenet.result import Reading

# Fewer pictures than this for a process are read faster by the one that is there.
_FEWEST = 24
# How many pictures a process is given at once, and how many are opened for each process before they are read.
_CHUNK, _AHEAD = 8, 64


@dataclass(frozen=True)
class Answer:
    """What came of one picture: a reading, or the line that says why there is none."""

    path: str
    reading: Reading | None
    error: str | None


def read_all(pictures: Iterable[tuple[str, Any]], count: int, model: str | Path, asked: Asked) -> Iterator[Answer]:
    """Read pictures, as `lenet.holdings.opened` names and opens them, on all cores; yield the answers in order.

    `count` is how many there are. Raises WeightsError before the first picture when the model cannot be loaded.
    """
    network = load(model)
    processes = min(cores(), count // _FEWEST)
    if processes < 2:
        for path, source in pictures:
            yield _answer(path, source, network, asked)
        return
    # Pictures are opened only as fast as they are read.
    room = threading.Semaphore(processes * _AHEAD)
    over = threading.Event()

    def ahead() -> Iterator[tuple[str, Any]]:
        for each in pictures:
            while not room.acquire(timeout=0.2):
                if over.is_set():
                    return
            yield each

    with _processes(processes, model, asked) as pool:
        try:
            for answer in pool.imap(_read_here, ahead(), chunksize=_CHUNK):
                room.release()
                yield answer
        finally:
            over.set()


def _answer(path: str, source: Any, network: Network, asked: Asked) -> Answer:
    try:
        if isinstance(source, LenetError):
            raise source
        return Answer(path, read(source, network, asked), None)
    except LenetError as error:
        return Answer(path, None, f"{path}: {error.problem}")


@contextmanager
def _processes(count: int, model: str | Path, asked: Asked) -> Iterator[Any]:
    main = threading.current_thread() is threading.main_thread()
    # Ctrl-C is for this process: the others inherit that they do not hear it, from their first moment on.
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        pool = get_context("spawn").Pool(count, _begin, (str(model), asked))
    finally:
        if main:
            signal.signal(signal.SIGINT, heard)
    try:
        yield pool
    finally:
        pool.terminate()
        pool.join()


_mine: tuple[Network, Asked] | None = None


def _begin(model: str, asked: Asked) -> None:
    """Load the network once in each process, which has one core to itself."""
    global _mine  # noqa: PLW0603 - a process of a pool has no other place to keep what it begins with
    _mine = Network(load(model).weights, threads=1), asked


def _read_here(given: tuple[str, Any]) -> Answer:
    assert _mine is not None
    return _answer(*given, *_mine)
