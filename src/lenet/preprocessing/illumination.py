"""A shadow with a hard edge, or a dark table beside the paper: the page is lit evenly, edge and all."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np

from lenet.arrays import Bools, Float32, Uint8, percentile
from lenet.preprocessing.decode import Page
from lenet.preprocessing.morphology import EDGE
from lenet.preprocessing.paper import TABLE, downscale
from lenet.preprocessing.parameters import SHADOW, SHEET
from lenet.steps import Step


def remove_shadow(page: Page) -> Page:
    """Return a page as if no shadow lay on it, and no dark table beside it; one without a hard shadow as it is.

    Light is what stays when all that is dark and narrow is filled up (a closing): a shadow's edge stays where it is,
    however hard, under the writing too. Light writing on dark paper is left alone.
    """
    height, width = page.grey.shape
    if min(height, width) < SHEET.smallest:
        return page
    shadow_width = _measure_hard_shadow(_remove_grains(page.grey, SHEET.looked_at))
    if not shadow_width:
        return page
    filled = _fill_dark_strokes(_remove_grains(page.grey, SHADOW.fine), shadow_width)
    square = np.ones((2 * EDGE + 1,) * 2, np.uint8)
    filled = cv2.erode(filled, square).astype(np.uint8)
    light: Float32 = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    paper = _measure_paper(light)
    table = cv2.dilate((light < SHADOW.table * paper).astype(np.uint8), square) > 0
    gain: Float32 = (paper / np.maximum(light, 1)).astype(np.float32)
    colours = page.colours
    if colours is not None:
        lit = light > (1 - SHADOW.darker / 2) * paper
        channels = (np.ascontiguousarray(colours[..., each]) for each in range(3))
        colours = np.stack([_brighten(each, gain, table, percentile(each[lit], 50)) for each in channels], axis=2)
    step = TABLE if table.mean() > SHADOW.hard else Step("shadow-removed")
    return replace(page, grey=_brighten(page.grey, gain, table, paper), colours=colours, steps=(*page.steps, step))


def _brighten(values: Uint8, gain: Float32, table: Bools, paper: float) -> Uint8:
    """Return grey levels (H, W) so many times as bright, and paper instead of the table."""
    lit = np.minimum(np.rint(values * gain), 255).astype(np.uint8)
    lit[table] = round(paper)
    return lit


def _measure_hard_shadow(small: Uint8) -> float:
    """Return what a hard shadow is wider than and strokes are not, as a share of the longer side, or 0."""
    side = max(small.shape)
    strokes = (small < SHADOW.dark * _fill_dark_strokes(small, SHADOW.thickest)).astype(np.uint8)
    rims = int(strokes.sum()) - int(cv2.erode(strokes, np.ones((3, 3), np.uint8)).sum())
    thick = 2 * int(strokes.sum()) / max(1, rims) / side
    width = min(max(SHADOW.wider * thick, SHADOW.thickest / 2), SHADOW.wider * SHADOW.thickest)
    light: Float32 = _fill_dark_strokes(small, width).astype(np.float32)
    paper = _measure_paper(light)
    lit, shaded = light > (1 - SHADOW.darker / 2) * paper, light < (1 - SHADOW.darker) * paper
    if lit.mean() < SHADOW.darker or _keep_wide(shaded, round(width * side)).mean() < SHADOW.hard:
        return 0.0
    ground = _fill_light_strokes(light)
    around = np.ones((1 + round(SHADOW.thickest / 2 * side),) * 2, np.uint8)
    falls = cv2.dilate(ground, around) - cv2.erode(ground, around)
    hard = (falls > SHADOW.darker * paper).mean() >= SHADOW.hard
    return width if hard and _measure_islands(light) < SHADOW.hard else 0.0


def _keep_at_edge(area: Bools) -> Bools:
    """Return the part of an area that hangs together with the picture's edge."""
    _count, labels = cv2.connectedComponents(area.astype(np.uint8), connectivity=8)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    found: Bools = np.isin(labels, np.unique(edge[edge > 0]))
    return found


def _keep_wide(area: Bools, width: int) -> Bools:
    """Return the part of an area that has room for squares so wide within the picture: no print cut off by its edge."""
    square = np.ones((width, width), np.uint8)
    fits = cv2.erode(area.astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0))
    return cv2.dilate(fits, square) > 0


def _measure_islands(light: Float32) -> float:
    """Return what share of a page (h, w) is clearly darker, or clearly lighter, than all that is around it."""
    levels = np.linspace(light.min(), light.max(), SHADOW.levels)[1:-1]
    shares = []
    for sign in (1, -1):
        enclosed = [area & ~_keep_at_edge(area) for area in (light * sign < level * sign for level in levels)]
        shares.append(float(np.any([one & other for one, other in pairwise(enclosed)], axis=0).mean()))
    return max(shares)


def _fill_light_strokes(light: Float32) -> Float32:
    """Return a page (h, w) without light writing: what is light and as narrow as strokes are."""
    square = np.ones((1 + round(SHADOW.thickest * max(light.shape)),) * 2, np.uint8)
    return cv2.morphologyEx(light, cv2.MORPH_OPEN, square).astype(np.float32)


def _remove_grains(grey: Uint8, side: int) -> Uint8:
    """Return a copy of a page (H, W), at most so many pixels long, without single grains."""
    return cv2.medianBlur(downscale(grey, side), 3).astype(np.uint8)


def _fill_dark_strokes(grey: Uint8, share: float) -> Uint8:
    """Return a page (h, w) without what is dark and narrower than a share of its longer side."""
    square = max(3, round(share * max(grey.shape))) | 1
    padded = cv2.copyMakeBorder(grey, square, square, square, square, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((square, square), np.uint8))
    return np.ascontiguousarray(closed[square:-square, square:-square]).astype(np.uint8)


def _measure_paper(light: Uint8 | Float32) -> float:
    step = max(1, int((light.size / 10_000) ** 0.5))
    return percentile(light[::step, ::step], 95)
