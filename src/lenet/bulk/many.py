"""Many pictures for `lenet.read_many`: whatever holds them, read on all cores, in order, little held at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import replace
from itertools import chain, islice
from typing import Any, TypeAlias

from lenet.bulk.inputs import list_pictures, open_pictures
from lenet.bulk.jobs import FEWEST_EACH, Answer, read_in_processes, read_one_by_one
from lenet.engine import Network
from lenet.errors import LenetError, UsageError
from lenet.native.dispatch import count_cores
from lenet.preprocessing.sources import PictureSource, ReadableFile, is_tensor, take_source
from lenet.reader import ReadOptions
from lenet.result import Reading

# Several pictures, or what holds them.
Pictures: TypeAlias = "PictureSource | Iterable[PictureSource]"
# Is told how many pictures are read, and of how many, if that is known.
Progress = Callable[[int, int | None], None]
# So many pictures are looked for before it is known whether they are worth other processes than this one.
_LOOKED_FOR = 2 * FEWEST_EACH
# A picture has at most so many channels.
_CHANNELS = 4


def read_pictures(
    pictures: Pictures,
    network: Network,
    options: ReadOptions,
    *,
    workers: int | None = None,
    column: str | None = None,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> Iterator[Reading | LenetError]:
    """Yield the reading of each picture, in order, or what is wrong with it; see `lenet.read_many`.

    Raises UsageError, before the first picture, for a number of workers that is none.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"workers {workers}", "expected 1 or more, or None for all cores")
    return _read_pictures(pictures, network, options, workers, column, timeout, progress)


def _read_pictures(
    pictures: Pictures,
    network: Network,
    options: ReadOptions,
    workers: int | None,
    column: str | None,
    timeout: float | None,
    progress: Progress | None,
) -> Iterator[Reading | LenetError]:
    names = _list_names(pictures, column)
    parts = _part_pictures(pictures) if names is None else names
    every = _number_sources(parts, column) if names is None else open_pictures(names, column)
    # A path among other pictures may be a folder: nobody knows how many are in it.
    known = names is not None or (
        isinstance(parts, Sized) and not any(isinstance(each, str | os.PathLike) for each in parts)
    )
    total = len(parts) if known and isinstance(parts, Sized) else None
    first = list(islice(every, _LOOKED_FOR))
    processes = workers or (count_cores() if len(first) == _LOOKED_FOR else 1)
    if len(first) < _LOOKED_FOR:
        processes = max(1, min(processes, len(first)))
    sources: deque[str | None] = deque()

    def remember() -> Iterator[tuple[str, Any]]:
        for name, source in chain(first, every):
            sources.append(source if isinstance(source, str) else None)
            yield name, source

    given = remember()
    if processes == 1 and timeout is None:
        answers = read_one_by_one(given, replace(network, threads=1), options)
    else:
        answers = read_in_processes(processes, given, network, options, timeout=timeout)
    for number, answer in enumerate(answers, 1):
        if progress:
            progress(number, total)
        yield _take_answer(answer, sources.popleft())


def _take_answer(answer: Answer, source: str | None) -> Reading | LenetError:
    """Return what came of a picture: a reading knows its path, and by it the picture, of which no more is held."""
    if answer.reading is None:
        assert answer.fault is not None
        return answer.fault
    return replace(answer.reading, path=answer.path, source=source)


def _list_names(pictures: Pictures, column: str | None) -> list[str] | None:
    """Return the names of all pictures that are given by paths alone; None if any is not, or nobody knows yet."""
    if isinstance(pictures, str | os.PathLike):
        return list_pictures([os.fspath(pictures)], column)
    if isinstance(pictures, list | tuple) and all(isinstance(each, str | os.PathLike) for each in pictures):
        return list_pictures([os.fspath(each) for each in pictures], column)
    return None


def _number_sources(pictures: Any, column: str | None) -> Iterator[tuple[str, Any]]:
    """Yield a name and what is read for each picture; those without a name of their own have their number."""
    number = 0
    for each in pictures:
        if isinstance(each, str | os.PathLike):
            for named in open_pictures(list_pictures([os.fspath(each)], column), column):
                yield named
                number += 1
            continue
        try:
            source: Any = take_source(each)
        except LenetError as error:
            source = error
        yield str(getattr(each, "filename", "") or getattr(each, "name", "") or number), source
        number += 1


def _part_pictures(pictures: Any) -> Iterable[Any]:
    """Return several pictures one by one: a stack of arrays is (N, H, W) or (N, H, W, C); one picture is one."""
    if isinstance(pictures, bytes | bytearray | memoryview | ReadableFile) or not isinstance(pictures, Iterable):
        return [pictures]
    shape = getattr(pictures, "shape", None)
    if shape is None:
        return pictures
    coloured = len(shape) == 3 and (shape[2] <= _CHANNELS or (is_tensor(pictures) and shape[0] <= _CHANNELS))  # noqa: PLR2004
    return [pictures] if len(shape) == 2 or coloured else pictures  # noqa: PLR2004
