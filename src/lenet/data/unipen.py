"""UNIPEN's own format: pen movements in included files, and segments that say which of them is what character or word.

See I. Guyon and others, "UNIPEN project of on-line data exchange and recognizer benchmarks", ICPR 1994.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from lenet.arrays import Float64, Int16

# Of these contributors a segment counts pen-up components, if they have points, as well as pen-down ones.
_COUNTS_PEN_UP = frozenset({"cea", "ceb", "pri", "tos", "hpp", "sta"})
# No box is larger than this: what is, is scaled.
_LARGEST = 4096
_SEGMENT = re.compile(r'\.SEGMENT\s+(\S+)\s+([\d:,-]+)\s+\S+\s+"(.*)"\s*$')
_PART = re.compile(r"(\d+)(?::(\d+))?(?:-(\d+)(?::(\d+))?)?")


@dataclass(frozen=True)
class PenMoves:
    """What pens did, component by component: whether the pen was down, and its points (n, 2), x and y upwards.

    Both axes are in one unit: that of y.
    """

    down: tuple[bool, ...]
    points: tuple[Float64, ...]


@dataclass(frozen=True)
class Segment:
    """A character, word or text: its label, and its strokes (n, 2), x and y from 0, y down."""

    label: str
    strokes: tuple[Int16, ...]


def read_segments(text: str, contributor: str, include: Callable[[str], str]) -> Iterator[Segment]:
    """Yield the segments of a file of the folder `data`; `include` returns the text of a file of the folder `include`.

    Segments without ink, or that point at components which are not there, are left out.
    """
    included = [include(name) for name in re.findall(r"^\.INCLUDE\s+(\S+)", text, re.MULTILINE)]
    ink = read_ink("\n".join([*included, text]))
    counted = [
        number
        for number, down in enumerate(ink.down)
        if down or (contributor in _COUNTS_PEN_UP and len(ink.points[number]))
    ]
    for line in text.splitlines():
        found = _SEGMENT.match(line)
        if found is None:
            continue
        parts = _find_parts(found[2], counted, ink)
        if parts:
            label = re.sub(r"\\(.)", r"\1", found[3])
            yield Segment(label, normalise_strokes(parts))


def _find_parts(delineation: str, counted: list[int], ink: PenMoves) -> list[Float64]:
    """Return the strokes of a delineation: `3`, `3-5`, `3:2-5:10`, several with commas; [] if any is not there."""
    strokes = []
    for part in delineation.split(","):
        found = _PART.fullmatch(part)
        if found is None:
            return []
        first, last = int(found[1]), int(found[3] or found[1])
        if not first <= last < len(counted):
            return []
        for number in range(first, last + 1):
            component = counted[number]
            points = ink.points[component]
            begin = int(found[2]) if number == first and found[2] else 0
            past = int(found[4]) + 1 if number == last and found[4] else len(points)
            if ink.down[component] and len(points[begin:past]):
                strokes.append(points[begin:past])
    return strokes


def read_ink(text: str) -> PenMoves:
    """Return the components of a file's text."""
    down: list[bool] = []
    points: list[list[tuple[float, float]]] = []
    columns, inches = (0, 1), {"X": 0.0, "Y": 0.0}
    inside = False
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if words[0].startswith("."):
            inside = words[0] in (".PEN_DOWN", ".PEN_UP")
            if inside:
                down.append(words[0] == ".PEN_DOWN")
                points.append([])
            elif words[0] == ".COORD" and {"X", "Y"} <= set(words):
                columns = words.index("X") - 1, words.index("Y") - 1
            elif (found := re.fullmatch(r"\.([XY])_POINTS_PER_(INCH|MM)", words[0])) and len(words) > 1:
                inches[found[1]] = _read_number(words[1])
        elif inside and len(words) > max(columns):
            place = _read_number(words[columns[0]]), _read_number(words[columns[1]])
            if not np.isnan(place).any():
                points[-1].append(place)
    scale = inches["Y"] / inches["X"] if inches["X"] > 0 and inches["Y"] > 0 else 1.0
    arrays = tuple(np.array(each, np.float64).reshape(-1, 2) * (scale, 1.0) for each in points)
    return PenMoves(tuple(down), arrays)


def _read_number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return float("nan")


def normalise_strokes(strokes: list[Float64]) -> tuple[Int16, ...]:
    """Return strokes with left and top at 0, y down, in whole units, no point twice in a row."""
    every = np.concatenate(strokes)
    low, high = every.min(axis=0), every.max(axis=0)
    scale = min(1.0, _LARGEST / max(1.0, float((high - low).max())))
    placed = []
    for each in strokes:
        moved = np.rint(np.stack([each[:, 0] - low[0], high[1] - each[:, 1]], axis=1) * scale).astype(np.int16)
        goes_on = np.any(np.diff(moved, axis=0) != 0, axis=1)
        placed.append(moved[np.concatenate([[True], goes_on])])
    return tuple(placed)
