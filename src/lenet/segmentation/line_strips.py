"""A line of writing as strips to read as a whole: the picture's own greys, brought to a height, one strip a view."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from lenet.arrays import Float64, Uint8
from lenet.network.inputs import LINE_HEIGHT, PAPER_GREY, PEN_GREY, standardise_line
from lenet.network.spec import GLYPH_SIZE
from lenet.preprocessing.decode import Page
from lenet.preprocessing.morphology import EDGE
from lenet.preprocessing.parameters import RULE
from lenet.preprocessing.pipeline import PageInk
from lenet.segmentation.lattice import Lattice
from lenet.segmentation.parameters import STRIP, TEXT_LINE

# The views of a line: how much of a strip's height its writing takes.
VIEWS = (STRIP.near, STRIP.far)
# A line that is longer than so many columns of pixels, a hundred times a strip's height, has no strips.
_WIDEST = 3_200
# A strip's width is a multiple of the pixels that a place of the network's output stands for.
_STEP = 4


@dataclass(frozen=True)
class LineStrip:
    """A line seen one way: `strip` (32, W) uint8, its row 0 and column 0 at `left` and `top` of the page's pixels.

    A pixel of the strip stands for `scale` of the page's; the line rises by `rise` rows a column.
    """

    strip: Uint8
    left: float
    top: float
    scale: float
    rise: float

    def cut_glyph(self, middle: float) -> Uint8:
        """Return what is seen about a column of pixels as a glyph (28, 28), 0 for paper and 255 for pen."""
        first = max(0, min(round(middle - GLYPH_SIZE / 2), self.strip.shape[1] - GLYPH_SIZE))
        seen = cv2.resize(self.strip[:, first : first + GLYPH_SIZE], (GLYPH_SIZE, GLYPH_SIZE)).astype(np.float32)
        return np.clip(np.rint((seen - PAPER_GREY) * (255 / (PEN_GREY - PAPER_GREY))), 0, 255).astype(np.uint8)


def find_line_box(lattice: Lattice, line: int) -> tuple[Float64, float]:
    """Return the box x0, y0, x1, y1 of a line's ink, in pixels of the ink, and by how much the line rises a column.

    The box is that of the line made level about the column 0.
    """
    first, past = lattice.lines[line]
    own = (lattice.arcs[:, 0] >= first) & (lattice.arcs[:, 1] <= past) & (np.diff(lattice.arcs, axis=1)[:, 0] == 1)
    boxes = lattice.boxes[own].astype(np.float64)
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    rise, height = 0.0, float((boxes[:, 3] - boxes[:, 1]).max())
    if len(boxes) > 2:  # noqa: PLR2004
        centred = x - x.mean()
        rise = float((centred * (y - y.mean())).sum() / ((centred**2).sum() + TEXT_LINE.ridge * height**2))
    top, foot = (boxes[:, 1] - rise * x).min(), (boxes[:, 3] - rise * x).max()
    return np.array([boxes[:, 0].min(), top, boxes[:, 2].max(), foot]), rise


def find_dividers(writing: PageInk, lattice: Lattice, line: int) -> Float64:
    """Return at which columns (n,), in pixels of the ink, a ruled line crosses a line of writing from top to foot.

    Where writing crosses it so much was taken for ink that half of that is enough, if it goes on above and below.
    """
    if not writing.ruled.any():
        return np.zeros(0)
    (x0, top, x1, foot), rise = find_line_box(lattice, line)
    lift, high = rise * (x0 + x1) / 2, foot - top
    own = _measure_crossed(writing, (x0, top + lift, x1, foot + lift))
    further = _measure_crossed(writing, (x0, top + lift - high, x1, foot + lift + high))
    through = (own >= RULE.least_share) | ((own >= RULE.least_share / 2) & (further >= RULE.least_share))
    crossed = np.concatenate([[False], through, [False]])
    starts, ends = np.flatnonzero(crossed[1:] & ~crossed[:-1]), np.flatnonzero(crossed[:-1] & ~crossed[1:])
    return max(0, round(x0)) + (starts + ends) / 2


def _measure_crossed(writing: PageInk, box: tuple[float, float, float, float]) -> Float64:
    """Return the share of a box's rows, at each of its columns (n,), in which a ruled line that may lean stood."""
    x0, top, x1, foot = box
    band = writing.ruled[max(0, round(top)) : max(0, round(foot)), max(0, round(x0)) : round(x1) + 1]
    if not band.size:
        return np.zeros(band.shape[1])
    wide = cv2.dilate(band.astype(np.uint8), np.ones((1, 1 + 2 * round(RULE.steepest * len(band))), np.uint8))
    return np.asarray(wide.mean(axis=0), np.float64)


def is_pen_bright(page: Page, writing: PageInk) -> bool:
    """Return whether the pen is brighter than the paper around it."""
    strokes = writing.ink.strokes
    near = cv2.dilate(strokes.astype(np.uint8), np.ones((2 * EDGE + 1,) * 2, np.uint8)).astype(bool) & ~strokes
    if not strokes.any() or not near.any():
        return False
    scale, (left, top) = writing.scale / page.scale, (side / page.scale for side in writing.origin)
    matrix = np.array([[scale, 0, left + scale / 2 - 0.5], [0, scale, top + scale / 2 - 0.5]])
    size = (strokes.shape[1], strokes.shape[0])
    grey = cv2.warpAffine(page.grey, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return float(grey[strokes].mean()) > float(grey[near].mean())


class StripCutter:
    """Cuts the lines of a page out as strips, bright for pen."""

    def __init__(self, page: Page, writing: PageInk, lattice: Lattice) -> None:
        self._scale = writing.scale / page.scale
        self._corner = tuple(side / page.scale for side in writing.origin)
        self._lattice = lattice
        self._greys = _Greys(page.grey, is_pen_bright(page, writing))

    def cut(self, line: int, views: tuple[float, ...] = VIEWS) -> list[LineStrip]:
        """Return a line as strips, a view each; none of a line that is too long."""
        box, rise = find_line_box(self._lattice, line)
        left, top = self._corner
        x0, y0, x1, y1 = box * self._scale + (left, top - rise * left, left, top - rise * left)
        if (x1 - x0) / max(1.0, y1 - y0) > _WIDEST / LINE_HEIGHT - 1:
            return []
        return [_cut(self._greys, (x0, y0, x1, y1), rise, share) for share in views]


@dataclass(frozen=True)
class _Greys:
    """A page's greys (H, W), whether the pen is `bright` in them, and what was made of them by averaging, once each."""

    whole: Uint8
    bright: bool
    coarse: dict[int, Uint8] = field(default_factory=dict)

    def average(self, times: int) -> Uint8:
        """Return the greys with about so many pixels, across and down, in one."""
        if times not in self.coarse:
            size = (max(1, self.whole.shape[1] // times), max(1, self.whole.shape[0] // times))
            self.coarse[times] = cv2.resize(self.whole, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        return self.coarse[times]


def _cut(greys: _Greys, box: tuple[float, float, float, float], rise: float, share: float) -> LineStrip:
    """Cut the strip of a box out of greys: what is beyond their edge is as the edge is."""
    grey = greys.whole
    x0, y0, x1, y1 = box
    height = max(1.0, y1 - y0)
    scale = height / (share * LINE_HEIGHT)
    left = max(0.0, x0 - STRIP.beside * height) - 0.5 * scale
    right = min(float(grey.shape[1]), x1 + STRIP.beside * height) + 0.5 * scale
    width = max(LINE_HEIGHT, round((right - left) / scale))
    width += -width % _STEP
    top = (y0 + y1) / 2 - scale * LINE_HEIGHT / 2
    # A fine picture is made coarser by whole pixels first, so that none of them is passed over.
    fewer = max(1, int(scale))
    seen = greys.average(fewer) if fewer > 1 else grey
    across, down = grey.shape[1] / seen.shape[1], grey.shape[0] / seen.shape[0]
    # Pixel (u, v) of the strip shows the page at x = left + (u + 1/2) scale, y = top + (v + 1/2) scale + rise x.
    first = left + scale / 2
    matrix = np.array(
        [
            [scale / across, 0, first / across - 0.5],
            [rise * scale / down, scale / down, (top + scale / 2 + rise * first) / down - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    strip = cv2.warpAffine(seen, matrix, (width, LINE_HEIGHT), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return LineStrip(
        standardise_line((strip if greys.bright else 255 - strip).astype(np.uint8)), left, top, scale, rise
    )
