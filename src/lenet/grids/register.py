"""Bring an empty form onto a filled page: how its places are mapped, by what is printed on both, and by their grids."""

from __future__ import annotations

import cv2
import numpy as np

from lenet.arrays import Float64, Uint8
from lenet.grids.cells import Grid

# Features are found on copies whose longer side has so many pixels, at most so many of them; a match counts if the
# next best is so much worse; and a mapping if so many agree with it, within so many pixels.
_SIDE, _FEATURES, _RATIO, _FEWEST, _NEAR = 1400, 5000, 0.8, 20, 5.0
# Two cells are the same place if they overlap by so much.
SAME = 0.5


def list_mappings(form: Uint8, page: Uint8, form_grids: list[Grid], page_grids: list[Grid]) -> list[Float64]:
    """Return the ways (3, 3) in which places of an empty form (H, W) may be mapped onto a page (h, w), uint8 each."""
    found = [_match_features(form, page)]
    for one in form_grids:
        for other in page_grids:
            if (one.rows, one.columns) == (other.rows, other.columns):
                found.append(_match_corners(one, other))
    return [mapping for mapping in found if mapping is not None]


def map_points(mapping: Float64, points: Float64) -> Float64:
    """Return points (n, 2) of the form where they are on the page."""
    return np.asarray(cv2.perspectiveTransform(points[None].astype(np.float64), mapping)[0], np.float64)


def measure_overlap(one: Float64, other: Float64) -> float:
    """Return what two convex quadrangles (4, 2) have in common, as a share of what they cover together."""
    first, second = one.astype(np.float32), other.astype(np.float32)
    common = float(cv2.intersectConvexConvex(first, second)[0])
    areas = abs(cv2.contourArea(first)) + abs(cv2.contourArea(second))
    return common / max(1e-9, areas - common)


def _match_features(form: Uint8, page: Uint8) -> Float64 | None:
    """Return the mapping by which most of what is printed on the form is on the page; None: too little agrees."""
    small = [_shrink(each) for each in (form, page)]
    finder = cv2.ORB.create(_FEATURES)
    (places, kinds), (other_places, other_kinds) = (finder.detectAndCompute(grey, None) for grey, _scale in small)
    if kinds is None or other_kinds is None or len(other_places) < 2:  # noqa: PLR2004
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(kinds, other_kinds, k=2)
    good = [one for one, next_ in (pair for pair in pairs if len(pair) == 2) if one.distance < _RATIO * next_.distance]  # noqa: PLR2004
    if len(good) < _FEWEST:
        return None
    source = np.array([places[match.queryIdx].pt for match in good]) / small[0][1]
    target = np.array([other_places[match.trainIdx].pt for match in good]) / small[1][1]
    mapping, agree = cv2.findHomography(source, target, cv2.RANSAC, _NEAR / small[1][1])
    if mapping is None or int(agree.sum()) < _FEWEST:
        return None
    return np.asarray(mapping, np.float64)


def _shrink(grey: Uint8) -> tuple[Uint8, float]:
    scale = min(1.0, _SIDE / max(grey.shape))
    if scale == 1:
        return grey, scale
    return cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8), scale


def _match_corners(one: Grid, other: Grid) -> Float64 | None:
    """Return the mapping that brings the outer corners of one grid onto those of another; None: it has fewer cells."""
    corners = [_find_outer(grid) for grid in (one, other)]
    mapping = cv2.getPerspectiveTransform(corners[0].astype(np.float32), corners[1].astype(np.float32))
    return np.asarray(mapping, np.float64) if np.isfinite(mapping).all() else None


def _find_outer(grid: Grid) -> Float64:
    """Return the outer corners (4, 2) of a grid, clockwise from upper left: those furthest out of its cells'."""
    points = np.concatenate([cell.corners for cell in grid.cells])
    along, across = points.sum(axis=1), points[:, 0] - points[:, 1]
    return np.array([points[along.argmin()], points[across.argmax()], points[along.argmax()], points[across.argmin()]])
