"""What is on the paper beside the writing of a line, and what light, scanners and cameras make of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Float32, Uint8

# The grey of a line's strip is drawn so many times finer than it is read.
FINE = 3
# A line of few pixels is at least so many high.
_COARSEST = 12
# The share of the lines that each of these is on, or happens to.
SHARES = {
    "framed": 0.05,
    "ruled": 0.3,
    "specked": 0.12,
    "worn": 0.25,
    "blurred": 0.8,
    "black": 0.06,
    "coarse": 0.04,
    "patterned": 0.4,
    "lit": 0.5,
    "shadowed": 0.05,
    "noisy": 0.65,
    "shrunk": 0.15,
    "compressed": 0.2,
}


@dataclass(frozen=True)
class LinePaper:
    """What is on the paper of a line beside its writing, and what happens to its picture.

    A frame or circle around a number, a form's lines, specks of dirt; a pen that skips; blur; black and white, of fine
    or of few pixels; a security pattern, light from one side, a shadow's edge, noise; fewer pixels, JPEG.
    """

    framed: bool = False
    ruled: bool = False
    specked: bool = False
    worn: bool = False
    blurred: bool = False
    black: bool = False
    coarse: bool = False
    patterned: bool = False
    lit: bool = False
    shadowed: bool = False
    noisy: bool = False
    shrunk: bool = False
    compressed: bool = False

    @classmethod
    def draw(cls, rng: np.random.Generator) -> LinePaper:
        """Return a paper drawn at random."""
        return cls(**{name: bool(rng.random() < share) for name, share in SHARES.items()})


def draw_rules(ink: Float32, foot: float, digit: float, rng: np.random.Generator) -> Float32:
    """Draw a form's lines into ink (H, W): above, under or through its lower part, across or down; return the ink."""
    height, width = ink.shape
    drawn = np.zeros(ink.shape, np.uint8)
    for _line in range(int(rng.integers(1, 3))):
        thick = max(1, round(digit * rng.uniform(0.015, 0.1)))
        if rng.random() < 0.78:
            place = (
                foot + digit * rng.uniform(-0.12, 0.3) if rng.random() < 0.6 else foot - digit * rng.uniform(1.0, 1.4)
            )
            rise = rng.normal(0, 0.012) * width
            ends = (0, round(place)), (width, round(place + rise))
            if rng.random() < 0.15:
                ends = (ends[0], (round(width * rng.uniform(0.3, 1)), ends[1][1]))
        else:
            x = round(float(rng.choice([rng.uniform(0, 0.05), rng.uniform(0.95, 1)])) * width)
            ends = (x, 0), (x + round(rng.normal(0, 2)), height)
        cv2.line(drawn, *ends, int(255 * rng.uniform(0.25, 1)), thick, cv2.LINE_AA)
    return np.maximum(ink, drawn.astype(np.float32) / 255)


def draw_specks(ink: Float32, digit: float, rng: np.random.Generator) -> Float32:
    """Scatter specks of dirt."""
    drawn = np.zeros(ink.shape, np.uint8)
    for _speck in range(int(rng.integers(1, 12))):
        place = int(rng.integers(ink.shape[1])), int(rng.integers(ink.shape[0]))
        cv2.circle(drawn, place, max(1, round(digit * rng.uniform(0.01, 0.05))), int(rng.integers(60, 255)), -1)
    return np.maximum(ink, drawn.astype(np.float32) / 255)


def _draw_waves(shape: tuple[int, int], rng: np.random.Generator) -> Float32:
    """Return what security paper is printed with (H, W), 0 to 1: sets of waves or dots, in any direction."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    lines = np.zeros(shape, np.float32)
    for _set in range(int(rng.integers(1, 4))):
        angle, period = rng.uniform(0, np.pi), shape[0] * float(np.exp(rng.uniform(np.log(0.04), np.log(0.35))))
        across, along = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        bent = rng.uniform(0, 1.5) * period * np.sin(along * rng.uniform(0.2, 2.5) / period + rng.uniform(0, 6))
        wave = np.sin(2 * np.pi * (across + bent) / period)
        lines = np.maximum(lines, np.exp(-(((1 - wave) / rng.uniform(0.15, 1.2)) ** 2)) * rng.uniform(0.4, 1))
    if rng.random() < 0.2:
        lines *= 0.5 + 0.5 * np.sin(2 * np.pi * x / (shape[0] * rng.uniform(0.04, 0.12)))
    return lines.astype(np.float32)


def expose_line(ink: Float32, on: LinePaper, rng: np.random.Generator) -> Uint8:
    """Take a picture of fine ink (3 h, 3 w), 0 to 1, on a paper: return grey (h, w), bright for ink."""
    seen = _see_ink(ink, on, rng)
    contrast = float(rng.uniform(45, 235))
    paper = float(rng.uniform(0, 250 - contrast))
    grey = paper + seen * contrast + _light_paper(seen, contrast, on, rng)
    return _compress(np.clip(np.rint(grey), 0, 255).astype(np.uint8), on, rng)


def _see_ink(ink: Float32, on: LinePaper, rng: np.random.Generator) -> Float32:
    """Return fine ink as a line is seen (h, w): of a pen that may skip, blurred, perhaps black and white."""
    size = ink.shape[1] // FINE, ink.shape[0] // FINE
    if on.worn:
        coarse = rng.uniform(rng.uniform(0.3, 0.9), 1.0, (max(2, size[1] // 5), max(2, size[0] // 5)))
        worn = cv2.resize(coarse.astype(np.float32), ink.shape[::-1], interpolation=cv2.INTER_LINEAR)
        ink = (ink * worn).astype(np.float32)
    blur = rng.uniform(0.1, 0.65) * FINE * (1 if rng.random() < 0.85 else 1.6)
    if on.blurred:
        ink = cv2.GaussianBlur(ink, (0, 0), blur).astype(np.float32)
    if on.coarse:  # as small scans are
        few = max(_COARSEST, round(size[1] * rng.uniform(0.4, 0.8))) / size[1]
        less = cv2.resize(ink, (max(2, round(size[0] * few)), round(size[1] * few)), interpolation=cv2.INTER_AREA)
        enlarge = cv2.INTER_NEAREST if rng.random() < 0.5 else cv2.INTER_LINEAR
        black = (less > rng.uniform(0.25, 0.5) * less.max()).astype(np.float32)
        return cv2.resize(black, size, interpolation=enlarge).astype(np.float32)
    if not on.black:
        return cv2.resize(ink, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    black = (ink > rng.uniform(0.3, 0.6)).astype(np.float32)
    seen = cv2.resize(black, size, interpolation=cv2.INTER_AREA)
    return seen.astype(np.float32) if rng.random() < 0.6 else (seen > 0.5).astype(np.float32)


def _light_paper(seen: Float32, contrast: float, on: LinePaper, rng: np.random.Generator) -> Float32:
    """Return what is added to ink of some contrast, in greys: printed patterns, light from one side, shadow, noise."""
    height, width = seen.shape
    added = np.zeros(seen.shape, np.float32)
    if on.patterned:  # it shows through the ink
        waves = cv2.resize(_draw_waves((2 * height, 2 * width), rng), (width, height), interpolation=cv2.INTER_AREA)
        strength = rng.uniform(0.05, 0.55) * contrast * rng.uniform(0.4, 1)
        added += (strength * waves * (1 - 0.7 * seen)).astype(np.float32)
    if on.lit:
        angle = rng.uniform(0, 2 * np.pi)
        y, x = np.mgrid[:height, :width].astype(np.float32)
        added += ((x * np.cos(angle) + y * np.sin(angle)) / max(height, width) * rng.uniform(0, 60)).astype(np.float32)
    if on.shadowed:  # its edge, or paper of two shades
        edge = int(rng.integers(height)) if rng.random() < 0.5 else int(rng.integers(width))
        part = (slice(edge, None), slice(None)) if rng.random() < 0.5 else (slice(None), slice(edge, None))
        added[part] += rng.uniform(-0.3, 0.3) * contrast
    if on.noisy:
        noise = rng.normal(0, abs(rng.normal(0, 0.045)) * contrast, seen.shape).astype(np.float32)
        added += cv2.GaussianBlur(noise, (0, 0), 0.7) * 1.8 if rng.random() < 0.3 else noise
    return added


def _compress(grey: Uint8, on: LinePaper, rng: np.random.Generator) -> Uint8:
    """Take grey (h, w) through fewer pixels, or through JPEG."""
    height, width = grey.shape
    if on.shrunk:
        small = rng.uniform(0.4, 0.8)
        fewer = max(8, round(width * small)), max(8, round(height * small))
        less = cv2.resize(grey, fewer, interpolation=cv2.INTER_AREA)
        enlarge = cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
        grey = cv2.resize(less, (width, height), interpolation=enlarge).astype(np.uint8)
    if on.compressed:
        _done, coded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 80))])
        decoded = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
        assert decoded is not None
        grey = decoded.astype(np.uint8)
    return grey
