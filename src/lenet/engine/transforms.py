"""Ways to change a glyph by an amount: where it stands, how large and how slanted it is, its strokes, noise."""

from __future__ import annotations

from math import cos, radians, sin

import numpy as np

from lenet.arrays import Float32, Float64, Uint8
from lenet.engine import distort
from lenet.engine.warp import PARAMETERS
from lenet.network.inputs import to_input

# What the field looks at, as the rows a b c and d e f of `lenet.training.distortions.draw`.
Affine = tuple[float, float, float, float, float, float]


def sample_affine(glyphs: Uint8, affine: Affine) -> Float32:
    """Sample every glyph's field through one affine map: (n, 28, 28) -> network input (n, 1, 32, 32)."""
    inputs = to_input(glyphs)
    parameters = np.zeros((len(inputs), PARAMETERS), np.float32)
    parameters[:, :6] = affine
    return distort(inputs, parameters)


def place_affine(right: float, down: float, size: float, turn: float, squeeze: float, slant: float) -> Affine:
    """Return the map that shows a glyph squeezed, `size` times as large, slanted, turned and moved, in this order.

    Shifts are in pixels, `turn` in degrees clockwise; `squeeze` makes it so many times as wide and as much lower;
    `slant` is in degrees to the right.
    """
    c, s = cos(radians(turn)), sin(radians(turn))
    shown: Float64 = np.array([[c, -s], [s, c]]) @ np.array([[1, -np.tan(radians(slant))], [0, 1]])
    shown = size * shown @ np.diag([squeeze, 1 / squeeze])
    looks = np.linalg.inv(shown)
    shift = -looks @ np.array([right, down])
    a, b, d, e = (float(each) for each in looks.ravel())
    return a, b, float(shift[0]), d, e, float(shift[1])


def thicken(glyphs: Uint8, pixels: float) -> Uint8:
    """Widen strokes by so many pixels on every side, or make them thinner; grey dilation and erosion, part by part."""
    grown, darkest = glyphs, np.maximum if pixels > 0 else np.minimum
    whole, part = divmod(abs(pixels), 1)
    for step in range(int(whole) + (part > 0)):
        framed = np.pad(grown, ((0, 0), (1, 1), (1, 1)))
        more = grown
        for beside in (framed[:, 1:-1, :-2], framed[:, 1:-1, 2:], framed[:, :-2, 1:-1], framed[:, 2:, 1:-1]):
            more = darkest(more, beside)
        share = 1.0 if step < whole else part
        grown = more if share == 1.0 else np.rint(grown + share * (more.astype(np.float32) - grown)).astype(np.uint8)
    return grown


def flip_pixels(glyphs: Uint8, share: float) -> Uint8:
    """Invert a share, in per cent, of the pixels of the glyphs; the same ones whenever they are as many."""
    flips = np.random.default_rng(13).random(glyphs.shape) < share / 100
    return np.where(flips, 255 - glyphs, glyphs).astype(np.uint8)
