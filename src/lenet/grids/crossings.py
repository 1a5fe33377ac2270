"""Rules that hang together: which of those across meet which of those down, and what they make, grid by grid."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Bools, Float64
from lenet.grids.rules import RuledLine

# Rules meet that miss each other by at most so many pixels.
_REACH = 7.0
# A rule that is part of a grid meets so many of the other direction; strokes of writing mostly meet one.
_LEAST_MET = 2


def find_groups(across: list[RuledLine], down: list[RuledLine]) -> list[tuple[list[RuledLine], list[RuledLine]]]:
    """Return the rules, across and down, of everything on a page that may be a grid or a box.

    All of a group hang together, and each meets two of the other direction.
    """
    if not across or not down:
        return []
    meets = _find_crossings(across, down)
    while True:
        enough = (meets.sum(axis=1) >= _LEAST_MET)[:, None] & (meets.sum(axis=0) >= _LEAST_MET)[None]
        if (meets <= enough).all():
            break
        meets &= enough
    groups = []
    left = set(np.flatnonzero(meets.any(axis=1)).tolist())
    while left:
        rows, columns = _reach(meets, left.pop())
        left -= rows
        groups.append(([across[row] for row in sorted(rows)], [down[column] for column in sorted(columns)]))
    return groups


def _reach(meets: Bools, row: int) -> tuple[set[int], set[int]]:
    """Return the rows and columns of a table (h, v) that hang together with a row."""
    rows, columns, waiting = {row}, set[int](), [row]
    while waiting:
        for column in set(np.flatnonzero(meets[waiting.pop()]).tolist()) - columns:
            columns.add(column)
            found = set(np.flatnonzero(meets[:, column]).tolist()) - rows
            rows |= found
            waiting += found
    return rows, columns


def _find_crossings(across: list[RuledLine], down: list[RuledLine]) -> Bools:
    """Return which of the rules across meet which of those down, (h, v)."""
    x0, x1, y0, y1 = _bound(across)
    v0, v1, u0, u1 = _bound(down)  # of a rule down, along is y
    near = (x0[:, None] <= u1 + _REACH) & (x1[:, None] >= u0 - _REACH)
    near &= (v0 <= y1[:, None] + _REACH) & (v1 >= y0[:, None] - _REACH)
    meets = np.zeros_like(near)
    for row, column in np.argwhere(near).tolist():
        one, other = across[row], down[column]
        y = float(one.at(float(other.places.mean())))
        x = float(other.at(y))
        y = float(one.at(x))
        beside = max(one.first - x, x - one.last), max(other.first - y, y - other.last)
        meets[row, column] = max(beside) <= _REACH
    return meets


def _bound(rules: list[RuledLine]) -> tuple[Float64, Float64, Float64, Float64]:
    """Return from where to where rules (n,) go along, and across."""
    bounds = np.array([(rule.first, rule.last, rule.places.min(), rule.places.max()) for rule in rules])
    first, last, low, high = bounds.T
    return first, last, low, high
