"""Read many pictures: folders and globs become paths, all cores read, answers come in order, bad ones stop nothing."""

from __future__ import annotations

import glob
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from lenet.engine import Network, load
from lenet.engine.choice import cores
from lenet.errors import LenetError
from lenet.image import SUFFIXES
from lenet.reader import Asked, read
from lenet.result import Reading

# Fewer pictures than this for a process are read faster by the one that is there.
_FEWEST = 24
# How many pictures a process is given at once.
_CHUNK = 8


@dataclass(frozen=True)
class Answer:
    """What came of one picture: a reading, or the line that says why there is none."""

    path: str
    reading: Reading | None
    error: str | None


def pictures(paths: Iterable[str]) -> list[str]:
    """Return the pictures that paths, folders (with all that is in them) and globs stand for, in order.

    What is not there is kept, a glob that nothing matches and a folder without pictures too: reading it says what is
    wrong.
    """
    found: list[str] = []
    for path in paths:
        try:
            folder = path != "-" and Path(path).is_dir()
            there = folder or path == "-" or Path(path).exists()
        except (OSError, ValueError):  # a name that is too long, or has a zero byte
            folder, there = False, True
        if folder:
            inside = sorted(str(each) for each in Path(path).rglob("*") if each.suffix.lower() in SUFFIXES)
            found += inside or [path]
        elif not there and glob.has_magic(path):
            matching = glob.glob(path, recursive=True)  # noqa: PTH207 - an absolute pattern is allowed
            found += sorted(matching) or [path]
        else:
            found.append(path)
    return found


def read_all(paths: list[str], model: str | Path, asked: Asked, source: Callable[[str], Any] = str) -> Iterator[Answer]:
    """Read pictures on all cores and yield the answers in order. `source` makes a path what is read: itself, or bytes.

    Raises WeightsError before the first picture when the model cannot be loaded.
    """
    network = load(model)
    processes = min(cores(), len(paths) // _FEWEST)
    if processes < 2:
        for path in paths:
            yield _answer(path, source(path), network, asked)
        return
    with _processes(processes, model, asked) as pool:
        yield from pool.imap(_read_here, ((path, source(path)) for path in paths), chunksize=_CHUNK)


def _answer(path: str, source: Any, network: Network, asked: Asked) -> Answer:
    try:
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
