"""Cut a cell out of a page: seen from straight above, without the lines around it."""

from __future__ import annotations

import cv2
import numpy as np

from lenet.arrays import Float64, Uint8, percentile
from lenet.network.inputs import LINE_HEIGHT, measure_contrast, standardise_line

# So much of a cell is left out along its lines, as a share of its lesser side, beside half the lines' own thickness.
CLOSE, TIGHT = 0.03, 0.09
# A cell is cut out at most so large, in pixels of the page, and with so many at least.
_LARGEST, _LEAST = 2400, 12
# Ink of a cell differs from the paper by so many levels at least, and by this share of what it does in so many percent
# of the page's cells.
_LEAST_CONTRAST, _FAINT, _MOST = 20.0, 0.3, 80.0
# A cell's strip is at most so many times as wide as high, and at least so wide, in pixels.
_WIDEST, _NARROWEST = 10, 32


def cut_cell(picture: Uint8, corners: Float64, thick: float, inset: float) -> Uint8:
    """Return the inside of a cell, (h, w) or (h, w, 3), of a page's picture (H, W[, 3]).

    `corners` (4, 2) are the cell's on the page, clockwise from upper left; half of the lines, so `thick` in pixels, and
    `inset` of the lesser side are left out along each.
    """
    upper, lower = corners[1] - corners[0], corners[2] - corners[3]
    left, right = corners[3] - corners[0], corners[2] - corners[1]
    width = float(np.hypot(*upper) + np.hypot(*lower)) / 2
    height = float(np.hypot(*left) + np.hypot(*right)) / 2
    size = [int(np.clip(round(side), _LEAST, _LARGEST)) for side in (width, height)]
    margin = thick / 2 + inset * min(width, height)
    margin = min(margin, 0.3 * min(width, height))
    x, y = margin * size[0] / width, margin * size[1] / height
    inner = np.array([[x, y], [size[0] - x, y], [size[0] - x, size[1] - y], [x, size[1] - y]], np.float32)
    # Corners are where lines' middles cross; pixel centres map to pixel centres.
    square = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    whole = cv2.getPerspectiveTransform(square, corners.astype(np.float32))
    at = cv2.perspectiveTransform(inner[None], whole)[0]
    out = max(8, round(size[0] - 2 * x)), max(8, round(size[1] - 2 * y))
    ends = np.array(
        [[-0.5, -0.5], [out[0] - 0.5, -0.5], [out[0] - 0.5, out[1] - 0.5], [-0.5, out[1] - 0.5]], np.float32
    )
    matrix = cv2.getPerspectiveTransform(at.astype(np.float32), ends)
    cut = cv2.warpPerspective(picture, matrix, out, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cut.astype(np.uint8)


def make_strips(cells: list[Uint8]) -> list[Uint8]:
    """Return the insides of a page's cells (h, w) uint8, dark ink on light paper, as strips (32, W) for a line network.

    What is much fainter than most of the page's ink is not made as dark as ink.
    """
    contrasts = [measure_contrast(cell) for cell in cells]
    least = max(_LEAST_CONTRAST, _FAINT * percentile(np.array(contrasts), _MOST)) if contrasts else _LEAST_CONTRAST
    return [_make_strip(cell, least) for cell in cells]


def _make_strip(cell: Uint8, least: float) -> Uint8:
    height, width = cell.shape
    wide = min(max(round(width * LINE_HEIGHT / height), 8), _WIDEST * LINE_HEIGHT)
    how = cv2.INTER_AREA if height > LINE_HEIGHT else cv2.INTER_LINEAR
    grey = cv2.resize(cell, (wide, LINE_HEIGHT), interpolation=how)
    strip = standardise_line(255 - grey.astype(np.float32), least)
    wanted = max(_NARROWEST, wide + -wide % 4)
    before = (wanted - wide) // 2
    return np.pad(strip, ((0, 0), (before, wanted - wide - before)), mode="edge")
