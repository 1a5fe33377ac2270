"""A page's layout: its grids and boxes in reading order, their cells' corners in the page's own pixels."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from lenet.arrays import Uint8
from lenet.grids.cells import Grid, GridCell, make_grid
from lenet.grids.combs import find_combs
from lenet.grids.crossings import find_groups
from lenet.grids.flatten import FlatPage, flatten_page
from lenet.grids.rules import RUN, trace_rules

# A box on its own that is larger than this share of the page is the paper's edge; what is so much smaller than the cell
# around it may stand in it, else it is writing.
_EDGE, _INSIDE = 0.4, 0.25
# A page is dark if less than this share of it is lighter than the level that parts light from dark, on so many pixels.
_LIGHT, _LOOKED_AT = 0.2, 100_000
# What has so many cells at most may be a letter or a square that somebody drew.
_FEW = 2
# Boxes of one row, at least so many, as wide as high or narrower, alike within this share, are a strip: a digit a box.
_STRIP, _NARROW, _ALIKE = 3, 1.45, 0.25
# The sides of a box on its own are seen so well, and so long, in pixels: less is a letter.
_CLOSED, _SMALLEST = 0.8, 20
# Boxes stand in one row if their middles differ by less than this share of their height.
_LEVEL = 0.5

Bounds = tuple[float, float, float, float]


def find_grids(grey: Uint8) -> list[Grid]:
    """Return the grids on a page (H, W), uint8, in reading order; lines are dark, or light on a dark page.

    All boxes that stand alone, and strips with a box a digit, are together one grid, the last.
    """
    if min(grey.shape) < RUN:
        return []
    flat = flatten_page(255 - grey if _is_negative(grey) else grey)
    across, down = trace_rules(flat.grey)
    made = [make_grid(*group) for group in find_groups(across, down)]
    found = _leave_out([grid for grid in made if grid is not None], flat)
    found += find_combs(across, down, found)
    strips = [_join_strip(grid) for grid in found]
    tables = [grid for grid, strip in zip(found, strips, strict=True) if strip is None]
    tables.sort(key=lambda grid: _bound(grid)[1::-1])
    thick = float(np.median([grid.thick for grid in found])) if found else 0.0
    loose = _put_together([strip for strip in strips if strip is not None], thick)
    return [_place_grid(grid, flat) for grid in (*tables, *loose)]


def _is_negative(grey: Uint8) -> bool:
    """Return whether a page is dark but for lines and writing: a photograph of paper on a dark table is not."""
    step = max(1, int((grey.size / _LOOKED_AT) ** 0.5))
    few = np.ascontiguousarray(grey[::step, ::step])
    level, _ = cv2.threshold(few, 0, 255, cv2.THRESH_OTSU)
    return bool((few > level).mean() < _LIGHT)


def _leave_out(grids: list[Grid], flat: FlatPage) -> list[Grid]:
    """Leave out what is no grid of the page: its paper's edge, frames around grids, letters, squares drawn in cells."""
    page = flat.grey.size
    grids = [grid for grid in grids if len(grid.cells) > 1 or _measure_area(grid) <= _EDGE * page]
    tables = [_bound(grid) for grid in grids if len(grid.cells) > _FEW]
    grids = [grid for grid in grids if len(grid.cells) > 1 or not any(_holds(grid.cells[0], each) for each in tables)]
    return [grid for grid in grids if not _is_letter(grid) and not _is_drawn(grid, grids)]


def _is_letter(grid: Grid) -> bool:
    """Return whether a box on its own is none: it is too small, or not closed."""
    x0, y0, x1, y1 = _bound(grid)
    return len(grid.cells) == 1 and (grid.cells[0].seen < _CLOSED or min(x1 - x0, y1 - y0) < _SMALLEST)


def _is_drawn(grid: Grid, grids: list[Grid]) -> bool:
    """Return whether a box or two stand in a cell of another grid, and are too large beside it to be a form's."""
    if len(grid.cells) > _FEW:
        return False
    bounds = _bound(grid)
    around = [cell for other in grids if other is not grid for cell in other.cells if _holds(cell, bounds)]
    return any(bounds[3] - bounds[1] > _INSIDE * _measure_height(cell) for cell in around)


def _measure_area(grid: Grid) -> float:
    x0, y0, x1, y1 = _bound(grid)
    return (x1 - x0) * (y1 - y0)


def _holds(cell: GridCell, bounds: Bounds) -> bool:
    """Return whether a cell holds the middle of something."""
    x0, y0, x1, y1 = bounds
    low, high = cell.corners.min(axis=0), cell.corners.max(axis=0)
    middle = np.array([x0 + x1, y0 + y1]) / 2
    return bool((low < middle).all() and (middle < high).all())


def _measure_height(cell: GridCell) -> float:
    return float(np.ptp(cell.corners[:, 1]))


def _bound(grid: Grid) -> Bounds:
    corners = np.concatenate([cell.corners for cell in grid.cells])
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _join_strip(grid: Grid) -> GridCell | None:
    """Return a box on its own, or a strip of boxes for a digit each, as one cell; None: the grid is a table."""
    cells = grid.cells
    if len(cells) == 1:
        return cells[0]
    sizes = np.array([np.ptp(cell.corners, axis=0) for cell in cells])
    alike = np.ptp(sizes[:, 0]) < _ALIKE * np.median(sizes[:, 0])
    if grid.rows > 1 or len(cells) < _STRIP or not alike or np.median(sizes[:, 0] / sizes[:, 1]) > _NARROW:
        return None
    first, last = cells[0].corners, cells[-1].corners
    corners = np.array([first[0], last[1], last[2], first[3]])
    edges = np.array([*(cell.corners[0] for cell in cells), last[1]])
    shares = (edges[:, 0] - edges[0, 0]) / (edges[-1, 0] - edges[0, 0])
    return replace(cells[0], columns=1, corners=corners, boxes=tuple(shares.tolist()))


def _put_together(boxes: list[GridCell], thick: float) -> list[Grid]:
    """Return boxes that stand alone as one grid, row by row; none: no grid."""
    if not boxes:
        return []
    rows: list[list[GridCell]] = []
    for box in sorted(boxes, key=lambda each: float(each.corners[:, 1].mean())):
        middle = float(box.corners[:, 1].mean())
        last = rows[-1][0] if rows else None
        if last is not None and middle - float(last.corners[:, 1].mean()) < _LEVEL * _measure_height(last):
            rows[-1].append(box)
        else:
            rows.append([box])
    cells = []
    for row, own in enumerate(rows):
        own.sort(key=lambda each: float(each.corners[:, 0].mean()))
        cells += [replace(box, row=row, column=column) for column, box in enumerate(own)]
    return [Grid(len(rows), max(map(len, rows)), tuple(cells), thick, loose=True)]


def _place_grid(grid: Grid, flat: FlatPage) -> Grid:
    """Return a grid with its corners where they are on the page."""
    cells = tuple(replace(cell, corners=flat.find_on_page(cell.corners)) for cell in grid.cells)
    return replace(grid, cells=cells, thick=grid.thick / flat.shrink)
