"""Distortions of network input: their parameters, drawn in NumPy for a whole pass. A backend only warps.

The affine part is the paper's (section III.B; the ranges were recovered from its Fig. 7); rotation and the
elastic part came later. `lenet.engine.warp` says what the parameters do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenet.arrays import Float32
from lenet.engine.warp import AFFINE, CONTROL


@dataclass(frozen=True)
class Ranges:
    """How far to distort: each value is drawn uniformly in plus or minus its range, independently.

    `zoom` and `squeeze` are natural logarithms of factors; `rotation` is in radians; `shear` is horizontal,
    pixels per pixel; `shift` is in pixels, both ways. `elastic` is the standard deviation in pixels of the
    displacement of each of 5x5 control points, both ways, joined by cubic B-splines.
    `smaller` moves the middle of the zoom: digits are exp(smaller) times smaller on average. `baseline` and `pivot`
    are pixels below the centre of the field: what vertical scaling and shear leave in place.
    """

    zoom: float = 0.0
    squeeze: float = 0.0
    rotation: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    elastic: float = 0.0
    smaller: float = 0.0
    baseline: float = 0.0
    pivot: float = 0.0


# Section III.B, as recovered from the hundred digits of Fig. 7: their form to a thousandth, their limits to a few per
# cent. Sizes 0.72 to 1.30, squeezed by 10 % either way, standing on the baseline of the 20x20 box; no rotation.
FIGURE_7 = Ranges(zoom=0.297, squeeze=0.1, shear=0.14, shift=2.0, smaller=0.037, baseline=10.9, pivot=3.0)


def draw(ranges: Ranges, n: int, rng: np.random.Generator) -> Float32:
    """Draw (n, 56) float32 parameters: where each output pixel looks, as 6 affine and 2x25 elastic values.

    The affine six are (a, b, c, d, e, f): from the field's centre, output (x, y) looks at
    (a x + b y + c, d x + e y + f). The elastic values are displacements in pixels, x first, then y.
    """
    limits = [ranges.zoom, ranges.squeeze, ranges.rotation, ranges.shear, ranges.shift, ranges.shift]
    zoom, squeeze, turn, shear, right, down = rng.uniform(-1, 1, (AFFINE, n)) * np.array(limits)[:, None]
    zoom += ranges.smaller
    wide, high = np.exp(zoom + squeeze), np.exp(zoom - squeeze)
    right -= wide * shear * ranges.pivot
    down += (1 - high) * ranges.baseline
    cos, sin = np.cos(turn), np.sin(turn)
    affine = [wide * cos, wide * (shear * cos - sin), right, high * sin, high * (shear * sin + cos), down]
    bends = (n, 2 * CONTROL**2)
    elastic = ranges.elastic * rng.standard_normal(bends) if ranges.elastic else np.zeros(bends)
    return np.concatenate([np.stack(affine, axis=1), elastic], axis=1).astype(np.float32)
