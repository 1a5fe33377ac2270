"""What lenet sees in a picture: image, ink, segment and glyph, one after the other. Reading and training share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from lenet.arrays import Int32, Uint8
from lenet.components import find_components
from lenet.glyph import make_glyphs
from lenet.image import Page, Source, open_page
from lenet.ink import Ink, cropped, find_ink, reduced, runs_across
from lenet.lines import find_lines
from lenet.pens import penned
from lenet.pixels import from_input
from lenet.result import Abstained
from lenet.rules import without_rules
from lenet.segment import Lattice, number, one_digit
from lenet.shadow import evenly_lit
from lenet.sheet import sheet
from lenet.spec import INPUT_SIZE
from lenet.sweep import STEP, Strip, strip
from lenet.tint import by_colour

# Reading many pictures runs one process per core; threads inside them would only get in each other's way.
cv2.setNumThreads(1)
# Numbers are looked for in writing of one to two times this height, in pixels, if it was higher.
_HIGH_ENOUGH = 44
# Writing whose edges are wider than this, in pixels and as a share of its height, is read by nobody.
_SOFT, _SOFT_SHARE = 3.0, 0.2
# A page of at least so many pixels is first looked at with so many of them, across and down, in one.
_LARGE, _GLANCE = 250_000, 4
# How many rows or columns of a page tell how high its writing is.
_COARSE = 200
# The lines of squared paper are at least so long, as a share of the page.
_LINE = 0.25


@dataclass(frozen=True)
class Sight:
    """A picture's candidates and their glyphs (m, 28, 28).

    A lattice's pixel stands for `scale` of the picture's own, from `origin` (x, y) on. `unreadable` says why there is
    nothing to score, if so; of a `doubtful` page light and dark might be exchanged.
    """

    lattice: Lattice
    glyphs: Uint8
    size: tuple[int, int]
    scale: float
    origin: tuple[float, float]
    unreadable: Abstained
    doubtful: bool
    notes: tuple[str, ...]

    def shown(self, page: Int32) -> Int32:
        """Return what a map of the picture's own pixels (H, W) has at the lattice's pixels."""
        height, width = self.lattice.pieces.shape
        rows = ((np.arange(height) + 0.5) * self.scale + self.origin[1]).astype(int)
        columns = ((np.arange(width) + 0.5) * self.scale + self.origin[0]).astype(int)
        return page[np.clip(rows, 0, len(page) - 1)][:, np.clip(columns, 0, page.shape[1] - 1)]

    def cuts(self) -> tuple[tuple[float, float], ...]:
        """Return the picture's own pixels (x, y) where ink was cut apart: pieces meet there without paper between."""
        left, right = self.lattice.pieces[:, :-1], self.lattice.pieces[:, 1:]
        y, x = np.nonzero((left > 0) & (right > 0) & (left != right))
        places = np.stack([x + 1, y], axis=1) * self.scale + np.array(self.origin)
        return tuple((float(across), float(down)) for across, down in places)

    def box(self, arc: int) -> tuple[int, int, int, int]:
        """Return an arc's box x0, y0, x1, y1 in the picture's own pixels, right and bottom exclusive."""
        x0, y0, x1, y1 = (self.lattice.boxes[arc] * self.scale + np.tile(self.origin, 2)).tolist()
        width, height = self.size
        return int(x0), int(y0), min(width, round(x1)), min(height, round(y1))


def see_digit(source: Source, *, turned: bool = False) -> Sight:
    """Take all the ink of a picture for one digit, `turned` as in `find_ink`. Raises PictureError if it is none."""
    return _see(source, one_digit, tall=True, turned=turned)


def see_number(source: Source, *, turned: bool = False) -> Sight:
    """Find all that may be a digit in a picture of lines of digits; `turned` and PictureError as in `see_digit`."""
    return _see(source, number, tall=False, turned=turned)


@dataclass(frozen=True)
class SweptLines:
    """A picture's lines of writing as strips that a network can slide along; see `Sight` for scale and origin."""

    strips: tuple[Strip, ...]
    middles: tuple[tuple[float, float, float], ...]
    size: tuple[int, int]
    scale: float
    origin: tuple[float, float]
    notes: tuple[str, ...]

    def place(self, line: int, column: int) -> tuple[tuple[int, int, int, int], Uint8]:
        """Return the box, in the picture's own pixels, around a column of a line, and the glyph seen there."""
        strip = self.strips[line]
        height, middle, rise = self.middles[line]
        x = strip.left + column * strip.step
        y = middle + rise * x
        half = height / 2
        sides = np.array([x - half / 2, y - half, x + half / 2, y + half]) * self.scale + np.tile(self.origin, 2)
        x0, y0, x1, y1 = np.clip(np.rint(sides), 0, np.tile(self.size, 2)).astype(int).tolist()
        inside = slice(STEP * column, STEP * column + INPUT_SIZE)
        return (x0, y0, x1, y1), from_input(np.ascontiguousarray(strip.field[:, :, :, inside]))[0]


def see_lines(source: Source) -> SweptLines:
    """Find a picture's lines of writing. Raises PictureError when it cannot be decoded."""
    page = open_paper(source)
    ink, scale, origin = find_writing(page)
    notes = [*page.notes, *ink.notes]
    components = find_components(ink, notes)
    lines = find_lines(components, notes)
    strips = tuple(strip(ink, line, components.boxes[line.labels]) for line in lines)
    middles = tuple((line.height, line.middle, line.rise) for line in lines)
    return SweptLines(strips, middles, page.size, scale, origin, tuple(notes))


def _see(source: Source, propose: Callable[[Ink], Lattice], *, tall: bool, turned: bool) -> Sight:
    page = open_paper(source)
    ink, scale, origin = find_writing(page, tall=tall, turned=turned)
    lattice = propose(ink)
    glyphs, changes = make_glyphs(ink, lattice)
    notes = (*page.notes, *ink.notes, *lattice.notes, *changes)
    # Without a candidate, what blur made of the writing was taken for stains.
    high = int((lattice.boxes[:, 3] - lattice.boxes[:, 1]).max(initial=0)) or 3 * _SOFT / _SOFT_SHARE
    why: Abstained = "too blurred" if ink.edge > max(_SOFT, _SOFT_SHARE * high) else lattice.why
    return Sight(lattice, np.ascontiguousarray(glyphs), page.size, scale, origin, why, ink.doubtful, notes)


def open_paper(source: Source) -> Page:
    """Decode a picture to the page of what was written on paper, without table, hard shadow and print."""
    return penned(evenly_lit(sheet(by_colour(open_page(source)))))


def find_writing(page: Page, *, tall: bool = False, turned: bool = False) -> tuple[Ink, float, tuple[float, float]]:
    """Find a page's ink without ruled lines, cut to the part that has any; large writing is reduced, unless `tall`.

    Returns it with how many of the picture's own pixels one of its pixels stands for, and where its left and top are,
    in the picture's own pixels.
    """
    if not tall:
        page = _smaller(page)
    ink, (left, top) = cropped(find_ink(page, turned=turned))
    ink = without_rules(ink)
    factor = 1 if tall else _shrinking(ink)
    return reduced(ink, factor), page.scale * factor, (left * page.scale, top * page.scale)


def _smaller(page: Page) -> Page:
    """Average a large page down if a glance at it says that its writing is large."""
    high, wide = (side // _GLANCE for side in page.grey.shape)
    if page.grey.size < _LARGE or not high or not wide:
        return page
    glance = cv2.resize(page.grey[: high * _GLANCE, : wide * _GLANCE], (wide, high), interpolation=cv2.INTER_AREA)
    ink = find_ink(replace(page, grey=glance.astype(np.uint8)))
    factor = min(_shrinking(ink, _GLANCE), _GLANCE)
    if factor == 1:
        return page
    size = (page.grey.shape[1] // factor, page.grey.shape[0] // factor)
    grey = cv2.resize(page.grey[: size[1] * factor, : size[0] * factor], size, interpolation=cv2.INTER_AREA)
    return replace(page, grey=grey.astype(np.uint8), colours=None, scale=page.scale * factor)


def _without_squares(strokes: Uint8) -> Uint8:
    """Return (h, w) strokes without the lines of squared paper, on which all that is written is one piece of ink."""
    across = runs_across(strokes, 1 + round(_LINE * strokes.shape[1]))
    if not across.any():
        return strokes
    down = runs_across(np.ascontiguousarray(strokes.T), 1 + round(_LINE * strokes.shape[0])).T
    return strokes & ~(across | down) if down.any() else strokes


def _shrinking(ink: Ink, pixel: int = 1) -> int:
    """Return the whole factor by which to divide writing so that its digits are not much higher than they need be.

    A pixel of the ink stands for `pixel` pixels of the page that is to be divided.
    """
    step = max(1, min(ink.strokes.shape) // _COARSE)
    few = np.ascontiguousarray(ink.strokes[::step, ::step]).astype(np.uint8)
    few = _without_squares(few)
    _count, _labels, stats, _ = cv2.connectedComponentsWithStats(few, connectivity=8)
    heights = stats[1:, cv2.CC_STAT_HEIGHT] * step * pixel
    if not len(heights):
        return 1
    inside = cv2.erode(ink.strokes.astype(np.uint8), np.ones((3, 3), np.uint8))
    pen = 2 * float(ink.strokes.sum()) / max(1.0, float(ink.strokes.sum()) - float(inside.sum()))
    high = int(np.median(heights[heights >= heights.max() / 2]))
    return max(1, min(high // _HIGH_ENOUGH, int(pixel * pen - pixel + 1)))  # a thin pen would vanish
