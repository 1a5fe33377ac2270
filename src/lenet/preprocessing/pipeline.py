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
from lenet.preprocessing.form_boxes import FEWEST
from lenet.preprocessing.illumination import remove_shadow
from lenet.preprocessing.morphology import average_down, find_runs_across
from lenet.preprocessing.paper import remove_table
from lenet.preprocessing.parameters import RULE, SHEET, WRITING
from lenet.preprocessing.ruled_lines import remove_ruled_lines
from lenet.preprocessing.sources import PictureSource
from lenet.steps import Step

# More of a glance at a page is ink.
_HALF = 0.5


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
    corner = 0, 0
    if not tall:
        page, corner = _cut_large_page(page)
    ink, (left, top) = crop_ink(_find_pen(page, inverted=inverted))
    written = remove_ruled_lines(ink)
    factor = 1 if tall else _choose_factor(_remove_squares(written.strokes.astype(np.uint8)))
    origin = ((corner[0] + left) * page.scale, (corner[1] + top) * page.scale)
    ruled = average_down((ink.strokes & ~written.strokes).astype(np.uint8) * np.uint8(255), factor) > 0
    reduced = reduce_ink(written, factor)
    return PageInk(reduced, size, page.scale * factor, origin, (*steps, *written.steps), ruled)


def _find_pen(page: Page, *, inverted: bool) -> Ink:
    """Find a page's ink. Ink that lies all around and covers more than writing does is the ground of light ink.

    So is the black around a white digit that fills its picture: with more of it around, it is taken for the paper. What
    may be either is looked at both ways.
    """
    ink = find_ink(page, inverted=inverted)
    if ink.ambiguous_polarity or not _is_ground(ink.strokes) or _shows_sheet(ink.strokes):
        return ink
    high, wide = (side // 2 for side in page.grey.shape)
    around = cv2.copyMakeBorder(page.grey, high, high, wide, wide, cv2.BORDER_REPLICATE).astype(np.uint8)
    found = find_ink(replace(page, grey=around), inverted=inverted)
    part = slice(high, high + page.grey.shape[0]), slice(wide, wide + page.grey.shape[1])
    other = replace(found, levels=found.levels[part].copy(), strokes=found.strokes[part].copy())
    return other if other.strokes.any() and not _is_ground(other.strokes) else ink


def _is_ground(strokes: Bools) -> bool:
    """Return whether (h, w) strokes fill the page's border and more of the page than writing does."""
    edges = (strokes[0], strokes[-1], strokes[:, 0], strokes[:, -1])
    return min(edge.mean() for edge in edges) >= SHEET.table and bool(strokes.mean() > SHEET.most_ink)


def _shows_sheet(ground: Bools) -> bool:
    """Return whether what a ground (h, w) lies around is paper: a rectangle, or without dents and written on."""
    light = (~ground).astype(np.uint8)
    outlines, _tree = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return False
    outline = max(outlines, key=cv2.contourArea)
    filled = cv2.drawContours(np.zeros_like(light), [outline], -1, 1, cv2.FILLED) > 0
    area = cv2.contourArea(outline)
    if area >= SHEET.table * np.prod(cv2.minAreaRect(outline)[1]):
        return True
    written = np.count_nonzero(filled & ground) >= RULE.speck
    return bool(written and area >= SHEET.table * cv2.contourArea(cv2.convexHull(outline)))


def _cut_large_page(page: Page) -> tuple[Page, tuple[int, int]]:
    """Average a large page down if a glance says that its writing is large; cut squared paper to what is on it.

    Returns with it where its left and top are in the page, in pixels of the new one.
    """
    if page.grey.size < WRITING.large or min(page.grey.shape) < WRITING.glance:
        return page, (0, 0)
    glance = WRITING.glance
    ink = find_ink(replace(page, grey=average_down(page.grey, glance)))
    if ink.strokes.mean() > _HALF:  # the squares are so small that they cannot be told apart
        glance //= 2
        ink = find_ink(replace(page, grey=average_down(page.grey, glance)))
    strokes = ink.strokes.astype(np.uint8)
    written = _remove_squares(strokes)
    factor = min(_choose_factor(written, glance), WRITING.glance)
    left, top, right, foot = 0, 0, *page.grey.shape[::-1]
    if _is_squared(strokes & ~written):
        left, top, right, foot = _find_around(written, glance, page.grey.shape)
    left, top = left - left % factor, top - top % factor
    grey = average_down(page.grey[top:foot, left:right], factor)
    return replace(page, grey=grey, colours=None, scale=page.scale * factor), (left // factor, top // factor)


def _find_around(written: Uint8, pixel: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return where a page (H, W) is written on, and thrice its height around it: x0, y0, x1, y1.

    A pixel of `written` stands for `pixel` of the page; if nothing is written it is the whole page.
    """
    height, width = shape
    _count, _labels, stats, _ = cv2.connectedComponentsWithStats(written, connectivity=8)
    pieces = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= RULE.speck]
    if not len(pieces):
        return 0, 0, width, height
    x, y, wide, high = pieces.T[:4] * pixel
    around = max(2 * WRITING.high_enough, round(RULE.short_line * high.max()))
    return (
        max(0, int(x.min()) - around),
        max(0, int(y.min()) - around),
        min(width, int((x + wide).max()) + around),
        min(height, int((y + high).max()) + around),
    )


def _remove_squares(strokes: Uint8) -> Uint8:
    """Return (h, w) strokes without the lines of squared paper, on which all that is written is one piece of ink."""
    across = find_runs_across(strokes, 1 + round(WRITING.line * strokes.shape[1]))
    if not across.any():
        return strokes
    down = find_runs_across(np.ascontiguousarray(strokes.T), 1 + round(WRITING.line * strokes.shape[0])).T
    return strokes & ~(across | down) if down.any() else strokes


def _is_squared(lines: Uint8) -> bool:
    """Return whether there are several (h, w) lines one below the other, and beside: a shadow is long too, but one."""
    begin = (np.diff(lines.astype(np.int8), axis=way, prepend=0) > 0 for way in (0, 1))
    return all(each.sum(axis=way).mean() >= FEWEST for way, each in enumerate(begin))


def _measure_pen(strokes: Uint8) -> float:
    """Return how thick (h, w) strokes are, in pixels: twice their ink by that at their edges."""
    inked = float(strokes.sum())
    return 2 * inked / max(1.0, inked - float(cv2.erode(strokes, np.ones((3, 3), np.uint8)).sum()))


def _choose_factor(strokes: Uint8, pixel: int = 1) -> int:
    """Return the whole factor by which to divide writing so that its digits are not much higher than they need be.

    A pixel of the (h, w) strokes stands for `pixel` pixels of the page that is to be divided.
    """
    if len(strokes) * pixel < 2 * WRITING.high_enough:
        return 1
    step = max(1, min(strokes.shape) // SHEET.looked_at)
    few = np.ascontiguousarray(strokes[::step, ::step])
    _count, _labels, stats, _ = cv2.connectedComponentsWithStats(few, connectivity=8)
    heights = stats[1:, cv2.CC_STAT_HEIGHT] * step * pixel
    if not len(heights):
        return 1
    pen = _measure_pen(strokes)
    height = int(median(heights[heights >= heights.max() / 2]))
    return max(1, min(height // WRITING.high_enough, int(pixel * pen - pixel + 1)))  # a thin pen would vanish
