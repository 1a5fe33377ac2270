"""The second reader, section VII's SDNN: the network slides along a line, and its columns spell the number."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Float32, Float64, Int32
from lenet.graph import SILENT, Graph
from lenet.ink import Ink
from lenet.lines import Line
from lenet.pixels import to_wide_input
from lenet.spec import DIGIT_BOX, INPUT_SIZE

# Columns of scores stand four pixels apart: the step of two subsamplings.
STEP = 4
_BLANK = 10


@dataclass(frozen=True)
class Strip:
    """A line of ink, upright, its digits 20 pixels high in the middle of a field 32 high: `field` (1, 1, 32, W).

    A column c of the network's scores is around page column `left` + c * `step`.
    """

    field: Float32
    left: float
    step: float


def strip(ink: Ink, line: Line, boxes: Int32) -> Strip:
    """Cut a line (the boxes (n, 4) of its components) out of the ink as the network slides over it."""
    x0, y0 = boxes[:, :2].min(axis=0)
    x1, y1 = boxes[:, 2:].max(axis=0)
    scale = DIGIT_BOX / line.height
    lean = abs(line.slant) * (y1 - y0)
    wide = max(INPUT_SIZE, round((x1 - x0 + lean) * scale) + INPUT_SIZE)
    wide += -wide % STEP
    # Field pixel (u, v) shows the page at (x, y): upright, the line's middle in the middle of the field.
    v, u = np.mgrid[:INPUT_SIZE, :wide].astype(np.float32)
    along = (u + 0.5 - INPUT_SIZE / 2) / scale + x0 - lean / 2
    middle = line.middle + line.rise * along
    up = (v + 0.5 - INPUT_SIZE / 2) / scale
    x, y = along - line.slant * up, middle + up
    levels = cv2.GaussianBlur(ink.levels, (0, 0), 0.35 / scale) if scale < 1 else ink.levels
    seen = cv2.remap(levels, (x - 0.5).astype(np.float32), (y - 0.5).astype(np.float32), cv2.INTER_LINEAR)
    return Strip(to_wide_input(seen.astype(np.uint8)), float(x0 - lean / 2), STEP / scale)


def column_graph(logs: Float64) -> tuple[Graph, Int32]:
    """Return the graph of what columns (w, 11) spell, and the column behind each of its arcs.

    The transducer of section VII: a label that goes on from one column to the next is said once, and said again only
    after a column of nothing. Node (column, state): the state is the label of the column before, nothing at first.
    """
    states = _BLANK + 1
    sources, targets, labels, penalties, columns = [], [], [], [], []
    width = len(logs)
    for column in range(width):
        for before in range(states) if column else (_BLANK,):
            for label in range(states):
                source = 0 if column == 0 else 1 + (column - 1) * states + before
                sources.append(source)
                targets.append(1 + column * states + label)
                labels.append(SILENT if label in (_BLANK, before) else label)
                penalties.append(-float(logs[column, label]))
                columns.append(column)
    end = 1 + width * states
    for label in range(states):
        sources.append(1 + (width - 1) * states + label)
        targets.append(end)
        labels.append(SILENT)
        penalties.append(0.0)
        columns.append(width - 1)
    from_, to, said = (np.array(each, np.int32) for each in (sources, targets, labels))
    graph = Graph(end + 1, from_, to, said, np.array(penalties), np.arange(len(labels), dtype=np.int32))
    return graph, np.array(columns, np.int32)
