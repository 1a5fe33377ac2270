"""Two colours of ink on one page: the pen is told from the print by the size of what each has written."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from lenet.arrays import Bools, Float32, Uint8, median
from lenet.preprocessing.decode import Page
from lenet.preprocessing.morphology import EDGE, find_runs_across
from lenet.preprocessing.parameters import DECODE, DROPOUT, INK, RULE, WRITING
from lenet.steps import Step

# A page has less ink than this share of it, a box spans more, and most of an ink is more.
_HALF = 0.5


def drop_print(page: Page) -> Page:
    """Lay paper over the print of a page that has ink of two colours: a blue pen on a black form, a black one on a red.

    The pen is the ink that wrote higher; where neither did, both stay. Light ink on dark paper is left as it is.
    """
    if page.colours is None:
        return page
    step = max(1, int((page.grey.size / WRITING.large) ** 0.5))
    coloured, grey, ink = _split_inks(np.ascontiguousarray(page.colours[::step, ::step]))
    if not ink.any() or min(coloured.sum(), grey.sum()) < DROPOUT.some * ink.sum() or ink.mean() > _HALF:
        return page
    if max(_measure_beside(coloured, grey), _measure_beside(grey, coloured)) > (1 - DROPOUT.coloured):
        return page
    heights = _measure_height(coloured), _measure_height(grey)
    if not max(heights) or max(heights) < DROPOUT.higher * min(heights):
        return page
    coloured, grey, _ink = _split_inks(page.colours)
    if heights[0] > heights[1]:
        return _cover_print(page, grey, coloured, Step("black-print-dropped"))
    return _cover_print(page, coloured, grey, Step("coloured-print-dropped"))


def _split_inks(colours: Uint8) -> tuple[Bools, Bools, Bools]:
    """Return where (h, w, 3) colours are of coloured ink, of grey or black, and of any, also between the two."""
    values = colours.astype(np.float32)
    one, two, three = cv2.split(np.maximum(_estimate_paper(values) - values, 0))
    most, least = np.maximum(np.maximum(one, two), three), np.minimum(np.minimum(one, two), three)
    ink = most > max(DECODE.coloured, INK.weak * float(most.max()))
    kept = least / np.maximum(most, 1)
    return ink & (kept < DROPOUT.coloured), ink & (kept >= DROPOUT.coloured), ink


def _estimate_paper(colours: Float32) -> Float32:
    """Return the paper's colour everywhere, in whatever light: the lightest around, smoothed; same shape."""
    height, width = colours.shape[:2]
    size = (min(width, INK.light_size), min(height, INK.light_size))
    coarse = cv2.dilate(cv2.resize(colours, size, interpolation=cv2.INTER_AREA), np.ones((5, 5), np.uint8))
    return cv2.resize(cv2.GaussianBlur(coarse, (0, 0), 2), (width, height)).astype(np.float32)


def _measure_beside(one: Bools, other: Bools) -> float:
    """Return the share of one ink that has the other within a few pixels: high if both are of the same strokes."""
    near = cv2.dilate(other.astype(np.uint8), np.ones((2 * EDGE + 3,) * 2, np.uint8)) > 0
    return float((one & near).sum() / one.sum())


def _measure_height(ink: Bools) -> float:
    """Return how high the writing in one ink is, in pixels: the median of the larger pieces.

    It is 0 without any, and for an ink that hardly writes but rules the paper.
    """
    joined = cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    width, height, area = stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT], stats[1:, cv2.CC_STAT_AREA]
    sides = np.stack([width, height])
    x, y = stats[1:, cv2.CC_STAT_LEFT], stats[1:, cv2.CC_STAT_TOP]
    rim_y, rim_x = (1 + round(DROPOUT.some * side) for side in ink.shape)
    at_edge = (x < rim_x) | (y < rim_y) | (x + width > ink.shape[1] - rim_x) | (y + height > ink.shape[0] - rim_y)
    slim = sides.max(axis=0) > RULE.slim_side * sides.min(axis=0)
    hollow = (width > _HALF * ink.shape[1]) & (area < DROPOUT.hollow * width * height)
    straight = np.bincount(
        labels[find_runs_across(joined, 1 + round(WRITING.line * ink.shape[1])) > 0], minlength=count
    )[1:]
    rule = hollow | slim & ((width > height) | at_edge) | (straight > DROPOUT.hollow * area)
    if area[rule].sum() > _HALF * area.sum():
        return 0.0
    height = height[~rule & (area >= RULE.speck)]
    return median(height[height >= height.max() / 2]) if len(height) else 0.0


def _cover_print(page: Page, print_: Bools, pen: Bools, step: Step) -> Page:
    """Lay the paper from around it over the print and its soft edges, but for the pen's own strokes."""
    hidden = cv2.dilate(print_.astype(np.uint8), np.ones((2 * EDGE + 1,) * 2, np.uint8)) > 0
    hidden &= ~pen
    paper = cv2.morphologyEx(page.grey, cv2.MORPH_CLOSE, np.ones((DROPOUT.around, DROPOUT.around), np.uint8)).astype(
        np.uint8
    )
    grey: Uint8 = np.where(hidden, cv2.blur(paper, (DROPOUT.around, DROPOUT.around)), page.grey).astype(np.uint8)
    return replace(page, grey=grey, steps=(*page.steps, step))
