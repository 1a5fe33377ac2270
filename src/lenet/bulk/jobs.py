"""Read many pictures: all cores read, answers come in order, bad pictures stop nothing, little is held at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lenet.bulk.worker_pool import map_in_processes
from lenet.engine import Network, load
from lenet.engine.dispatch import count_cores
from lenet.errors import LenetError, reason
from lenet.reader import ReadOptions, read
from lenet.result import Reading

# Fewer pictures than this for a process are read faster by the one that is there.
_FEWEST = 24


@dataclass(frozen=True)
class Answer:
    """What came of one picture: a reading, or the line that says why there is none."""

    path: str
    reading: Reading | None
    error: str | None

    def as_json(self) -> dict[str, Any]:
        """Return it as `lenet read --json` prints it."""
        return {"path": self.path, **(self.reading.as_json() if self.reading else {"error": self.error})}


def read_all(
    pictures: Iterable[tuple[str, Any]], count: int, model: str | Path, asked: ReadOptions
) -> Iterator[Answer]:
    """Read pictures, as `lenet.bulk.inputs.open_pictures` opens them, on all cores; yield the answers in order.

    `count` is how many there are. Raises WeightsError before the first picture when the model cannot be loaded.
    """
    network = load(model)
    processes = min(count_cores(), count // _FEWEST)
    if processes < 2:  # noqa: PLR2004
        yield from read_one_by_one(pictures, network, asked)
    else:
        yield from read_in_processes(processes, pictures, model, asked)


def read_one_by_one(pictures: Iterable[tuple[str, Any]], network: Network, asked: ReadOptions) -> Iterator[Answer]:
    """Yield the answers in order, read in this process."""
    for path, source in pictures:
        yield _read_picture(path, source, network, asked)


def read_in_processes(
    processes: int, pictures: Iterable[tuple[str, Any]], model: str | Path, asked: ReadOptions, chunk: int = 8
) -> Iterator[Answer]:
    """Yield the answers in order; a picture that ends its process has a line that says so, and the others are read."""
    names: deque[str] = deque()

    def named() -> Iterator[tuple[str, Any]]:
        for each in pictures:
            names.append(each[0])
            yield each

    for answer in map_in_processes(processes, _make_reader, (str(model), asked), named(), chunk=chunk):
        name = names.popleft()
        yield answer or Answer(name, None, f"{name}: reading it ended the process that read it")


def _read_picture(path: str, source: Any, network: Network, asked: ReadOptions) -> Answer:
    try:
        if isinstance(source, LenetError):
            raise source
        return Answer(path, read(source, network, asked), None)
    except LenetError as error:
        return Answer(path, None, f"{path}: {error.problem}")
    except Exception as error:  # a fault of ours, or no memory: it is this picture's, and the others are read
        what = f"{type(error).__name__}: {reason(error)}".splitlines()[0]
        return Answer(path, None, f"{path}: reading it failed ({what})")


def _make_reader(model: str, asked: ReadOptions) -> Callable[[tuple[str, Any]], Answer]:
    """Load the network once in each process, which has one core to itself."""
    network = Network(load(model).weights, threads=1)
    return lambda given: _read_picture(*given, network, asked)
