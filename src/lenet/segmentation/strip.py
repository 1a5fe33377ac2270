"""A line of writing as a strip that a network slides along (section VII of the paper)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Float32, Int32
from lenet.network.inputs import to_wide_input
from lenet.network.spec import DIGIT_BOX, INPUT_SIZE
from lenet.preprocessing.binarize import Ink
from lenet.segmentation.text_lines import TextLine, note_left_out
from lenet.steps import Step

# Columns of scores stand four pixels apart: the step of two subsamplings.
STEP = 4
# A strip has at most so many columns, four hundred times the height of a digit.
_WIDEST = 8_192


@dataclass(frozen=True)
class Strip:
    """A line of ink, upright, its digits 20 pixels high in the middle of a field 32 high: `field` (1, 1, 32, W).

    A column c of the network's scores is around page column `left` + c * `step`.
    """

    field: Float32
    left: float
    step: float


def cut_strip(ink: Ink, line: TextLine, boxes: Int32, steps: list[Step]) -> Strip:
    """Cut a line (the boxes (n, 4) of its components) out of the ink as the network slides over it.

    Of a line that is too long its beginning is taken, and a step says so.
    """
    x0, y0 = boxes[:, :2].min(axis=0)
    x1, y1 = boxes[:, 2:].max(axis=0)
    scale = DIGIT_BOX / line.height
    lean = abs(line.slant) * (y1 - y0)
    width = max(INPUT_SIZE, round((x1 - x0 + lean) * scale) + INPUT_SIZE)
    width += -width % STEP
    note_left_out(width - _WIDEST, width, steps)
    width = min(width, _WIDEST)
    # Field pixel (u, v) shows the page at (x, y): upright, the line's middle in the middle of the field.
    v, u = np.mgrid[:INPUT_SIZE, :width].astype(np.float32)
    along = (u + 0.5 - INPUT_SIZE / 2) / scale + x0 - lean / 2
    middle = line.middle + line.rise * along
    up = (v + 0.5 - INPUT_SIZE / 2) / scale
    x, y = along - line.slant * up, middle + up
    levels = cv2.GaussianBlur(ink.levels, (0, 0), 0.35 / scale) if scale < 1 else ink.levels
    x, y = (x - 0.5).astype(np.float32), (y - 0.5).astype(np.float32)
    seen = cv2.remap(levels, x, y, cv2.INTER_LINEAR)
    return Strip(to_wide_input(seen.astype(np.uint8)), float(x0 - lean / 2), STEP / scale)
