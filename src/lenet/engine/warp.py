"""The readable truth of a distortion: network input sampled bilinearly at displaced places.

Outside the field is background, -0.1. The affine part is the paper's (section III.B); the elastic part came later
(Simard, Steinkraus and Platt, 2003). `lenet.training.distortions` draws the parameters.
"""

from __future__ import annotations

import numpy as np

from lenet.arrays import Float32, Float64
from lenet.network.spec import BACKGROUND, INPUT_SIZE

AFFINE = 6
CONTROL = 5
PARAMETERS = AFFINE + 2 * CONTROL**2


def spline_basis() -> Float64:
    """Return (25, 1024): how much each control point moves each pixel of the field, by cubic B-splines.

    The control points are spread evenly from the first pixel to the last; the rows add up to 1 at each pixel.
    """
    place = np.linspace(0, CONTROL - 1, INPUT_SIZE)
    distance = np.abs(place[:, None] - np.arange(CONTROL))
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.maximum(2 - distance, 0) ** 3 / 6
    line = np.where(distance < 1, near, far)
    line /= line.sum(axis=1, keepdims=True)
    return np.einsum("yi,xj->ijyx", line, line).reshape(CONTROL**2, INPUT_SIZE**2)


def places(parameters: Float32) -> tuple[Float64, Float64]:
    """Return the (n, 1024) x and y, in pixels from the top left pixel's centre, where each pixel looks."""
    centre = (INPUT_SIZE - 1) / 2
    y, x = (axis.reshape(-1) - centre for axis in np.mgrid[:INPUT_SIZE, :INPUT_SIZE])
    a, b, c, d, e, f = parameters[:, :AFFINE].astype(np.float64).T[:, :, None]
    elastic = parameters[:, AFFINE:].astype(np.float64).reshape(-1, 2, CONTROL**2) @ spline_basis()
    return a * x + b * y + c + elastic[:, 0] + centre, d * x + e * y + f + elastic[:, 1] + centre


def warp(inputs: Float32, parameters: Float32) -> Float32:
    """Distort (n, 1, 32, 32) network input by (n, 56) parameters; the truth that all backends are held to."""
    x, y = places(parameters)
    left, top = np.floor(x), np.floor(y)
    right_share, bottom_share = x - left, y - top
    # A frame of background, so that a look outside needs no special case.
    framed = np.pad(inputs[:, 0], ((0, 0), (1, 1), (1, 1)), constant_values=BACKGROUND).astype(np.float64)
    images = np.arange(len(inputs))[:, None]

    def grey(row: Float64, column: Float64) -> Float64:
        edge = INPUT_SIZE + 1
        rows = np.clip(row + 1, 0, edge).astype(np.int64)
        return framed[images, rows, np.clip(column + 1, 0, edge).astype(np.int64)]

    upper = grey(top, left) * (1 - right_share) + grey(top, left + 1) * right_share
    lower = grey(top + 1, left) * (1 - right_share) + grey(top + 1, left + 1) * right_share
    warped = upper * (1 - bottom_share) + lower * bottom_share
    return warped.reshape(inputs.shape).astype(np.float32)
