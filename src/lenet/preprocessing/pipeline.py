"""Preprocessing as a whole: a picture becomes a page without table, shadow and print, the page its writing's ink."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from lenet.arrays import Bools, Uint8, median
from lenet.preprocessing.binarize import Ink, crop_ink, find_ink, reduce_ink
from lenet.preprocessing.colour import use_colour_contrast
from lenet.preprocessing.decode import Page, open_page
from lenet.preprocessing.dropout import drop_print
from lenet.preprocessing.illumination import remove_shadow
from lenet.preprocessing.morphology import average_down, find_runs_across
from lenet.preprocessing.paper import remove_table
from lenet.preprocessing.parameters import SHEET, WRITING
from lenet.preprocessing.ruled_lines import remove_ruled_lines
from lenet.preprocessing.sources import PictureSource
from lenet.steps import Step


def prepare_page(source: PictureSource) -> Page:
    """Decode a picture to the page of what was written on paper, without table, hard shadow and print."""
    opened = use_colour_contrast(open_page(source))
    page = remove_shadow(remove_table(opened))
    return replace(drop_print(page), before=None if page.steps == opened.steps else drop_print(opened))


def turn_page(page: Page, quarters: int) -> Page:
    """Return a page turned to the left by so many quarters, with a step that says so."""
    turned = [
        None if side is None else np.ascontiguousarray(np.rot90(side, quarters)) for side in (page.grey, page.colours)
    ]
    grey, colours = turned
    assert grey is not None
    size = page.size[::-1] if quarters % 2 else page.size
    step = Step("turned", {"degrees": 90 * quarters})
    return Page(grey, (size[0], size[1]), page.scale, (*page.steps, step), colours)


@dataclass(frozen=True)
class PageInk:
    """The ink of a page's writing, cut to the part that has any.

    A pixel of it stands for `scale` of the picture's own, from `origin` (x, y) on; `size` is the picture's own (width,
    height). `steps` are all that led to it, the page's first. `ruled` (H, W) is where lines that were ruled stood.
    """

    ink: Ink
    size: tuple[int, int]
    scale: float
    origin: tuple[float, float]
    steps: tuple[Step, ...]
    ruled: Bools


def find_writing(page: Page, *, tall: bool = False, inverted: bool = False) -> PageInk:
    """Find a page's ink without ruled lines; large writing is reduced, unless `tall`; `inverted` as in `find_ink`."""
    steps, size = page.steps, page.size
    if not tall:
        page = _reduce_large_writing(page)
    ink, (left, top) = crop_ink(find_ink(page, inverted=inverted))
    written = remove_ruled_lines(ink)
    factor = 1 if tall else _choose_factor(written)
    origin = (left * page.scale, top * page.scale)
    ruled = average_down((ink.strokes & ~written.strokes).astype(np.uint8) * np.uint8(255), factor) > 0
    reduced = reduce_ink(written, factor)
    return PageInk(reduced, size, page.scale * factor, origin, (*steps, *written.steps), ruled)


def _reduce_large_writing(page: Page) -> Page:
    """Average a large page down if a glance at it says that its writing is large."""
    if page.grey.size < WRITING.large or min(page.grey.shape) < WRITING.glance:
        return page
    ink = find_ink(replace(page, grey=average_down(page.grey, WRITING.glance)))
    factor = min(_choose_factor(ink, WRITING.glance), WRITING.glance)
    if factor == 1:
        return page
    return replace(page, grey=average_down(page.grey, factor), colours=None, scale=page.scale * factor)


def _remove_squares(strokes: Uint8) -> Uint8:
    """Return (h, w) strokes without the lines of squared paper, on which all that is written is one piece of ink."""
    across = find_runs_across(strokes, 1 + round(WRITING.line * strokes.shape[1]))
    if not across.any():
        return strokes
    down = find_runs_across(np.ascontiguousarray(strokes.T), 1 + round(WRITING.line * strokes.shape[0])).T
    return strokes & ~(across | down) if down.any() else strokes


def _choose_factor(ink: Ink, pixel: int = 1) -> int:
    """Return the whole factor by which to divide writing so that its digits are not much higher than they need be.

    A pixel of the ink stands for `pixel` pixels of the page that is to be divided.
    """
    if len(ink.strokes) * pixel < 2 * WRITING.high_enough:
        return 1
    step = max(1, min(ink.strokes.shape) // SHEET.looked_at)
    few = np.ascontiguousarray(ink.strokes[::step, ::step]).astype(np.uint8)
    few = _remove_squares(few)
    _count, _labels, stats, _ = cv2.connectedComponentsWithStats(few, connectivity=8)
    heights = stats[1:, cv2.CC_STAT_HEIGHT] * step * pixel
    if not len(heights):
        return 1
    inside = cv2.erode(ink.strokes.astype(np.uint8), np.ones((3, 3), np.uint8))
    pen = 2 * float(ink.strokes.sum()) / max(1.0, float(ink.strokes.sum()) - float(inside.sum()))
    height = int(median(heights[heights >= heights.max() / 2]))
    return max(1, min(height // WRITING.high_enough, int(pixel * pen - pixel + 1)))  # a thin pen would vanish
