"""Where ink that hangs together may be cut: seams from top to bottom that cross as little of it as they can."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Bools, Float32, Uint8

# Cuts are looked for at this height of a line of writing, in pixels.
_HEIGHT = 48
# A seam strays at most this share of the height from its column; a step aside, and a row away from it, cost some ink.
_STRAY, _ASIDE, _ASTRAY = 0.15, 0.12, 0.006
# A seam through more ink than this share of the line's height is no cut.
_MOST_INK = 0.42
# Between two cuts, and beyond the last, there is at least this much ink, as a share of the height squared: a 1 has
# four times as much.
_LEAST_INK = 0.03
# So many cuts for a piece as wide as the line is high, and one more.
_CUTS = 3.5
# Ink narrower than this share of the line's height is one digit at most.
_NARROW = 0.3


@dataclass(frozen=True)
class Seam:
    """A cut from the top of its ink to the bottom: `columns` (h,) float32, the first column on its right, row by row.

    `ink` is how much ink it crosses, as a share of the line's height.
    """

    columns: Float32
    ink: float


def seams(levels: Uint8, own: Bools, slant: float, line_height: float) -> list[Seam]:
    """Propose the cuts of one connected piece of ink, from left to right, none if it is narrow.

    `levels` (h, w) uint8 is the ink of its box and `own` which pixels are the piece's own. `slant` is how far
    upright strokes lean to the right from the bottom up, per row; `line_height` the height of the line's digits, in
    pixels.
    """
    high, wide = levels.shape
    scale = _HEIGHT / line_height
    lean = abs(slant) * high
    if (wide - min(lean, 0.8 * wide)) < _NARROW * line_height or high < 4:
        return []
    rows, columns = max(8, round(high * scale)), round((wide + lean) * scale)
    # Upright strokes stand upright: page column = upright column + shift(row).
    shift = slant * (high / 2 - (np.arange(rows) + 0.5) / scale)
    left = -lean / 2
    x = ((np.arange(columns) + 0.5) / scale + left)[None, :] + shift[:, None] - 0.5
    y = np.broadcast_to((np.arange(rows) + 0.5)[:, None] / scale - 0.5, x.shape)
    masked = np.where(own, levels, 0).astype(np.float32) / 255
    upright = cv2.remap(masked, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    paths, costs = _seams(upright.astype(np.float32))
    most = int(_CUTS * (wide - min(lean, 0.8 * wide)) / line_height) + 1
    chosen = _least(paths, costs, upright.astype(np.float32), most)
    found = []
    at = (np.arange(high) + 0.5) * scale - 0.5
    for index in chosen:
        path = np.interp(at, np.arange(rows), paths[index])
        columns_here = (path + 0.5) / scale + left + slant * (high / 2 - np.arange(high) - 0.5)
        found.append(Seam(columns_here.astype(np.float32), float(costs[index]) / _HEIGHT))
    return found


def _seams(ink: Float32) -> tuple[Float32, Float32]:
    """Return, for every second column, its best seam through (h, w) ink near it, and what it costs.

    Paths (n, h) and costs (n,): dynamic programming from the top, all columns at once, in a band.
    """
    rows, columns = ink.shape
    reach = max(2, round(_STRAY * _HEIGHT))
    starts = np.arange(1, columns - 1, 2)
    band = np.arange(-reach, reach + 1)
    padded = np.pad(ink, ((0, 0), (reach, reach)))
    window = starts[:, None] + band[None, :] + reach
    away = _ASTRAY * np.abs(band)
    cost = padded[0][window] + away
    steps = np.zeros((rows, len(starts), len(band)), np.int8)
    for row in range(1, rows):
        stay = cost
        right = np.full_like(cost, np.inf)
        right[:, 1:] = cost[:, :-1] + _ASIDE
        left = np.full_like(cost, np.inf)
        left[:, :-1] = cost[:, 1:] + _ASIDE
        best = np.minimum(np.minimum(stay, right), left)
        steps[row] = np.where(best == stay, 0, np.where(best == right, 1, -1))
        cost = best + padded[row][window] + away
    end = cost.argmin(axis=1)
    costs = cost[np.arange(len(starts)), end]
    paths = np.zeros((len(starts), rows), np.float32)
    place = end
    each = np.arange(len(starts))
    for row in range(rows - 1, -1, -1):
        paths[:, row] = starts + band[place]
        place = place - steps[row][each, place]
    return paths, costs.astype(np.float32)


def _least(paths: Float32, costs: Float32, ink: Float32, most: int) -> list[int]:
    """Return the seams that cost least and leave ink between them, at most so many, from left to right."""
    rows = np.arange(len(ink))
    # Ink on the left of each seam: what a row has before the seam's column.
    before = np.concatenate([np.zeros((len(ink), 1), np.float32), np.cumsum(ink, axis=1)], axis=1)
    left = before[rows[None, :], np.clip(paths, 0, ink.shape[1]).astype(int)].sum(axis=1)
    least = _LEAST_INK * _HEIGHT**2
    taken = [0.0, float(before[:, -1].sum())]
    chosen: list[int] = []
    for index in np.argsort(costs, kind="stable"):
        if len(chosen) == most or costs[index] > _MOST_INK * _HEIGHT:
            break
        if all(abs(left[index] - other) >= least for other in taken):
            taken.append(float(left[index]))
            chosen.append(int(index))
    return sorted(chosen, key=lambda index: left[index])
