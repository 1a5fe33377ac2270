"""Distortions of network input: their parameters, drawn in NumPy for a whole pass. A backend only warps.

The affine part is the paper's (section III.B; the ranges were recovered from its Fig. 7); rotation and the
elastic part came later. `lenet.engine.warp` says what the parameters do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenet.arrays import Float32, Float64
from lenet.engine.warp import AFFINE, CONTROL


@dataclass(frozen=True)
class Ranges:
    """How far to distort: each value is drawn uniformly in plus or minus its range, independently.

    `zoom` and `squeeze` are natural logarithms of factors; `rotation` is in radians; `shear` is horizontal,
    pixels per pixel; `shift` is in pixels, both ways. `elastic` is the standard deviation in pixels of the
    displacement of each of 5x5 control points, both ways, joined by cubic B-splines.
    """

    zoom: float = 0.0
    squeeze: float = 0.0
    rotation: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    elastic: float = 0.0


@dataclass(frozen=True)
class Figure7:
    """Section III.B's distortions in the form that its Fig. 7 shows: the digit moves, each value drawn independently.

    From the field's centre, (x, y) goes to (sx x + k (y - pivot) + tx, sy (y - baseline) + baseline + ty): scaled on
    the baseline of the 20x20 box, sheared about a line below the middle; no rotation. The inverse of the common scale
    sqrt(sx sy) is drawn log-uniformly from `shrink_low` to `shrink_high`, the logarithm of sqrt(sx / sy) in plus or
    minus `squeeze`, k / sx in plus or minus `shear`, tx and ty, in pixels, in plus or minus `shift`. The form was
    recovered from the figure's hundred digits to a thousandth, the limits to a few per cent.
    """

    shrink_low: float = 0.77
    shrink_high: float = 1.40
    squeeze: float = 0.1
    shear: float = 0.14
    shift: float = 2.0
    baseline: float = 10.9
    pivot: float = 3.0


FIGURE_7 = Figure7()


def draw(ranges: Ranges | Figure7, n: int, rng: np.random.Generator) -> Float32:
    """Draw (n, 56) float32 parameters: where each output pixel looks, as 6 affine and 2x25 elastic values.

    The affine six are (a, b, c, d, e, f): from the field's centre, output (x, y) looks at
    (a x + b y + c, d x + e y + f). The elastic values are displacements in pixels, x first, then y.
    """
    bends = (n, 2 * CONTROL**2)
    if isinstance(ranges, Figure7):
        affine, elastic = _draw_as_written(ranges, n, rng), np.zeros(bends)
    else:
        affine = _draw_affine(ranges, n, rng)
        elastic = ranges.elastic * rng.standard_normal(bends) if ranges.elastic else np.zeros(bends)
    return np.concatenate([np.stack(affine, axis=1), elastic], axis=1).astype(np.float32)


def _draw_affine(ranges: Ranges, n: int, rng: np.random.Generator) -> list[Float64]:
    limits = [ranges.zoom, ranges.squeeze, ranges.rotation, ranges.shear, ranges.shift, ranges.shift]
    zoom, squeeze, turn, shear, right, down = rng.uniform(-1, 1, (AFFINE, n)) * np.array(limits)[:, None]
    wide, high = np.exp(zoom + squeeze), np.exp(zoom - squeeze)
    cos, sin = np.cos(turn), np.sin(turn)
    return [wide * cos, wide * (shear * cos - sin), right, high * sin, high * (shear * sin + cos), down]


def _draw_as_written(ranges: Figure7, n: int, rng: np.random.Generator) -> list[Float64]:
    """Draw how the digit moves, and return where each pixel looks: the inverse."""
    size = 1 / (ranges.shrink_low * (ranges.shrink_high / ranges.shrink_low) ** rng.uniform(0, 1, n))
    limits = np.array([ranges.squeeze, ranges.shear, ranges.shift, ranges.shift])
    squeeze, shear, right, down = rng.uniform(-1, 1, (4, n)) * limits[:, None]
    wide, high = size * np.exp(squeeze), size / np.exp(squeeze)
    f = ranges.baseline - (ranges.baseline + down) / high
    c = shear * (ranges.pivot - f) - right / wide
    return [1 / wide, -shear / high, c, np.zeros(n), 1 / high, f]
