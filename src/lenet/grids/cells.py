"""Cells of a grid: the faces between its lines, joined where no line parts them, each with its four corners."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from lenet.arrays import Float64
from lenet.grids.grid_lines import GridLine, find_grid_lines
from lenet.grids.open_sides import add_sides
from lenet.grids.rules import RUN, RuledLine

# A line parts two faces, or bounds a cell, if this share of it is seen between them.
_PARTS = 0.45
# A line counts if it is seen so well along so many faces, one behind the other, and along this share of those in which
# it is seen at all, to this share: strokes of writing end within faces.
_WHOLE, _FACES, _OF_TOUCHED, _TOUCHED = 0.95, 2, 0.7, 0.1
# A line that is seen along this share of the grid is part of it; of a grid with so many faces along it, along that one.
_ALONG, _SEVERAL, _MOSTLY = 0.9, 3, 0.6
# What has more crossings is squared paper.
_MOST = 5_000
# The smallest side of a cell, in pixels of the flat page.
_SMALLEST = RUN - 4


@dataclass(frozen=True, eq=False)
class GridCell:
    """A cell of a grid: its first row and column, how many it spans, and its corners (4, 2), clockwise from upper left.

    `seen` is the least share of a side of it that is seen. `boxes` of a strip are its lines from left to right, 0 to 1.
    """

    row: int
    column: int
    rows: int
    columns: int
    corners: Float64
    seen: float
    boxes: tuple[float, ...] = ()

    def list_boxes(self) -> list[GridCell]:
        """Return the boxes of a strip, each a cell, from left to right; of another cell itself."""
        if not self.boxes:
            return [self]
        upper_left, upper_right, lower_right, lower_left = self.corners
        found = []
        for first, past in pairwise(self.boxes):
            ends = [upper_left + (upper_right - upper_left) * share for share in (first, past)]
            feet = [lower_left + (lower_right - lower_left) * share for share in (past, first)]
            found.append(replace(self, corners=np.array([*ends, *feet]), boxes=()))
        return found


@dataclass(frozen=True, eq=False)
class Grid:
    """A grid of `rows` and `columns`: its cells in reading order, and how thick its lines are, in pixels.

    `corners` of cells are pixels of the flat page, or of the picture, as is said. `loose` boxes stand alone.
    """

    rows: int
    columns: int
    cells: tuple[GridCell, ...]
    thick: float
    loose: bool = False


def make_grid(across: list[RuledLine], down: list[RuledLine]) -> Grid | None:
    """Return the grid that some rules make, its corners on the flat page; None: they make no cell."""
    level, upright = _choose_lines(find_grid_lines(across), find_grid_lines(down))
    level, upright = add_sides(level, upright), add_sides(upright, level)
    if len(level) < 2 or len(upright) < 2 or len(level) * len(upright) > _MOST:  # noqa: PLR2004
        return None
    crossings = _find_crossings(level, upright)
    tops, sides = _measure_support(level, upright, crossings)
    cells = [_make_cell(face, crossings, tops, sides) for face in _join_faces(tops, sides)]
    whole = [cell for cell in cells if cell.seen >= _PARTS and _measure_least(cell.corners) >= _SMALLEST]
    if not whole:
        return None
    thick = float(np.median([line.thick for line in level + upright]))
    return Grid(len(sides), len(tops[0]), tuple(sorted(whole, key=lambda cell: (cell.row, cell.column))), thick)


def _choose_lines(level: list[GridLine], upright: list[GridLine]) -> tuple[list[GridLine], list[GridLine]]:
    """Return the lines of a grid without strokes of writing.

    A line that is seen along all of the grid is one, or along most of several faces. Others, the longest first for the
    grid, are if they part enough faces of those that are: a stroke of writing parts one, at times.
    """
    every = [(line, row) for row, lines in enumerate((level, upright)) for line in lines]
    every.sort(key=lambda each: -_measure_share(each[0]))
    chosen: tuple[list[GridLine], list[GridLine]] = ([], [])
    while True:
        new = next((each for each in every if _is_line(each[0], chosen[1 - each[1]])), None)
        if new is None:
            break
        every.remove(new)
        chosen[new[1]].append(new[0])
    kept = [[line for line in lines if line in own] for lines, own in zip((level, upright), chosen, strict=True)]
    return kept[0], kept[1]


def _is_line(line: GridLine, others: list[GridLine]) -> bool:
    """Return whether a line is one, by those of the other direction that are."""
    share = _measure_share(line)
    return share > _ALONG or (share > _MOSTLY and len(others) > _SEVERAL) or _parts_enough(line, others)


def _measure_share(line: GridLine) -> float:
    """Return along which share of the grid a line is seen."""
    return line.length / len(line.places)


def _parts_enough(line: GridLine, others: list[GridLine]) -> bool:
    """Return whether a line is seen well along enough faces between lines of the other direction."""
    middle = float(np.mean(line.places))
    along = sorted(other.at(line.at(other.at(middle))) for other in others)
    faces = np.array([line.support(*each) for each in pairwise(along)])
    whole, touched = faces >= _WHOLE, faces >= _TOUCHED
    if len(faces) < _FACES:
        return bool(len(faces) and whole.all())
    together = whole[1:] & whole[:-1]
    return bool(together.any() and whole.sum() >= _OF_TOUCHED * touched.sum())


def _find_crossings(level: list[GridLine], upright: list[GridLine]) -> Float64:
    """Return where lines cross, (h, v, 2) of x and y."""
    found = np.zeros((len(level), len(upright), 2))
    for row, one in enumerate(level):
        for column, other in enumerate(upright):
            x, y = float(np.mean(other.places)), float(np.mean(one.places))
            for _step in range(3):
                y = one.at(x)
                x = other.at(y)
            found[row, column] = x, y
    return found


def _measure_support(level: list[GridLine], upright: list[GridLine], crossings: Float64) -> tuple[Float64, Float64]:
    """Return how much is seen of each face's upper side (h, v - 1), and of its left side (h - 1, v)."""
    tops = [
        [line.support(crossings[row, column, 0], crossings[row, column + 1, 0]) for column in range(len(upright) - 1)]
        for row, line in enumerate(level)
    ]
    sides = [
        [line.support(crossings[row, column, 1], crossings[row + 1, column, 1]) for column, line in enumerate(upright)]
        for row in range(len(level) - 1)
    ]
    return np.array(tops), np.array(sides)


def _join_faces(tops: Float64, sides: Float64) -> list[tuple[int, int, int, int]]:
    """Return cells as first row, row behind the last, first column, column behind the last."""
    rows, columns = len(sides), tops.shape[1]
    group = np.arange(rows * columns).reshape(rows, columns)
    for row in range(rows):
        for column in range(columns):
            if column + 1 < columns and sides[row, column + 1] < _PARTS:
                group[group == group[row, column + 1]] = group[row, column]
            if row + 1 < rows and tops[row + 1, column] < _PARTS:
                group[group == group[row + 1, column]] = group[row, column]
    found = []
    for each in np.unique(group):
        y, x = np.nonzero(group == each)
        if len(y) == (np.ptp(y) + 1) * (np.ptp(x) + 1):
            found.append((int(y.min()), int(y.max()) + 1, int(x.min()), int(x.max()) + 1))
        else:  # no rectangle: faces that have all their sides are cells of their own
            found += [(int(row), int(row) + 1, int(column), int(column) + 1) for row, column in zip(y, x, strict=True)]
    return found


def _make_cell(face: tuple[int, int, int, int], crossings: Float64, tops: Float64, sides: Float64) -> GridCell:
    row, below, column, behind = face
    corners = crossings[[row, row, below, below], [column, behind, behind, column]]
    seen = min(
        tops[row, column:behind].mean(),
        tops[below, column:behind].mean(),
        sides[row:below, column].mean(),
        sides[row:below, behind].mean(),
    )
    return GridCell(row, column, below - row, behind - column, corners, float(seen))


def _measure_least(corners: Float64) -> float:
    """Return the shortest side of a cell (4, 2), in pixels; below 0 if it is turned inside out."""
    upper_left, upper_right, lower_right, lower_left = corners
    level = min(upper_right[0] - upper_left[0], lower_right[0] - lower_left[0])
    upright = min(lower_left[1] - upper_left[1], lower_right[1] - upper_right[1])
    return float(min(level, upright))
