"""A page as tables are looked for on it: its picture, its grids, and what each of their cells holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenet.arrays import Float64, Uint8
from lenet.engine.lines import load_lines
from lenet.grids.cells import Grid, GridCell
from lenet.grids.crops import CLOSE, cut_cell, make_strips
from lenet.grids.layout import find_grids
from lenet.network.probabilities import probabilities
from lenet.network.spec import CELL_DEFAULT, CELL_LABELS
from lenet.preprocessing.decode import Page, open_page
from lenet.preprocessing.sources import PictureSource
from lenet.result import Box

# A page is looked at with at most about so many pixels: a photograph's cells keep their fine strokes.
_PIXELS = 16_000_000
# A page is turned if the cells with ink are, together, likelier turned than not by so much, in nats a cell.
_TURNED = 0.5
# What is written on is likelier so than empty; a mean chance of a turn from this on is looked into, on so many cells.
_WRITTEN, _SUSPECT, _MOST_TURNED = 0.5, 0.2, 60
_LEAST = 1e-3
_EMPTY, _TURN = CELL_LABELS.index("empty"), CELL_LABELS.index("turned")


@dataclass(frozen=True)
class SeenCell:
    """A cell of a grid, in the pixels of the upright page, and how likely it holds each of `CELL_LABELS` (7,)."""

    place: GridCell
    chances: Float64


@dataclass(frozen=True)
class SeenGrid:
    """A grid and its cells as they were seen."""

    grid: Grid
    cells: tuple[SeenCell, ...]


@dataclass(frozen=True)
class SeenPage:
    """A page that is upright: `picture` (H, W) or (H, W, 3) uint8, red first, and in `grey` (H, W); its grids.

    `quarters` is by how many quarters to the left it was turned from the page as it was given, whose own `size` is
    (width, height); a pixel stands for `scale` of that page's.
    """

    picture: Uint8
    grey: Uint8
    grids: tuple[SeenGrid, ...]
    quarters: int
    size: tuple[int, int]
    scale: float

    def place(self, corners: Float64) -> tuple[Box, tuple[tuple[int, int], ...]]:
        """Return where corners (4, 2) are on the page as it was given: a box, and the corners, in its own pixels."""
        x, y = (corners * self.scale).T
        width, height = self.size
        x, y = ((x, y), (width - y, x), (width - x, height - y), (y, height - x))[self.quarters]
        points = np.clip(np.rint(np.stack([x, y], axis=1)), 0, (width, height)).astype(int)
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        return (int(x0), int(y0), int(x1), int(y1)), tuple((int(px), int(py)) for px, py in points)


def see_page(source: PictureSource, *, turn: bool = True) -> SeenPage:
    """Find the grids of a page that lies in any direction, and tell what their cells hold; as it is, without `turn`.

    Raises PictureError when the picture cannot be decoded.
    """
    page = open_page(source, _PIXELS)
    seen = _look(page, 0)
    quarters = _choose_turn(seen) if turn else 0
    return seen if not quarters else _look(page, quarters)


def _look(page: Page, quarters: int) -> SeenPage:
    """Return a page turned to the left by so many quarters, with its grids and what their cells hold."""
    given = page.grey if page.colours is None else page.colours
    picture = np.ascontiguousarray(np.rot90(given, quarters))
    grey = np.ascontiguousarray(np.rot90(page.grey, quarters))
    found = find_grids(grey)
    grids = tuple(SeenGrid(grid, tuple(see_cells(grey, grid))) for grid in found)
    return SeenPage(picture, grey, grids, quarters, page.size, page.scale)


def see_cells(grey: Uint8, grid: Grid) -> list[SeenCell]:
    """Tell what the cells of a grid hold on a page (H, W) uint8; of a strip what its boxes do, on average."""
    boxes = [(row, box) for row, cell in enumerate(grid.cells) for box in cell.list_boxes()]
    told = tell_cells([cut_cell(grey, box.corners, grid.thick, CLOSE) for _row, box in boxes])
    rows = np.array([row for row, _box in boxes])
    return [SeenCell(cell, told[rows == row].mean(axis=0)) for row, cell in enumerate(grid.cells)]


def tell_cells(cuts: list[Uint8]) -> Float64:
    """Return how likely each of some cells, their insides (h, w) uint8, holds each of `CELL_LABELS`, (n, 7)."""
    network = load_lines(CELL_DEFAULT)
    strips = make_strips(cuts)
    found = np.zeros((len(strips), len(CELL_LABELS)))
    for width in {strip.shape[1] for strip in strips}:
        rows = [row for row, strip in enumerate(strips) if strip.shape[1] == width]
        scores = network.mean_scores(np.stack([strips[row] for row in rows]))
        found[rows] = probabilities(scores, network.weights.temperature)
    return found


def _choose_turn(seen: SeenPage) -> int:
    """Return by how many quarters to the left a page is to be turned, so that what stands in its cells is upright."""
    written = [(grid, cell) for grid in seen.grids for cell in grid.cells if cell.chances[_EMPTY] < _WRITTEN]
    if not written or np.mean([cell.chances[_TURN] for _grid, cell in written]) < _SUSPECT:
        return 0
    step = max(1, len(written) // _MOST_TURNED)
    cuts = [cut_cell(seen.grey, cell.place.corners, grid.grid.thick, CLOSE) for grid, cell in written[::step]]
    upright = []
    for quarters in range(4):
        chances = tell_cells([np.ascontiguousarray(np.rot90(cut, quarters)) for cut in cuts])
        upright.append(float(np.log(np.maximum(1 - chances[:, _TURN], _LEAST)).mean()))
    best = int(np.argmax(upright))
    return best if upright[best] > upright[0] + _TURNED else 0
