"""What lenet sees in a picture: image, ink, segment and glyph, one after the other. Reading and training share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Int32, Uint8
from lenet.network.inputs import from_input
from lenet.network.spec import INPUT_SIZE
from lenet.preprocessing.binarize import Ink
from lenet.preprocessing.decode import Source
from lenet.preprocessing.pipeline import find_writing, open_paper
from lenet.result import Abstained
from lenet.segmentation.components import find_components
from lenet.segmentation.glyphs import make_glyphs
from lenet.segmentation.lattice import Lattice, number, one_digit
from lenet.segmentation.strip import STEP, Strip, strip
from lenet.segmentation.text_lines import find_lines

# Reading many pictures runs one process per core; threads inside them would only get in each other's way.
cv2.setNumThreads(1)
# Writing whose edges are wider than this, in pixels and as a share of its height, is read by nobody.
_SOFT, _SOFT_SHARE = 3.0, 0.2


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
