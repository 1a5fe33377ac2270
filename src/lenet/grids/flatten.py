"""A page photographed aslant becomes flat: the vanishing points of its ruled lines say how it is to be warped."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Bools, Float64, Uint8

# Lines are looked for on a copy of the page whose longer side has at most so many pixels.
WORKING_SIDE = 2000
# A segment counts from this share of the longer side on; fewer than so many say nothing of the page.
_SHORTEST, _FEWEST = 0.02, 6
# Two families of segments lie within so many degrees of the page's own directions, which are told to half a degree.
_FAMILY, _BIN, _BLUR = 20.0, 0.5, 13
# So many pairs of segments are tried for a vanishing point; those are of it that miss it by less, in radians.
_TRIES, _AGREES, _AGREES_AT_LAST = 300, 0.012, 0.008
# A point counts if it explains so many times what lines without perspective do, and lies this far off, in longer sides.
_BETTER, _NEAREST = 1.02, 1.0
# A flat page of so many times the pixels is none.
_LARGEST = 3.0
# What is nearer to 0 than this is not divided by.
_TINY = 1e-9


@dataclass(frozen=True)
class FlatPage:
    """A page seen from straight above: `grey` (h, w) uint8, and `matrix` (3, 3), from pixels of the page to its own.

    A pixel of the page is about `shrink` of its own, 1 at most.
    """

    grey: Uint8
    matrix: Float64
    shrink: float

    def find_on_page(self, points: Float64) -> Float64:
        """Return where points (n, 2) of the flat page, x and y, are on the page."""
        found = cv2.perspectiveTransform(points[None].astype(np.float64), np.linalg.inv(self.matrix))
        return np.asarray(found[0], np.float64)


def flatten_page(grey: Uint8) -> FlatPage:
    """Return a page (H, W) as it looks from straight above, its lines level and upright, with few enough pixels."""
    shrink = min(1.0, WORKING_SIDE / max(grey.shape))
    small = grey
    if shrink < 1:
        size = tuple(max(1, round(side * shrink)) for side in grey.shape[::-1])
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    warp, size = _find_warp(small)
    flat = cv2.warpPerspective(small, warp, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    width, height = small.shape[1] / grey.shape[1], small.shape[0] / grey.shape[0]
    return FlatPage(flat.astype(np.uint8), warp @ np.diag([width, height, 1.0]), shrink)


def _find_warp(grey: Uint8) -> tuple[Float64, tuple[int, int]]:
    """Return the matrix (3, 3) that makes a page (h, w) flat, and the size (width, height) of what comes out."""
    height, width = grey.shape
    as_it_is = np.eye(3), (width, height)
    segments = _find_segments(grey)
    if len(segments) < _FEWEST:
        return as_it_is
    vectors = segments[:, 2:] - segments[:, :2]
    lengths = np.hypot(vectors[:, 0], vectors[:, 1])
    degrees = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0]))
    leaning = _find_direction(degrees, lengths)
    away = (degrees - leaning + 45) % 180 - 45
    points = [
        _find_vanishing_point(segments[np.abs(away - turn) < _FAMILY], np.radians(leaning + turn), grey.shape)
        for turn in (0, 90)
    ]
    return _make_warp(points[0], points[1], grey.shape) or as_it_is


def _find_segments(grey: Uint8) -> Float64:
    """Return the straight edges (n, 4) of a page, from x, y to x, y, that are long enough to tell its directions."""
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    segments = np.zeros((0, 4)) if found is None else np.asarray(found, np.float64).reshape(-1, 4)
    lengths = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    return np.asarray(segments[lengths > _SHORTEST * max(grey.shape)])


def _find_direction(degrees: Float64, lengths: Float64) -> float:
    """Return by how many degrees, -45 to 45, most of the length of segments is turned from level or upright."""
    bins = round(90 / _BIN)
    turned = (degrees + 45) % 90
    counts = np.bincount((turned / _BIN).astype(int) % bins, weights=lengths, minlength=bins)
    half = _BLUR // 2
    smooth = np.convolve(np.concatenate([counts[-half:], counts, counts[:half]]), np.hanning(_BLUR), "valid")
    return (float(smooth.argmax()) + 0.5) * _BIN - 45


def _find_vanishing_point(segments: Float64, radians: float, shape: tuple[int, ...]) -> Float64:
    """Return the point (3,), homogeneous, in which the most length of segments (n, 4) meets: along `radians` if none.

    Its origin is the middle of the page and its unit the longer side.
    """
    parallel = np.array([np.cos(radians), np.sin(radians), 0.0])
    if len(segments) < 2:  # noqa: PLR2004
        return parallel
    side, middle = max(shape), np.array([shape[1], shape[0]]) / 2
    vectors = segments[:, 2:] - segments[:, :2]
    lengths = np.hypot(vectors[:, 0], vectors[:, 1])
    ways, places = vectors / lengths[:, None], ((segments[:, 2:] + segments[:, :2]) / 2 - middle) / side
    ones, zeros = np.ones((len(places), 1)), np.zeros((len(places), 1))
    lines = np.cross(np.hstack([places, ones]), np.hstack([ways, zeros]))
    lines /= np.hypot(lines[:, 0], lines[:, 1])[:, None]

    def agree(point: Float64, within: float) -> Bools:
        toward = point[:2] - point[2] * places
        sine = np.abs(toward[:, 0] * ways[:, 1] - toward[:, 1] * ways[:, 0])
        agrees: Bools = sine < within * np.maximum(np.hypot(toward[:, 0], toward[:, 1]), _TINY)
        return agrees

    best, most = parallel, float(lengths[agree(parallel, _AGREES)].sum())
    rng = np.random.default_rng(0)
    for one, other in rng.choice(len(lines), (_TRIES, 2), p=lengths / lengths.sum()):
        point = np.cross(lines[one], lines[other])
        if not _is_far(point):
            continue
        found = float(lengths[agree(point, _AGREES)].sum())
        if found > _BETTER * most:
            best, most = point / np.linalg.norm(point), found
    for within in (_AGREES, _AGREES_AT_LAST):
        own = agree(best, within)
        weighted = lines[own] * lengths[own, None]
        point = np.linalg.eigh(weighted.T @ weighted)[1][:, 0]
        if own.sum() < _FEWEST or not _is_far(point):
            break
        best = point
    return np.asarray(best if best[:2] @ parallel[:2] > 0 else -best)


def _is_far(point: Float64) -> bool:
    """Return whether a point is no point of the page, nor near it."""
    return float(np.hypot(point[0], point[1])) > max(_NEAREST * abs(float(point[2])), _TINY)


def _make_warp(level: Float64, upright: Float64, shape: tuple[int, ...]) -> tuple[Float64, tuple[int, int]] | None:
    """Return the matrix and the size that bring two vanishing points (3,) to infinity, right and down; None: too large.

    What comes out has as many pixels as the page.
    """
    height, width = shape
    side = max(shape)
    centred = np.array([[1 / side, 0, -width / 2 / side], [0, 1 / side, -height / 2 / side], [0, 0, 1]])
    horizon = np.cross(level, upright)
    projective = np.eye(3)
    projective[2] = horizon / horizon[2] if abs(horizon[2]) > _TINY else (0, 0, 1)
    ways = [(projective @ point)[:2] for point in (level, upright)]
    affine = np.eye(3)
    affine[:2, :2] = np.linalg.inv(np.stack([way / np.linalg.norm(way) for way in ways], axis=1))
    warp = affine @ projective @ centred
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    depths = np.hstack([corners, np.ones((4, 1))]) @ warp[2]
    if depths.min() <= 0:
        return None
    outline = cv2.perspectiveTransform(corners[None], warp)[0]
    area = float(cv2.contourArea(outline.astype(np.float32)))
    enlarge = float(np.sqrt(width * height / area))
    low, high = outline.min(axis=0) * enlarge, outline.max(axis=0) * enlarge
    size = (int(np.ceil(high[0] - low[0])), int(np.ceil(high[1] - low[1])))
    if size[0] * size[1] > _LARGEST * width * height:
        return None
    placed = np.array([[enlarge, 0, -low[0]], [0, enlarge, -low[1]], [0, 0, 1]])
    return np.asarray(placed @ warp), size
