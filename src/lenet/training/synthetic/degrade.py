"""What paper, pens and cameras do to writing: slant, width, blur, noise, uneven light, pale or inverted ink."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Float32, Int32, Uint8
from lenet.preprocessing.morphology import make_disc
from lenet.training.synthetic.compose import Writing

# The height of a digit's 20x20 box on the page, in pixels, drawn on a logarithmic scale.
_HEIGHTS = (14.0, 72.0)
_MARGIN = 6
# A crisp picture of one sign has its glyph so many times as large, with paper around it, in pixels of the glyph; the
# rest are photographed, by this share.
_ENLARGED, _AROUND, _PHOTOGRAPHED = (2.0, 4.0), 8, 0.5
# This share of the paper is printed with a pattern, as cheques are.
_PATTERNED = 0.2


@dataclass(frozen=True)
class Photograph:
    """A picture of writing: `grey` (H, W) uint8 and, pixel by pixel, whose ink it is (0: nobody's)."""

    grey: Uint8
    owners: Int32
    text: str


def degrade(writing: Writing, rng: np.random.Generator) -> Photograph:
    """Write the number with another pen and slant at another size, and take its picture."""
    height = float(np.exp(rng.uniform(*np.log(_HEIGHTS))))
    scale = height / 20
    slant = float(np.clip(rng.normal(0, 0.17), -0.45, 0.45))
    ink, owners = warp_writing(writing, scale, float(np.exp(rng.normal(0, 0.12))), slant, float(rng.normal(0, 0.03)))
    ink = _vary_pen(ink, scale, rng)
    ink = cv2.GaussianBlur(ink, (0, 0), max(0.25, height * abs(rng.normal(0, 0.02)))).astype(np.float32)
    ink = _wear(ink, rng) if rng.random() < 0.25 else ink
    return Photograph(_expose(ink, rng), owners, writing.text)


def picture_sign(glyph: Uint8, rng: np.random.Generator) -> Uint8:
    """Take a picture of one sign, a glyph (28, 28): photographed, or crisp and larger."""
    ink = glyph.astype(np.float32) / np.float32(255)
    if rng.random() < _PHOTOGRAPHED:
        return degrade(Writing(ink, np.zeros(ink.shape, np.int32), ""), rng).grey
    enlarged = float(rng.uniform(*_ENLARGED))
    page = cv2.resize(np.pad(ink, _AROUND), None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_CUBIC)
    return (255 - np.rint(np.clip(page, 0, 1) * 220)).astype(np.uint8)


def warp_writing(writing: Writing, scale: float, aspect: float, slant: float, turn: float) -> tuple[Float32, Int32]:
    """Enlarge, squeeze, slant and turn writing; return its ink and owners on a page that holds all of it."""
    matrix = np.array([[scale * aspect, -slant * scale], [0, scale]])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = rotation @ matrix
    height, width = writing.ink.shape
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height]], float)
    low = corners.min(axis=1) - _MARGIN
    size = tuple(int(side) for side in np.ceil(corners.max(axis=1) - low + _MARGIN))
    full = np.concatenate([matrix, -low[:, None]], axis=1)
    # Pixel centres map to pixel centres.
    full[:, 2] += matrix @ [0.5, 0.5] - 0.5
    source = writing.ink
    if scale * aspect < 0.9:
        source = cv2.GaussianBlur(source, (0, 0), 0.5 / scale).astype(np.float32)
    ink = cv2.warpAffine(source, full, size, flags=cv2.INTER_CUBIC)
    owners = cv2.warpAffine(writing.owners.astype(np.float32), full, size, flags=cv2.INTER_NEAREST)
    return np.clip(ink, 0, 1).astype(np.float32), owners.astype(np.int32)


def _vary_pen(ink: Float32, scale: float, rng: np.random.Generator) -> Float32:
    """Write with a thicker or a thinner pen, by up to a pixel of a glyph on either side."""
    reach = rng.normal(0, 0.35) * scale
    radius = round(abs(reach))
    if not radius or rng.random() < 0.3:
        return ink
    disc = make_disc(radius)
    changed = cv2.dilate(ink, disc) if reach > 0 else cv2.erode(ink, disc)
    # A pen that is too thin to be seen is no pen.
    if reach < 0 and float((changed > 0.5).sum()) < 0.35 * float((ink > 0.5).sum()):
        return ink
    return changed.astype(np.float32)


def _wear(ink: Float32, rng: np.random.Generator) -> Float32:
    """Let the pen skip: its ink varies slowly along the stroke, or is made black and white."""
    if rng.random() < 0.5:
        return (ink > rng.uniform(0.35, 0.65)).astype(np.float32)
    coarse = rng.uniform(0.45, 1.0, (max(2, ink.shape[0] // 6), max(2, ink.shape[1] // 6))).astype(np.float32)
    return (ink * cv2.resize(coarse, (ink.shape[1], ink.shape[0]), interpolation=cv2.INTER_LINEAR)).astype(np.float32)


def _draw_pattern(shape: tuple[int, ...], rng: np.random.Generator) -> Float32:
    """Return one or two sets of thin wavy lines, 0 to 1."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    lines = np.zeros(shape, np.float32)
    for _set in range(int(rng.integers(1, 3))):
        angle, period = rng.uniform(0, np.pi), shape[0] * rng.uniform(0.05, 0.2)
        across, along = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        waves = rng.uniform(0, 1.5) * period * np.sin(along * rng.uniform(0.5, 3) / period)
        lines = np.maximum(lines, np.exp(-((np.sin(np.pi * (across + waves) / period) / rng.uniform(0.2, 0.6)) ** 2)))
    return lines.astype(np.float32)


def _expose(ink: Float32, rng: np.random.Generator) -> Uint8:
    """Turn ink into grey: paper and pen of some contrast, either polarity, a gradient of light, noise."""
    contrast = rng.uniform(60, 230)
    paper = rng.uniform(contrast, 250)
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    light = (along / max(1.0, float(np.ptp(along)))) * rng.uniform(0, 30)
    sigma = abs(rng.normal(0, 3)) if rng.random() < 0.6 else 0.0
    if rng.random() < _PATTERNED:
        light = light + rng.uniform(0.05, 0.3) * contrast * _draw_pattern(ink.shape, rng)
    grey = paper - contrast * ink - light + rng.normal(0, sigma, ink.shape)
    grey = np.clip(np.rint(grey), 0, 255)
    return (255 - grey if rng.random() < 0.15 else grey).astype(np.uint8)
