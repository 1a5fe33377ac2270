"""Styles that MNIST hardly has, as drawn: flagged 1s, crossed 7s, open 4s, 0s, 2s and 9s with loops or tails."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from lenet.arrays import Float32, Float64, Uint8
from lenet.network.spec import DIGIT_BOX
from lenet.segmentation.glyphs import place_glyph

# Strokes as points in a box of 1 x 1, y down; each point may stray by this much.
_STRAY = 0.05
# A 0 from its top round to its top again.
_RING = [(0.5, 0.0), (0.05, 0.1), (-0.05, 0.85), (0.5, 1.1), (1.05, 0.85), (1.0, 0.1), (0.6, -0.06), (0.55, 0.06)]
_STYLES: dict[str, tuple[int, list[list[tuple[float, float]]]]] = {
    "flagged 1": (1, [[(0.12, 0.38), (0.55, 0.0), (0.55, 1.0)]]),
    "flagged 1 with a foot": (1, [[(0.15, 0.3), (0.5, 0.0), (0.5, 1.0)], [(0.15, 1.0), (0.85, 0.98)]]),
    "steep flagged 1": (1, [[(0.3, 0.62), (0.62, 0.0), (0.55, 1.0)]]),
    "1 like a roof": (1, [[(0.05, 0.8), (0.62, 0.0), (0.58, 1.0)]]),
    "crossed 7": (7, [[(0.05, 0.05), (0.9, 0.0), (0.6, 0.45), (0.4, 1.0)], [(0.2, 0.52), (0.82, 0.48)]]),
    "crossed 7 with a serif": (
        7,
        [[(0.08, 0.2), (0.1, 0.02), (0.92, 0.02), (0.6, 0.5), (0.45, 1.0)], [(0.25, 0.55), (0.85, 0.5)]],
    ),
    "7 like a t": (7, [[(0.15, 0.14), (0.35, 0.0), (0.66, 0.02), (0.5, 1.0)], [(0.05, 0.5), (0.95, 0.44)]]),
    "9 like a rho": (9, [[(0.3, 1.0), (0.32, 0.2), (0.6, 0.0), (0.92, 0.12), (0.88, 0.38), (0.6, 0.5), (0.3, 0.42)]]),
    "9 with a loop": (
        9,
        [[(0.35, 1.0), (0.3, 0.25), (0.55, -0.08), (1.05, 0.1), (0.95, 0.5), (0.5, 0.56), (0.05, 0.38)]],
    ),
    "5 in one go": (
        5,
        [[(1.25, 0.0), (0.4, 0.04), (0.3, 0.1), (0.2, 0.45), (0.75, 0.42), (1.0, 0.7), (0.75, 1.04), (0.0, 0.94)]],
    ),
    "open 4": (4, [[(0.3, 0.0), (0.05, 0.6), (0.95, 0.58)], [(0.68, 0.25), (0.62, 1.0)]]),
    "open 4, square": (4, [[(0.1, 0.0), (0.1, 0.55), (0.9, 0.55)], [(0.72, 0.05), (0.7, 1.0)]]),
    "4 with a low bar": (4, [[(0.4, 0.0), (0.05, 0.8), (0.95, 0.74)], [(0.7, 0.42), (0.62, 1.0)]]),
    "4 like an h": (4, [[(0.4, 0.0), (0.1, 0.6), (0.9, 0.52)], [(0.7, 0.36), (0.58, 1.0)]]),
    "4 like a y": (4, [[(0.1, 0.0), (0.02, 0.42), (0.3, 0.6), (0.88, 0.42)], [(1.0, 0.0), (0.68, 1.0)]]),
    "4 in one go": (4, [[(0.45, 0.0), (0.08, 0.58), (0.8, 0.4), (0.62, 1.0)]]),
    "2 with a loop": (
        2,
        [[(0.55, 0.5), (0.2, 0.5), (0.05, 0.2), (0.45, -0.08), (0.95, 0.08), (0.8, 0.55), (-0.05, 1.0), (1.0, 0.96)]],
    ),
    "2 with two loops": (
        2,
        [
            [
                *[(0.5, 0.36), (0.2, 0.42), (0.1, 0.1), (0.5, -0.08), (0.95, 0.1), (0.75, 0.55)],
                *[(0.3, 1.0), (0.0, 1.02), (0.05, 0.76), (0.35, 0.8), (0.6, 1.02), (1.0, 0.88)],
            ]
        ],
    ),
    "0 with a curl": (
        0,
        [
            [
                *[(0.35, 0.02), (0.0, 0.25), (0.0, 0.85), (0.4, 1.08), (0.95, 0.9), (1.0, 0.2)],
                *[(0.65, -0.1), (0.2, 0.0), (0.12, 0.46), (0.6, 0.46), (0.92, 0.14)],
            ]
        ],
    ),
    "0 with a tail": (0, [[*_RING, (0.85, 0.14), (1.4, 0.06)]]),
    "0 between two others": (0, [[(-0.25, 0.1), (0.1, 0.16), *_RING, (0.85, 0.14), (1.25, 0.06)]]),
    "0 after another": (0, [[(-0.3, 0.08), (0.12, 0.16), *_RING]]),
}
STYLES = tuple(_STYLES)
# As 0s are in 1,000 written in one go.
_TAILED = ("0 with a tail", "0 between two others", "0 after another")
# These have no corners.
_ROUND = ("2 with a loop", "2 with two loops", "0 with a curl", "5 in one go", "9 with a loop", *_TAILED)
# Styles that numbers on cheques and forms have, for lines alone: the label, whether it has no corners, the strokes.
_ON_CHEQUES: tuple[tuple[int, bool, list[list[tuple[float, float]]]], ...] = (
    (
        5,
        True,
        [[(0.3, 0.12), (0.2, 0.5), (0.7, 0.42), (0.95, 0.7), (0.6, 1.02), (0.0, 0.92)], [(0.4, 0.0), (1.1, -0.08)]],
    ),
    (
        5,
        True,
        [[(0.2, 0.25), (0.15, 0.55), (0.6, 0.5), (0.8, 0.75), (0.5, 1.0), (0.0, 0.95)], [(0.35, 0.1), (1.2, 0.0)]],
    ),
    (5, True, [[(0.9, 0.0), (0.3, 0.02), (0.15, 0.4), (0.75, 0.5), (0.7, 0.9), (0.3, 1.02), (0.0, 0.9)]]),
    (5, False, [[(-0.15, 0.55), (0.15, 1.0), (0.35, 0.05), (1.2, 0.0)]]),
    (5, False, [[(0.0, 0.7), (0.2, 1.0), (0.4, 0.1), (1.1, 0.05)]]),
    (5, True, [[(0.0, 0.75), (0.25, 1.05), (0.5, 0.85), (0.35, 0.4), (0.4, 0.05), (1.3, -0.05)]]),
    (5, True, [[(-0.1, 0.85), (0.3, 1.05), (0.65, 0.8), (0.25, 0.5), (0.3, 0.05), (0.5, 0.0), (1.2, 0.0)]]),
    (5, True, [[(0.0, 0.9), (0.45, 1.0), (0.6, 0.7), (0.2, 0.4), (0.3, 0.05), (1.1, 0.02)]]),
    (5, False, [[(0.35, 0.1), (0.3, 0.45), (0.7, 0.55), (0.55, 0.95), (0.0, 1.0)], [(0.4, 0.05), (1.0, 0.02)]]),
    (7, False, [[(0.45, 0.0), (0.35, 1.0)], [(0.0, 0.5), (0.9, 0.42)]]),
    (7, False, [[(0.25, 0.12), (0.65, 0.0), (0.4, 1.0)], [(0.0, 0.5), (1.0, 0.42)]]),
    (7, True, [[(0.2, 0.3), (0.5, 0.0), (0.65, 0.1), (0.45, 1.0)], [(0.0, 0.55), (1.1, 0.45)]]),
    (7, False, [[(0.0, 0.1), (0.6, 0.05), (0.4, 1.0)], [(-0.1, 0.5), (1.0, 0.42)]]),
    (7, False, [[(0.35, 0.05), (0.6, 0.0), (0.4, 1.0)], [(0.0, 0.48), (0.95, 0.4)]]),
    (7, True, [[(0.0, 0.2), (0.2, 0.0), (0.5, 0.1), (0.95, 0.0), (0.6, 0.5), (0.4, 1.0)], [(0.2, 0.55), (0.9, 0.48)]]),
    (4, False, [[(0.3, 0.0), (0.0, 0.5), (0.8, 0.5)], [(0.95, 0.1), (0.4, 1.0)]]),
    (4, False, [[(0.5, 0.0), (0.0, 0.62), (1.0, 0.55)], [(0.95, 0.3), (0.55, 1.05)]]),
    (4, True, [[(0.15, 0.0), (0.05, 0.45), (0.4, 0.55), (0.85, 0.3), (1.0, 0.0), (0.8, 0.55), (0.6, 1.05)]]),
    (9, True, [[(0.85, 0.1), (0.4, 0.0), (0.05, 0.25), (0.4, 0.5), (0.85, 0.2), (0.9, 0.05), (0.75, 0.6), (0.7, 1.0)]]),
    (
        9,
        True,
        [[(0.85, 0.15), (0.4, 0.0), (0.1, 0.25), (0.4, 0.48), (0.85, 0.2), (0.85, 0.7), (0.5, 1.05), (0.05, 0.9)]],
    ),
    (
        9,
        True,
        [[(0.3, 0.5), (0.05, 0.25), (0.4, 0.0), (0.75, 0.2), (0.45, 0.5), (0.3, 0.45)], [(0.75, 0.15), (0.65, 1.0)]],
    ),
    (9, True, [[(0.1, 0.55), (0.7, 0.3), (0.6, 0.0), (0.2, 0.05), (0.05, 0.5), (0.25, 1.0), (0.9, 0.9)]]),
    (9, True, [[(0.15, 0.5), (0.65, 0.35), (0.7, 0.05), (0.35, 0.0), (0.2, 0.4), (0.3, 0.9), (0.7, 1.0)]]),
    (9, False, [[(0.3, 0.05), (0.25, 1.0)], [(0.25, 0.1), (0.6, 0.0), (0.85, 0.2), (0.6, 0.42), (0.25, 0.48)]]),
    (9, True, [[(0.25, 1.05), (0.3, 0.2), (0.6, -0.05), (0.9, 0.15), (0.65, 0.42), (0.3, 0.45)]]),
    (9, True, [[(0.6, 0.45), (0.15, 0.4), (0.1, 0.1), (0.5, 0.0), (0.75, 0.25), (0.6, 0.7), (0.3, 1.05)]]),
    (1, True, [[(-0.4, 0.6), (0.1, 0.3), (0.5, -0.05), (0.4, 0.5), (0.3, 1.0)]]),
    (1, True, [[(0.0, 0.4), (0.4, 0.1), (0.55, 0.0), (0.5, 0.5), (0.45, 0.95), (0.7, 0.95)]]),
    (1, False, [[(0.1, 0.3), (0.5, 0.0), (0.4, 1.0)], [(0.0, 1.0), (0.9, 0.97)]]),
    (
        2,
        True,
        [[(0.05, 0.25), (0.45, 0.0), (0.85, 0.2), (0.4, 0.8), (0.1, 1.0), (0.05, 0.8), (0.4, 0.85), (1.1, 0.95)]],
    ),
    (2, True, [[(0.1, 0.2), (0.5, 0.0), (0.8, 0.25), (0.35, 0.85), (0.05, 1.0), (0.15, 0.8), (0.7, 1.0), (1.2, 0.85)]]),
    (1, False, [[(-0.3, 0.7), (0.5, 0.0), (0.3, 1.0)]]),
    (1, False, [[(-0.6, 0.85), (0.6, 0.0), (0.3, 1.05)]]),
    (1, False, [[(0.1, 0.35), (0.6, 0.0), (0.2, 1.0)]]),
    (1, False, [[(0.5, 0.0), (0.4, 1.0)]]),
    (
        8,
        True,
        [
            [
                (0.85, 0.1),
                (0.4, 0.0),
                (0.15, 0.22),
                (0.5, 0.5),
                (0.8, 0.8),
                (0.4, 1.0),
                (0.1, 0.78),
                (0.5, 0.45),
                (0.9, 0.05),
            ]
        ],
    ),
    (3, False, [[(0.1, 0.0), (0.9, 0.02), (0.4, 0.4), (0.85, 0.6), (0.7, 0.95), (0.0, 1.0)]]),
    (6, True, [[(0.8, 0.0), (0.2, 0.35), (0.05, 0.8), (0.45, 1.02), (0.8, 0.8), (0.5, 0.55), (0.1, 0.75)]]),
    (0, True, [[(0.6, 0.05), (0.2, 0.1), (0.0, 0.6), (0.3, 1.0), (0.8, 0.8), (0.85, 0.3), (0.5, 0.0), (0.3, 0.15)]]),
)
# The strokes of each digit's styles, and whether they have no corners.
STYLES_OF: dict[int, list[tuple[list[list[tuple[float, float]]], bool]]] = {}
for _name, (_label, _strokes) in _STYLES.items():
    STYLES_OF.setdefault(_label, []).append((_strokes, _name in _ROUND))
for _label, _rounded, _strokes in _ON_CHEQUES:
    STYLES_OF.setdefault(_label, []).append((_strokes, _rounded))
# Strokes are drawn at this many pixels for one of the glyph.
_FINE = 8


def draw_style(style: str, rng: np.random.Generator) -> tuple[Uint8, int]:
    """Draw one digit in a style, its points astray, its strokes bent; return the glyph (28, 28) and its label."""
    label, strokes = _STYLES[style]
    aspect = rng.uniform(0.4, 0.62) if label == 1 else rng.uniform(0.5, 0.85)
    slant = rng.normal(0.1, 0.15)
    size = _FINE * DIGIT_BOX
    canvas = np.zeros((2 * size, 3 * size), np.uint8)
    thick = max(2, round(_FINE * rng.uniform(1.6, 3.2)))
    for stroke in strokes:
        points = np.array(stroke) + rng.normal(0, _STRAY, (len(stroke), 2))
        x = points[:, 0] * aspect + slant * (0.5 - points[:, 1]) + 1
        line = np.stack([x, points[:, 1] + 0.5], axis=1) * size
        line = _round(line) if style in _ROUND else _bend(line, rng)
        cv2.polylines(canvas, [np.rint(line).astype(np.int32)], False, 255, thick, cv2.LINE_AA)
    ink = cv2.GaussianBlur(canvas, (0, 0), _FINE / 3).astype(np.float32) / 255
    return place_glyph(_fit_box(ink.astype(np.float32))), label


def bend_style(stroke: list[tuple[float, float]], rng: np.random.Generator, *, rounded: bool) -> Float64:
    """Return the points (n, 2) of a style's stroke, astray, its lines bent or its corners cut off."""
    points = np.array(stroke, np.float64) + rng.normal(0, _STRAY, (len(stroke), 2))
    return _round(points) if rounded else _bend(points, rng)


def restyle(glyphs: Uint8, labels: Uint8, share: float, rng: np.random.Generator) -> Uint8:
    """Return the glyphs (n, 28, 28) with this share of the digits that have a style of their own drawn in one."""
    changed = glyphs.copy()
    for row, label in enumerate(labels):
        own = [name for name in STYLES if _STYLES[name][0] == label]
        if own and rng.random() < share:
            changed[row] = draw_style(str(rng.choice(own)), rng)[0]
    return changed


def round_off(glyphs: Uint8, labels: Uint8, rng: np.random.Generator) -> tuple[Uint8, Uint8]:
    """Return a number (n, 28, 28), (n,) that ends in two or three 0s written in one go; its first digit stays."""
    glyphs, labels = glyphs.copy(), labels.copy()
    for row in range(max(1, len(labels) - int(rng.integers(2, 4))), len(labels)):
        glyphs[row], labels[row] = draw_style(str(rng.choice(_TAILED)), rng)
    return glyphs, labels


def _bend(points: Float64, rng: np.random.Generator) -> Float64:
    """Join points by lines that bulge a little, with corners rounded."""
    parts = []
    for start, end in pairwise(points):
        along = np.linspace(0, 1, 12)[:, None]
        across = np.array([start[1] - end[1], end[0] - start[0]]) * rng.normal(0, 0.06)
        parts.append(start + (end - start) * along + across * 4 * along * (1 - along))
    line = np.concatenate(parts)
    kernel = np.ones(3) / 3
    for axis in (0, 1):
        line[1:-1, axis] = np.convolve(line[:, axis], kernel, mode="valid")
    return line


def _round(points: Float64) -> Float64:
    """Cut the corners of a line (n, 2) off, and off what that leaves, until none is seen (Chaikin, 1974)."""
    for _time in range(4):
        starts, ends = points[:-1], points[1:]
        cut = np.stack([0.75 * starts + 0.25 * ends, 0.25 * starts + 0.75 * ends], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut, points[-1:]])
    return points


def _fit_box(ink: Float32) -> Float32:
    rows, columns = np.flatnonzero(ink.max(axis=1) > 0.1), np.flatnonzero(ink.max(axis=0) > 0.1)
    crop = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = DIGIT_BOX / max(crop.shape)
    size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    return np.clip(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), 0, 1).astype(np.float32)
