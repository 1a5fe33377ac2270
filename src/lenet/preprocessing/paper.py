"""A sheet of paper on a darker table: what lies around the sheet is laid over with paper."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from lenet.arrays import Bools, Uint8
from lenet.preprocessing.decode import Page
from lenet.preprocessing.parameters import SHEET
from lenet.steps import Step

# What is said of a page that had a table on it.
TABLE = Step("table-removed")


def remove_table(page: Page) -> Page:
    """Return a page without the table that a sheet of paper lies on; any other page as it is.

    The table is only taken for one if it is all around a bright sheet with four straight sides that is written on.
    """
    height, width = page.grey.shape
    if min(height, width) < SHEET.smallest:
        return page
    small = downscale(page.grey, SHEET.looked_at)
    found = _find_sheet(small)
    if found is None:
        return page
    inside = cv2.resize(found.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    grey = np.where(inside, page.grey, _spread_paper(small, found, (width, height)))
    colours = page.colours
    if colours is not None:
        tinted = downscale(colours, SHEET.looked_at)
        around = np.stack([_spread_paper(tinted[..., each], found, (width, height)) for each in range(3)], axis=2)
        colours = np.where(inside[..., None], colours, around)
    return replace(page, grey=grey, colours=colours, steps=(*page.steps, TABLE))


def downscale(picture: Uint8, side: int) -> Uint8:
    """Return a page (H, W), or its colours (H, W, 3), as a copy whose longer side has at most so many pixels."""
    height, width = picture.shape[:2]
    shrink = max(1.0, max(height, width) / side)
    size = max(1, round(width / shrink)), max(1, round(height / shrink))
    step = max(1, int(shrink / 3))  # nine samples for a pixel are enough
    return cv2.resize(picture[::step, ::step], size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _find_sheet(grey: Uint8) -> Bools | None:
    """Return where the sheet on a small picture (h, w) is, its edges left out, or None."""
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)
    if (border > level).mean() > 1 - SHEET.table:
        return None
    bright = grey > level
    outlines, _ = cv2.findContours(bright.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    outline = max(outlines, key=cv2.contourArea)
    hull = cv2.convexHull(outline)
    area = cv2.contourArea(hull)
    corners = cv2.approxPolyDP(hull, SHEET.straight * cv2.arcLength(hull, True), True)
    if area < SHEET.large * grey.size or cv2.contourArea(outline) < SHEET.table * area or len(corners) != 4:  # noqa: PLR2004
        return None
    filled = cv2.fillConvexPoly(np.zeros_like(grey), hull, 1)
    rim = max(1, round(SHEET.straight * float(np.sqrt(area))))
    kept = cv2.erode(filled, np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)) > 0
    around = filled == 0
    written = float((~bright[kept]).mean()) if kept.any() else 1.0
    lighter = float(np.median(grey[kept & bright])) - float(np.median(grey[around])) if around.any() else 0.0
    dark = float((~bright[around]).mean()) if around.any() else 0.0
    # Thin writing hardly darkens a small copy: any pixel clearly darker than the paper counts.
    shaded = float((grey[kept] < np.median(grey[kept]) - SHEET.lighter / 3).mean()) if kept.any() else 0.0
    if dark < SHEET.table or lighter < SHEET.lighter or written > SHEET.most_ink or shaded < SHEET.least_ink:
        return None
    return kept


def _spread_paper(grey: Uint8, inside: Bools, size: tuple[int, int]) -> Uint8:
    """Return a small picture (h, w) of the paper inside continued to everywhere, as large as `size` (width, height)."""
    paper = (inside & (grey >= np.median(grey[inside]) - SHEET.lighter / 3)).astype(np.float32)
    reach = SHEET.large * max(grey.shape)
    weight = cv2.GaussianBlur(paper, (0, 0), reach)
    light = cv2.GaussianBlur(paper * grey, (0, 0), reach)
    mean = float(grey[paper > 0].mean())
    # Far from the sheet nothing weighs anything: there it is the mean.
    level: npt.NDArray[np.float32] = (light + 1e-3 * mean) / (weight + 1e-3)
    return cv2.resize(level, size, interpolation=cv2.INTER_LINEAR).clip(0, 255).astype(np.uint8)
