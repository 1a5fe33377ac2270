"""Where ink that hangs together may be cut: seams from top to bottom that cross as little of it as they can."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Bools, Float32, Uint8
from lenet.preprocessing.parameters import WRITING
from lenet.segmentation.parameters import SEAM


@dataclass(frozen=True)
class Seam:
    """A cut from the top of its ink to the bottom: `columns` (h,) float32, the first column on its right, row by row.

    `cost` is how much ink it crosses, and paper inside ink, which counts less, as a share of the line's height.
    """

    columns: Float32
    cost: float


def find_seams(parts: list[tuple[Uint8, Bools]], slant: float, line_height: float) -> list[list[Seam]]:
    """Propose the cuts of a line's connected pieces of ink, of each from left to right, none if it is narrow.

    A part is the ink (h, w) uint8 of a piece's box, and which pixels (h, w) are its own. `slant` is how far upright
    strokes lean to the right from the bottom up, per row; `line_height` the height of the line's digits, in pixels.
    """
    scale = SEAM.height / line_height
    found: list[list[Seam]] = [[] for _part in parts]
    looked = {}
    for index, (levels, own) in enumerate(parts):
        height, width = levels.shape
        if width - _measure_lean(slant, height, width) >= SEAM.narrow * line_height and height >= WRITING.least_side:
            looked[index] = _make_upright(levels, own, slant, scale)
    for (index, upright), (paths, costs) in zip(looked.items(), _trace_seams(list(looked.values())), strict=True):
        height, width = parts[index][0].shape
        most = int(SEAM.cuts * (width - _measure_lean(slant, height, width)) / line_height) + 1
        left = -abs(slant) * height / 2
        at = (np.arange(height) + 0.5) * scale - 0.5
        for number in _choose_seams(paths, costs, upright, most):
            path = np.interp(at, np.arange(len(upright)), paths[number])
            columns = (path + 0.5) / scale + left + slant * (height / 2 - np.arange(height) - 0.5)
            found[index].append(Seam(columns.astype(np.float32), float(costs[number]) / SEAM.height))
    return found


def _measure_lean(slant: float, height: int, width: int) -> float:
    """Return how much of a box's width is its slant's."""
    return min(abs(slant) * height, SEAM.most_lean * width)


def _make_upright(levels: Uint8, own: Bools, slant: float, scale: float) -> Float32:
    """Return a piece's own ink, 0 to 1, with its upright strokes upright, `scale` times as large."""
    height, width = levels.shape
    lean = abs(slant) * height
    rows, columns = max(8, round(height * scale)), round((width + lean) * scale)
    # Upright strokes stand upright: page column = upright column + shift(row).
    shift = slant * (height / 2 - (np.arange(rows) + 0.5) / scale)
    x = ((np.arange(columns) + 0.5) / scale - lean / 2)[None, :] + shift[:, None] - 0.5
    y = np.broadcast_to((np.arange(rows) + 0.5)[:, None] / scale - 0.5, x.shape)
    masked = np.where(own, levels, 0).astype(np.float32) / 255
    return cv2.remap(masked, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR).astype(np.float32)


def _measure_holes(ink: Float32) -> Float32:
    """Return 1 where paper is enclosed by ink (h, w), 0 elsewhere."""
    paper = np.pad((ink < SEAM.paper).view(np.uint8), 1, constant_values=1)
    cv2.floodFill(paper, None, (0, 0), 0)
    return paper[1:-1, 1:-1].astype(np.float32)


def _trace_seams(pieces: list[Float32]) -> list[tuple[Float32, Float32]]:
    """Return, for every second column of each piece (h, w), its best seam near it, and what it costs.

    Paths (n, h) and costs (n,): dynamic programming from the top, all columns of all pieces at once, in a band. Below a
    piece that is lower than others a seam costs nothing and goes straight down.
    """
    if not pieces:
        return []
    reach = max(2, round(SEAM.stray * SEAM.height))
    rows = max(len(piece) for piece in pieces)
    band = np.arange(-reach, reach + 1)
    starts = [np.arange(1, piece.shape[1] - 1, 2) for piece in pieces]
    past = np.cumsum([len(each) for each in starts])
    prices = [each + SEAM.hole * _measure_holes(each) for each in pieces]
    beside = np.concatenate([np.pad(each, ((0, rows - len(each)), (reach, reach))) for each in prices], axis=1)
    offsets = np.cumsum([0, *(piece.shape[1] + 2 * reach for piece in pieces)])[:-1]
    window = np.concatenate([each + offset for each, offset in zip(starts, offsets, strict=True)])
    window = window[:, None] + band[None, :] + reach
    ends = np.repeat([len(piece) for piece in pieces], [len(each) for each in starts])
    away = SEAM.astray * np.abs(band)
    cost = beside[0][window] + away
    steps = np.zeros((rows, *window.shape), np.int8)
    right, left = np.full_like(cost, np.inf), np.full_like(cost, np.inf)
    for row in range(1, rows):
        np.add(cost[:, :-1], SEAM.aside, out=right[:, 1:])
        np.add(cost[:, 1:], SEAM.aside, out=left[:, :-1])
        best = np.minimum(np.minimum(cost, right), left)
        steps[row] = np.where(best == cost, 0, np.where(best == right, 1, -1))
        cost = best + beside[row][window] + away * (row < ends)[:, None]
    place = cost.argmin(axis=1)
    each = np.arange(len(window))
    costs = cost[each, place].astype(np.float32)
    paths = np.zeros((len(window), rows), np.float32)
    for row in range(rows - 1, -1, -1):
        paths[:, row] = band[place]
        place = place - steps[row][each, place]
    paths += np.concatenate(starts)[:, None]
    split = zip(np.split(paths, past[:-1]), np.split(costs, past[:-1]), pieces, strict=True)
    return [(path[:, : len(piece)], cost_) for path, cost_, piece in split]


def _choose_seams(paths: Float32, costs: Float32, ink: Float32, most: int) -> list[int]:
    """Return the seams that cost least and leave ink between them, at most so many, from left to right."""
    rows = np.arange(len(ink))
    # Ink on the left of each seam: what a row has before the seam's column.
    before = np.concatenate([np.zeros((len(ink), 1), np.float32), np.cumsum(ink, axis=1)], axis=1)
    left = before[rows[None, :], np.clip(paths, 0, ink.shape[1]).astype(int)].sum(axis=1)
    least = SEAM.least_ink * SEAM.height**2
    taken = [0.0, float(before[:, -1].sum())]
    chosen: list[int] = []
    for index in np.argsort(costs, kind="stable"):
        if len(chosen) == most or costs[index] > SEAM.dearest * SEAM.height:
            break
        if all(abs(left[index] - other) >= least for other in taken):
            taken.append(float(left[index]))
            chosen.append(int(index))
    return sorted(chosen, key=lambda index: left[index])
