"""Combs of a form: a line with short teeth that stand on it, a digit between two of them."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Float64
from lenet.grids.cells import Grid, GridCell
from lenet.grids.rules import RuledLine

# A tooth ends within so many pixels of the line, and is at least so long.
_REACH, _SHORTEST = 7.0, 10
# A comb has so many teeth, at least; distances between them are alike within this share.
_TEETH, _ALIKE = 4, 0.25
# A digit over a comb is so many times as high as teeth are apart, or as they are high.
_HIGH, _OVER = 1.35, 1.1


def find_combs(across: list[RuledLine], down: list[RuledLine], grids: list[Grid]) -> list[Grid]:
    """Return the combs of a flat page, each a grid of one cell, that stand in no grid."""
    cells = [cell for grid in grids for cell in grid.cells]
    found = []
    for line in across:
        teeth = [rule for rule in down if _stands_on(rule, line)]
        teeth.sort(key=lambda rule: float(rule.places[-1]))
        for comb in _part(teeth):
            cell = _make_comb(comb, line)
            if not any(_overlaps(cell, other) for other in cells):
                found.append(Grid(1, 1, (cell,), line.thick))
                cells.append(cell)
    return found


def _stands_on(tooth: RuledLine, line: RuledLine) -> bool:
    x = float(tooth.places[-1])
    if not line.first - _REACH <= x <= line.last + _REACH or len(tooth.places) < _SHORTEST:
        return False
    y = float(line.at(x))
    return abs(tooth.last - y) <= _REACH + line.thick and tooth.first < y - _SHORTEST


def _part(teeth: list[RuledLine]) -> list[list[RuledLine]]:
    """Return those of some teeth, from left to right, that stand equally far apart and are equally high."""
    found: list[list[RuledLine]] = []
    for tooth in teeth:
        own = found[-1] if found else []
        if len(own) > 1:
            pitch = (own[-1].places[-1] - own[0].places[-1]) / (len(own) - 1)
            away = tooth.places[-1] - own[-1].places[-1]
            if abs(away - pitch) < _ALIKE * pitch and abs(len(tooth.places) - len(own[0].places)) < pitch / 2:
                own.append(tooth)
                continue
            found.append([own[-1], tooth])
        else:
            found.append([*own, tooth])
            if own:
                found.pop(-2)
    return [own for own in found if len(own) >= _TEETH]


def _make_comb(teeth: list[RuledLine], line: RuledLine) -> GridCell:
    """Return the cell of a comb: from its first tooth to its last, as high as digits over it are."""
    x: Float64 = np.array([tooth.places[-1] for tooth in teeth])
    pitch = float(x[-1] - x[0]) / (len(x) - 1)
    high = max(_HIGH * pitch, _OVER * float(np.median([len(tooth.places) for tooth in teeth])))
    ends = [float(line.at(float(x[0]))), float(line.at(float(x[-1])))]
    corners = np.array([[x[0], ends[0] - high], [x[-1], ends[1] - high], [x[-1], ends[1]], [x[0], ends[0]]])
    shares = (x - x[0]) / (x[-1] - x[0])
    return GridCell(0, 0, 1, 1, corners, 1.0, tuple(shares.tolist()))


def _overlaps(comb: GridCell, cell: GridCell) -> bool:
    """Return whether a comb's line runs through a cell, or along it."""
    (x0, y0), (x1, y1) = cell.corners.min(axis=0), cell.corners.max(axis=0)
    left, right = comb.corners[3], comb.corners[2]
    foot = float(left[1] + right[1]) / 2
    beside = min(right[0], x1) - max(left[0], x0)
    return bool(beside > 0 and y0 - _REACH < foot < y1 + _REACH)
