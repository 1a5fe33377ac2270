"""Preprocessing as a whole: a picture becomes a page without table, shadow and print, the page its writing's ink."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from lenet.arrays import Uint8
from lenet.preprocessing.binarize import Ink, cropped, find_ink, reduced
from lenet.preprocessing.colour import by_colour
from lenet.preprocessing.decode import Page, Source, open_page
from lenet.preprocessing.dropout import penned
from lenet.preprocessing.illumination import evenly_lit
from lenet.preprocessing.morphology import runs_across
from lenet.preprocessing.paper import sheet
from lenet.preprocessing.ruled_lines import without_rules

# Numbers are looked for in writing of one to two times this height, in pixels, if it was higher.
_HIGH_ENOUGH = 44


# A page of at least so many pixels is first looked at with so many of them, across and down, in one.
_LARGE, _GLANCE = 250_000, 4


# How many rows or columns of a page tell how high its writing is.
_COARSE = 200


# The lines of squared paper are at least so long, as a share of the page.
_LINE = 0.25


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
