"""Cells to tell apart: made pages cut into strips, each with what its cell holds, some turned on their side or head."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lenet.arrays import Int64, Uint8
from lenet.grids.cells import GridCell
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
    grey = page.grey
    cuts, labels = [], []
    for cell in page.cells:
        for part in _list_parts(cell):
            text = part.text
            cut = cut_cell(
                grey, part.shift_corners(_OFF, rng), float(rng.uniform(*_THICK)), float(rng.uniform(*_INSETS))
            )
            label = LABEL_OF[cell.kind]
            told = any(sign in _TOLD_TURNED or sign.isalpha() for sign in text)
            if label in ("number", "print") and told and rng.random() < _TURNED:
                cut, label = np.ascontiguousarray(np.rot90(cut, int(rng.integers(1, 4)))), "turned"
            cuts.append(cut)
            labels.append(CELL_LABELS.index(label))
    return CellSamples(make_strips(cuts), np.array(labels, np.int64))


def _list_parts(cell: MadeCell) -> list[MadeCell]:
    """Return a cell itself; of a strip its boxes, each a cell with its own digit."""
    if cell.boxes == 1:
        return [cell]
    lines = tuple(np.linspace(0, 1, cell.boxes + 1).tolist())
    boxes = GridCell(cell.row, cell.column, 1, 1, cell.corners, 1.0, lines).list_boxes()
    return [
        replace(cell, corners=box.corners, text=cell.text[place : place + 1], boxes=1)
        for place, box in enumerate(boxes)
    ]
