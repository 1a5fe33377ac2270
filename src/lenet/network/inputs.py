"""From glyphs to network input: the one function that training and reading share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lenet.arrays import Float32, Uint8, percentile
from lenet.network.spec import BACKGROUND, FOREGROUND, GLYPH_SIZE, INPUT_SIZE

# A line is seen so many pixels high.
LINE_HEIGHT = 32
# Of a line's greys the paper is the 20th percentile, the pen the 99.5th, at least so many levels of 255 apart.
_PAPER, _PEN, _LEAST_CONTRAST = 20.0, 99.5, 20.0
# A strip keeps -0.5 to 1.5, where paper is 0 and pen 1, in 256 steps.
_STEPS = 127.5
# Which of them paper and pen are.
PAPER_GREY, PEN_GREY = 64, 191

_MARGIN = (INPUT_SIZE - GLYPH_SIZE) // 2
# One entry per grey level, rounded once from float64, so that every caller gets the same bits.
INPUT_OF_GREY = (BACKGROUND + (FOREGROUND - BACKGROUND) * np.arange(256) / 255).astype(np.float32)


def to_input(glyphs: npt.ArrayLike) -> Float32:
    """Map glyphs (n, 28, 28) uint8 to network input (n, 1, 32, 32) float32 in [-0.1, 1.175].

    Each glyph stands in the middle of a field of background (sections II.B and III.A of the paper).
    Raises ValueError for another shape or type.
    """
    greys = as_glyphs(glyphs)
    field = np.full((len(greys), 1, INPUT_SIZE, INPUT_SIZE), INPUT_OF_GREY[0], np.float32)
    inside = slice(_MARGIN, _MARGIN + GLYPH_SIZE)
    field[:, 0, inside, inside] = INPUT_OF_GREY[greys]
    return field


def to_wide_input(field: Uint8) -> Float32:
    """Map a field of greys (32, W) uint8, 0 for paper and 255 for pen, to network input (1, 1, 32, W) float32."""
    return np.ascontiguousarray(INPUT_OF_GREY[field])[None, None]


def field_greys(inputs: Float32) -> Uint8:
    """Map network input (n, 1, 32, 32) to the greys of the whole field (n, 32, 32) uint8, 255 for pen."""
    greys = (inputs[:, 0] - BACKGROUND) * (255 / (FOREGROUND - BACKGROUND))
    return np.clip(np.rint(greys), 0, 255).astype(np.uint8)


def from_input(inputs: Float32) -> Uint8:
    """Map network input (n, 1, 32, 32) back to glyphs (n, 28, 28) uint8; what stands in the margin is lost."""
    inside = slice(_MARGIN, _MARGIN + GLYPH_SIZE)
    return field_greys(inputs)[:, inside, inside]


def as_glyphs(glyphs: npt.ArrayLike) -> Uint8:
    """Return (n, 28, 28) uint8 glyphs, 0 for paper and 255 for pen; one (28, 28) glyph becomes n = 1.

    Raises ValueError naming the shape or the type found.
    """
    array = np.asarray(glyphs)
    if array.dtype != np.uint8:
        raise ValueError(f"glyphs of type {array.dtype}: expected uint8, 0 for paper and 255 for pen")
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or array.shape[1:] != (GLYPH_SIZE, GLYPH_SIZE):
        raise ValueError(f"glyphs of shape {array.shape}: expected (n, {GLYPH_SIZE}, {GLYPH_SIZE})")
    return array


def standardise_line(greys: Uint8 | Float32, least: float = _LEAST_CONTRAST) -> Uint8:
    """Map a line's greys (32, W), bright for pen, to its strip (32, W) uint8: 64 for paper, 191 for pen.

    A pen is taken to differ from the paper by `least` levels at least.
    """
    values = np.asarray(greys, np.float32)
    paper, pen = percentile(values, _PAPER), percentile(values, _PEN)
    scaled = (values - np.float32(paper)) / np.float32(max(pen - paper, least))
    return np.clip(np.rint((scaled + 0.5) * _STEPS), 0, 255).astype(np.uint8)


def measure_contrast(greys: Uint8) -> float:
    """Return by how many levels the pen differs from the paper in greys (h, w), dark for pen."""
    return percentile(greys, 100 - _PAPER) - percentile(greys, 100 - _PEN)


def to_line_input(strips: Uint8) -> Float32:
    """Map strips (n, 32, W) uint8 to network input (n, 1, 32, W): 0 for paper, about 1 for pen."""
    return (strips.astype(np.float32) / np.float32(_STEPS) - np.float32(0.5))[:, None]
