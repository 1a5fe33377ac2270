"""Read many pictures: all cores read, answers come in order, bad pictures stop nothing, little is held at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from lenet.bulk.cpu_limit import Interrupter, TookTooLong, end_process_after, run_unlimited
from lenet.bulk.inputs import find_page
from lenet.engine import Network, load
from lenet.errors import LenetError, reason
from lenet.native.dispatch import count_cores
from lenet.preprocessing.pipeline import prepare_page
from lenet.reader import ReadOptions, look_page, read, read_page
from lenet.result import Reading

if TYPE_CHECKING:
    from lenet.tables.read_page import TableOptions
    from lenet.tables.result import PageTables

# Fewer pictures than this for a process are read faster by the one that is there; a page of tables keeps one busy.
FEWEST_EACH = 24
# So many pictures are given to a process at a time.
_CHUNK = 8


@dataclass(frozen=True)
class Answer:
    """What came of one picture: a reading, or its tables, or the line that says why there is none."""

    path: str
    reading: Reading | None
    fault: LenetError | None
    # Why the reading could not be drawn, if it was to be.
    undrawn: LenetError | None = None
    tables: PageTables | None = None

    @property
    def error(self) -> str | None:
        """The line that says why there is nothing."""
        return None if self.fault is None else str(self.fault)

    def as_json(self) -> dict[str, Any]:
        """Return it as `lenet read --json` prints it."""
        page = find_page(self.path)
        named = {"path": self.path} if page is None else {"path": self.path, "page": page - 1}
        said = self.tables if self.reading is None else self.reading
        return {**named, **({"error": self.error} if said is None else said.as_json())}


# What is asked of each picture: its numbers, or its tables.
Asked: TypeAlias = "ReadOptions | TableOptions"
# Runs the reading of a picture, which is named, within its time.
Limit = Callable[[str, Callable[[], Answer]], Answer]
# Draws a reading: of which number and path, on what it was read from, and where ink was cut apart, in its own pixels.
Draw = Callable[[int, str, Any, Any, tuple[tuple[float, float], ...]], None]


def read_all(
    pictures: Iterable[tuple[str, Any]],
    count: int,
    model: str | Path,
    asked: Asked,
    *,
    timeout: float | None = None,
    give_up: Callable[[Answer], NoReturn] | None = None,
    draw: Draw | None = None,
) -> Generator[Answer, None, None]:
    """Read pictures, as `lenet.bulk.inputs.open_pictures` opens them, on all cores; yield the answers in order.

    `count` is how many there are. One that takes more than `timeout` CPU seconds is an error. Few pictures are read in
    this process, and within that time in the main thread alone: there `give_up` must end the process for one whose
    reading cannot be interrupted. The process that reads a picture draws it too, by `draw`, which it must be able to
    import. Close it where it may be left before its end: its signal is given back by the main thread alone. Raises
    WeightsError before the first picture when the model cannot be loaded.
    """
    network = load(model)
    processes = min(count_cores(), count if not isinstance(asked, ReadOptions) else count // FEWEST_EACH)
    if processes >= 2:  # noqa: PLR2004
        chunk = 1 if not isinstance(asked, ReadOptions) else _CHUNK
        yield from read_in_processes(processes, pictures, model, asked, chunk=chunk, timeout=timeout, draw=draw)
    elif timeout is None or current_thread() is not main_thread():
        yield from read_one_by_one(pictures, network, asked, draw=draw)
    else:
        yield from _read_in_time(pictures, network, asked, timeout, give_up, draw)


def read_one_by_one(
    pictures: Iterable[tuple[str, Any]],
    network: Network,
    asked: Asked,
    limit: Limit = run_unlimited,
    draw: Draw | None = None,
) -> Iterator[Answer]:
    """Yield the answers in order, read in this process, each by `limit`."""
    for number, (path, source) in enumerate(pictures):
        yield limit(path, partial(_read_picture, number, path, source, network, asked, draw))


def _read_in_time(
    pictures: Iterable[tuple[str, Any]],
    network: Network,
    asked: Asked,
    timeout: float,
    give_up: Callable[[Answer], NoReturn] | None,
    draw: Draw | None,
) -> Iterator[Answer]:
    """Yield the answers in order, read in this process; who takes longer is interrupted, or given up."""

    def end(path: str) -> NoReturn:
        assert give_up is not None
        give_up(_make_late(path, timeout, "reading it could not be interrupted, which ended the command"))

    def run(path: str, do: Callable[[], Answer]) -> Answer:
        try:
            return interrupter.run(path, do)
        except TookTooLong:
            return _make_late(path, timeout)

    with Interrupter(timeout, end if give_up else None) as interrupter:
        yield from read_one_by_one(pictures, network, asked, run, draw)


def read_in_processes(
    processes: int,
    pictures: Iterable[tuple[str, Any]],
    model: str | Path | Network,
    asked: Asked,
    *,
    chunk: int = _CHUNK,
    timeout: float | None = None,
    draw: Draw | None = None,
) -> Iterator[Answer]:
    """Yield the answers in order; a picture that ends its process has a line that says so, and the others are read.

    So has one that takes more than `timeout` CPU seconds.
    """
    from lenet.bulk.worker_pool import LATE, map_in_processes

    names: deque[str] = deque()

    def named() -> Iterator[tuple[int, str, Any]]:
        for number, (path, source) in enumerate(pictures):
            names.append(path)
            yield number, path, source

    made = (model if isinstance(model, Network) else str(model), asked, timeout, draw)
    for answer in map_in_processes(processes, _make_reader, made, named(), chunk=chunk):
        name = names.popleft()
        if answer is LATE:
            assert timeout is not None
            yield _make_late(name, timeout)
        else:
            yield answer or Answer(
                name, None, LenetError(name, "reading it ended the process that read it").about(name)
            )


def limit_time(timeout: float | None) -> Limit:
    """Return what ends this process for a picture that takes more than `timeout` CPU seconds."""
    return run_unlimited if timeout is None else end_process_after(timeout)


def _make_late(path: str, timeout: float, more: str = "") -> Answer:
    problem = f"took more than {timeout:g} CPU second{'' if timeout == 1 else 's'} to read"
    remedy = "; ".join(filter(None, [more, "leave it out, or give a larger --timeout"]))
    return Answer(path, None, LenetError(path, problem, remedy).about(path))


def _read_picture(number: int, path: str, source: Any, network: Network, asked: Asked, draw: Draw | None) -> Answer:
    try:
        if isinstance(source, LenetError):
            raise source
        answer, cuts = _read(path, source, network, asked, cut=draw is not None)
    except LenetError as error:
        return Answer(path, None, error.about(path))
    except Exception as error:  # a fault of ours, or no memory: it is this picture's, and the others are read
        return Answer(path, None, LenetError(path, f"reading it failed ({_explain_fault(error)})").about(path))
    if draw is None:
        return answer
    try:
        draw(number, path, source, answer.tables if answer.reading is None else answer.reading, cuts)
    except LenetError as error:
        return replace(answer, undrawn=error)
    except Exception as error:
        return replace(answer, undrawn=LenetError(path, f"drawing it failed ({_explain_fault(error)})"))
    return answer


def _read(
    path: str, source: Any, network: Network, asked: Asked, *, cut: bool
) -> tuple[Answer, tuple[tuple[float, float], ...]]:
    """Read a picture, or its tables; return the answer, and where ink was `cut` apart for a number of digits."""
    if not isinstance(asked, ReadOptions):
        from lenet.tables.read_page import read_tables

        return Answer(path, None, None, tables=read_tables(source, network, asked)), ()
    if not cut:
        return Answer(path, read(source, network, asked), None), ()
    page = prepare_page(source)
    if asked.sliding_window:
        return Answer(path, read_page(page, network, asked), None), ()
    explained = look_page(page, network, asked)
    several = len(explained.reading.digits) + len(explained.reading.signs) > 1 and not explained.again
    return Answer(path, explained.reading, None), explained.candidates.cuts() if several else ()


def _explain_fault(error: Exception) -> str:
    return f"{type(error).__name__}: {reason(error)}".splitlines()[0]


def _make_reader(
    model: str | Network, asked: Asked, timeout: float | None, draw: Draw | None
) -> Callable[[tuple[int, str, Any]], Answer]:
    """Load the network once in each process, which has one core to itself."""
    loaded = model if isinstance(model, Network) else load(model)
    network, limit = replace(loaded, threads=1), limit_time(timeout)

    def do(given: tuple[int, str, Any]) -> Answer:
        return limit(given[1], lambda: _read_picture(*given, network, asked, draw))

    return do
