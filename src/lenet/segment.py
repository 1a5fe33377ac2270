"""Propose what might be a digit: pieces of ink, and arcs, which are runs of neighbouring pieces. Never scores."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Bools, Int32
from lenet.ink import Ink

# A piece with less than this share of the largest piece's dark pixels is a speck ...
_SPECK = 0.03
# ... unless it lies within this share of the digit's height from it; then this smaller share is enough.
_NEAR, _NEAR_SPECK = 0.15, 0.008
# Nobody can read fewer dark pixels than this, or a digit that is smaller than this at its longer side.
_FEWEST_PIXELS, _LEAST_SIDE = 4, 5
# Ink levels above this are dark.
_DARK = 127
# A piece that touches an edge of the page and runs along this share of it is the paper's edge or a frame.
_FRAME = 0.9


@dataclass(frozen=True)
class Lattice:
    """Candidates on one page: `pieces` (H, W) int32 numbers the pieces of ink from 1, 0 elsewhere.

    Each arc (m, 2) is a run of pieces, first and one past the last; `boxes` (m, 4) are x0, y0, x1, y1 in page
    pixels, right and bottom exclusive. One digit is a lattice of one piece and one arc; a blank page has none.
    """

    pieces: Int32
    arcs: Int32
    boxes: Int32
    notes: tuple[str, ...]


def one_digit(ink: Ink) -> Lattice:
    """Take the whole page for one digit: its ink without specks and frames is one piece, with one arc."""
    count, labels, stats, _centroids = cv2.connectedComponentsWithStats(ink.strokes.astype(np.uint8), connectivity=8)
    chosen = np.zeros(count, bool)
    notes: list[str] = []
    if count > 1:
        # A piece counts by its dark pixels: where noise was blurred away, dust looks larger than it is.
        stats[:, cv2.CC_STAT_AREA] = np.bincount(labels[ink.levels > _DARK], minlength=count)
        chosen = _without_frames(stats.astype(np.int32), ink.strokes.shape, notes)
        chosen = _without_specks(stats.astype(np.int32), chosen, notes)
    pieces = chosen[labels].astype(np.int32)
    rows, columns = np.flatnonzero(pieces.any(axis=1)), np.flatnonzero(pieces.any(axis=0))
    if not len(rows) or max(np.ptp(rows), np.ptp(columns)) + 1 < _LEAST_SIDE:
        pieces[:] = 0
        return Lattice(pieces, np.zeros((0, 2), np.int32), np.zeros((0, 4), np.int32), tuple(notes))
    box = [[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]]
    return Lattice(pieces, np.array([[1, 2]], np.int32), np.array(box, np.int32), tuple(notes))


def _without_frames(stats: Int32, shape: tuple[int, ...], notes: list[str]) -> Bools:
    """Return which components are no frame, as long as something else that is no speck remains."""
    x, y, width, height, area = stats.T
    touches = (x == 0) | (y == 0) | (x + width == shape[1]) | (y + height == shape[0])
    along = (width >= _FRAME * shape[1]) | (height >= _FRAME * shape[0])
    frame = touches & along
    frame[0] = True  # component 0 is the paper
    inside = ~frame
    if not inside.any() or area[inside].max() < max(_FEWEST_PIXELS, 0.02 * area[1:].max()):
        inside[1:] = True
        return inside
    if frame[1:].any():
        notes.append(f"{int(frame[1:].sum())} frame or paper edge dropped")
    return inside


def _without_specks(stats: Int32, chosen: Bools, notes: list[str]) -> Bools:
    """Return which chosen components are large enough, or near enough to the largest, to be part of the digit.

    The last column of `stats` counts dark pixels.
    """
    x, y, width, height, area = stats.T
    largest = int(np.argmax(np.where(chosen, area, 0)))
    reach = _NEAR * max(width[largest], height[largest])
    gap_x = np.maximum(x - (x[largest] + width[largest]), x[largest] - (x + width))
    gap_y = np.maximum(y - (y[largest] + height[largest]), y[largest] - (y + height))
    share = np.where(np.maximum(gap_x, gap_y) <= reach, _NEAR_SPECK, _SPECK)
    kept = chosen & (area >= np.maximum(share * area[largest], _FEWEST_PIXELS))
    dropped = int((chosen & ~kept).sum())
    if dropped:
        notes.append(f"{dropped} speck{'s' if dropped > 1 else ''} dropped")
    return kept
