"""A line seen anew each time that it is learned from: stretched, shifted, leaning a little, in another light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Float32, Int32, Uint8
from lenet.network.inputs import LINE_HEIGHT, to_line_input

# This share of the batches is stretched, to at least so many pixels and a multiple of four.
_STRETCHED, _NARROWEST, _STEP = 0.7, 32, 4


@dataclass(frozen=True)
class Variation:
    """How a batch of n lines is changed: by `gain`, `bias` and the deviation `noise` of its values, each (n,).

    A line that is `width` wide becomes `wanted` wide. Row y of it, from -1 to 1, comes from row
    `lean` * x + `tall` * y + `drop`, with x along the line from -1 to 1.
    """

    gain: Float32
    bias: Float32
    noise: Float32
    width: int
    wanted: int
    tall: float = 1.0
    lean: float = 0.0
    drop: float = 0.0

    @property
    def moved(self) -> bool:
        """Whether any pixel is to be looked for elsewhere."""
        return (self.wanted, self.tall, self.lean, self.drop) != (self.width, 1.0, 0.0, 0.0)

    def widen(self, widths: Int32) -> Int32:
        """Return the widths (n,) of what is written, stretched."""
        if not self.moved:
            return widths
        return np.minimum(np.ceil(widths * (self.wanted / self.width)), self.wanted).astype(np.int32)


def draw_variation(n: int, width: int, rng: np.random.Generator) -> Variation:
    """Draw how n lines are changed: by up to an eighth in height, a seventh in width, each in a light of its own."""
    gain, bias, noise = rng.uniform(0.875, 1.125, n), rng.normal(0, 0.1, n), 0.06 * rng.random(n) ** 2
    light = gain.astype(np.float32), bias.astype(np.float32), noise.astype(np.float32)
    if rng.random() >= _STRETCHED:
        return Variation(*light, width, width)
    wanted = max(_NARROWEST, round(width * float(rng.uniform(0.85, 1.15)) / _STEP) * _STEP)
    tall, lean, drop = rng.uniform(0.88, 1.12), rng.normal(0, 0.02), rng.uniform(-0.06, 0.06)
    return Variation(*light, width, wanted, float(tall), float(lean), float(drop))


def vary_lines(strips: Uint8, change: Variation, rng: np.random.Generator) -> Float32:
    """Return strips (n, 32, w) as varied network input (n, 1, 32, w')."""
    x = to_line_input(strips)
    light = (change.gain, change.bias, change.noise)
    gain, bias, noise = (each[:, None, None, None] for each in light)
    x = x * gain + bias + noise * rng.standard_normal(x.shape, np.float32)
    if not change.moved:
        return np.ascontiguousarray(x, np.float32)
    half, along = LINE_HEIGHT / 2, change.width / change.wanted
    # Pixel j of a row of n stands at (2 j + 1) / n - 1.
    down = half * (change.lean * (1 / change.wanted - 1) + change.tall * (1 / LINE_HEIGHT - 1) + change.drop + 1) - 0.5
    lean = half * change.lean * 2 / change.wanted
    matrix = np.array([[along, 0, (along - 1) / 2], [lean, change.tall, down]], np.float64)
    out = np.empty((len(x), 1, LINE_HEIGHT, change.wanted), np.float32)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for line, to in zip(x[:, 0], out[:, 0], strict=True):
        to[:] = cv2.warpAffine(line, matrix, (change.wanted, LINE_HEIGHT), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return out
