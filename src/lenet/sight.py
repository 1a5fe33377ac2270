"""What lenet sees in a picture: image, ink, segment and glyph, one after the other. Reading and training share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Uint8
from lenet.glyph import make_glyphs
from lenet.image import Source, open_page
from lenet.ink import Ink, find_ink
from lenet.rules import without_rules
from lenet.segment import Lattice, number, one_digit

# Reading many pictures runs one process per core; threads inside them would only get in each other's way.
cv2.setNumThreads(1)


@dataclass(frozen=True)
class Sight:
    """A picture's candidates and their glyphs (m, 28, 28); `scale` maps page pixels to the picture's own."""

    lattice: Lattice
    glyphs: Uint8
    size: tuple[int, int]
    scale: float
    notes: tuple[str, ...]

    def box(self, arc: int) -> tuple[int, int, int, int]:
        """Return an arc's box x0, y0, x1, y1 in the picture's own pixels, right and bottom exclusive."""
        x0, y0, x1, y1 = (self.lattice.boxes[arc] * self.scale).tolist()
        width, height = self.size
        return int(x0), int(y0), min(width, round(x1)), min(height, round(y1))


def see_digit(source: Source) -> Sight:
    """Take all the ink of a picture for one digit. Raises PictureError when it cannot be decoded."""
    return _see(source, one_digit)


def see_number(source: Source) -> Sight:
    """Find all that may be a digit in a picture of lines of digits. Raises PictureError when it cannot be decoded."""
    return _see(source, number)


def _see(source: Source, propose: Callable[[Ink], Lattice]) -> Sight:
    page = open_page(source)
    ink = without_rules(find_ink(page))
    lattice = propose(ink)
    glyphs, changes = make_glyphs(ink, lattice)
    notes = (*page.notes, *ink.notes, *lattice.notes, *changes)
    return Sight(lattice, np.ascontiguousarray(glyphs), page.size, page.scale, notes)
