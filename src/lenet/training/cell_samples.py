"""Cells to tell apart: made pages cut into strips, each with what its cell holds, some turned on their side or head."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Int64, Uint8
from lenet.grids.crops import cut_cell, make_strips
from lenet.network.spec import CELL_LABELS
from lenet.training.synthetic.page_plan import CellKind
from lenet.training.synthetic.pages import MadeCell, PageMaker

# What a kind of cell of a made page is called by the network.
LABEL_OF: dict[CellKind, str] = {
    "empty": "empty",
    "hand": "number",
    "mark": "mark",
    "struck": "struck",
    "printed": "print",
    "overwritten": "overwritten",
}
# This share of the numbers and words is turned, if it has a sign that is another or none when it is.
_TURNED, _TOLD_TURNED = 0.3, set("23457")
# Corners are found off by this share of the lesser side; so much is left out along a cell's lines, and lines are so
# thick, in pixels.
_OFF, _INSETS, _THICK = 0.012, (0.0, 0.12), (1.0, 7.0)


@dataclass(frozen=True)
class CellSamples:
    """Strips (32, W) of cells, and their labels (n,), as places in `CELL_LABELS`."""

    strips: list[Uint8]
    labels: Int64


def cut_samples(maker: PageMaker, seed: int) -> CellSamples:
    """Make a page and cut all of its cells, and the boxes of its strips."""
    rng = np.random.default_rng([seed, 0xCE11])
    page = maker.make(rng)
    grey = cv2.cvtColor(page.picture, cv2.COLOR_BGR2GRAY).astype(np.uint8)
    cuts, labels = [], []
    for cell in page.cells:
        for corners, text in _list_parts(cell):
            side = float(np.sqrt(abs(cv2.contourArea(corners.astype(np.float32)))))
            placed = corners + rng.normal(0, _OFF, (4, 2)) * side
            cut = cut_cell(grey, placed, float(rng.uniform(*_THICK)), float(rng.uniform(*_INSETS)))
            label = LABEL_OF[cell.kind]
            told = any(sign in _TOLD_TURNED or sign.isalpha() for sign in text)
            if label in ("number", "print") and told and rng.random() < _TURNED:
                cut, label = np.ascontiguousarray(np.rot90(cut, int(rng.integers(1, 4)))), "turned"
            cuts.append(cut)
            labels.append(CELL_LABELS.index(label))
    return CellSamples(make_strips(cuts), np.array(labels, np.int64))


def _list_parts(cell: MadeCell) -> list[tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], str]]:
    """Return the corners of a cell and what stands there; of a strip, box by box."""
    if cell.boxes == 1:
        return [(cell.corners, cell.text)]
    upper_left, upper_right, lower_right, lower_left = cell.corners
    found = []
    for box in range(cell.boxes):
        first, past = box / cell.boxes, (box + 1) / cell.boxes
        ends = [upper_left + (upper_right - upper_left) * share for share in (first, past)]
        feet = [lower_left + (lower_right - lower_left) * share for share in (past, first)]
        found.append((np.array([*ends, *feet]), cell.text[box : box + 1]))
    return found
