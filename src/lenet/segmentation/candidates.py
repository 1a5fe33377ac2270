"""Segmentation as a whole: from the ink of a page to all that may be a digit. Reading and training share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from lenet.arrays import Int32, Int64, Uint8
from lenet.network.inputs import from_input
from lenet.network.spec import GLYPH_SIZE, INPUT_SIZE
from lenet.preprocessing.binarize import Ink
from lenet.preprocessing.pipeline import PageInk, find_writing, prepare_page
from lenet.preprocessing.sources import PictureSource
from lenet.result import Abstained
from lenet.segmentation.components import find_components
from lenet.segmentation.glyphs import make_glyphs
from lenet.segmentation.lattice import Lattice, propose_numbers, take_one_digit
from lenet.segmentation.parameters import BLUR
from lenet.segmentation.strip import STEP, Strip, cut_strip
from lenet.segmentation.text_lines import find_text_lines, measure_share_read
from lenet.steps import Step

# Reading many pictures runs one process per core; threads inside them would only get in each other's way.
cv2.setNumThreads(1)


@dataclass(frozen=True)
class PageCandidates:
    """A picture's candidates and their glyphs (m, 28, 28).

    A glyph that nobody asked for yet is blank. A lattice's pixel stands for `scale` of the picture's own, from `origin`
    (x, y) on. `unreadable` says why there is nothing to score, if so; of a page of `ambiguous_polarity` light and dark
    might be exchanged.
    """

    lattice: Lattice
    glyphs: Uint8
    size: tuple[int, int]
    scale: float
    origin: tuple[float, float]
    unreadable: Abstained
    ambiguous_polarity: bool
    steps: tuple[Step, ...]

    @property
    def share_read(self) -> float:
        """The share of the page's ink that is looked at: 1 but for the largest pages."""
        return measure_share_read(self.steps)

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
        x0, y0, x1, y1 = self.boxes(np.array([arc]))[0].tolist()
        return x0, y0, x1, y1

    def boxes(self, arcs: Int64) -> Int64:
        """Return the boxes (n, 4) of arcs (n,), as `box` does."""
        sides = self.lattice.boxes[arcs] * self.scale + np.array([*self.origin, *self.origin])
        return np.concatenate(
            [sides[:, :2].astype(np.int64), np.minimum(np.rint(sides[:, 2:]), self.size).astype(np.int64)], 1
        )


def find_digit(source: PictureSource) -> PageCandidates:
    """Take all the ink of a picture for one digit. Raises PictureError when it cannot be decoded."""
    return segment_digit(find_writing(prepare_page(source), tall=True))


def find_candidates(source: PictureSource) -> PageCandidates:
    """Find all that may be a digit in a picture of lines of digits. Raises PictureError when it cannot be decoded."""
    return segment_numbers(find_writing(prepare_page(source)))


def segment_digit(writing: PageInk) -> PageCandidates:
    """Take all ink for one digit."""
    return _segment(writing, take_one_digit)


def segment_numbers(writing: PageInk) -> PageCandidates:
    """Find all that may be a digit in lines of writing."""
    return _segment(writing, propose_numbers)


def outline_numbers(writing: PageInk) -> PageCandidates:
    """Find all that may be a digit in lines of writing, without their glyphs."""
    return _describe(writing, propose_numbers(writing.ink))


@dataclass(frozen=True)
class LineStrips:
    """A picture's lines of writing as strips to slide along; `scale` and `origin` are those of `PageCandidates`."""

    strips: tuple[Strip, ...]
    middles: tuple[tuple[float, float, float], ...]
    size: tuple[int, int]
    scale: float
    origin: tuple[float, float]
    steps: tuple[Step, ...]

    @property
    def share_read(self) -> float:
        """The share of the page's ink that is looked at: 1 but for the largest pages."""
        return measure_share_read(self.steps)

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


def segment_strips(writing: PageInk) -> LineStrips:
    """Find the lines of writing as strips that a network slides along."""
    steps = list(writing.steps)
    components = find_components(writing.ink, steps)
    lines = find_text_lines(components, steps)
    strips = tuple(cut_strip(writing.ink, line, components.boxes[line.labels], steps) for line in lines)
    middles = tuple((line.height, line.middle, line.rise) for line in lines)
    return LineStrips(strips, middles, writing.size, writing.scale, writing.origin, tuple(steps))


def _segment(writing: PageInk, propose: Callable[[Ink], Lattice]) -> PageCandidates:
    found = _describe(writing, propose(writing.ink))
    glyphs, changes = make_glyphs(writing.ink, found.lattice)
    return replace(found, glyphs=glyphs, steps=(*found.steps, *changes))


def _describe(writing: PageInk, lattice: Lattice) -> PageCandidates:
    ink = writing.ink
    # Without a candidate, what blur made of the writing was taken for stains.
    height = int((lattice.boxes[:, 3] - lattice.boxes[:, 1]).max(initial=0)) or 3 * BLUR.soft / BLUR.soft_share
    why: Abstained = "too blurred" if ink.edge > max(BLUR.soft, BLUR.soft_share * height) else lattice.why
    return PageCandidates(
        lattice,
        np.zeros((len(lattice.arcs), GLYPH_SIZE, GLYPH_SIZE), np.uint8),
        writing.size,
        writing.scale,
        writing.origin,
        why,
        ink.ambiguous_polarity,
        (*writing.steps, *lattice.steps),
    )
