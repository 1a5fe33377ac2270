"""What is no digit: letters, strokes, blots, scribbles and texture, as ink to be photographed like digits."""

from __future__ import annotations

import cv2
import numpy as np

from lenet.arrays import Float32
from lenet.drawing.pictures import draw_text

# Letters that cannot be digits, not I l i o O D Q S s Z z B b g q, and signs.
LETTERS = "ACEFGHJKLMNPRTUVWXYacdefhjkmnprtuvwxy&@#%?!*+=<>{}[]$"
# The strokes of OpenCV's fonts, of A. V. Hershey's, beside Pillow's own font.
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
_SIZE = 64


def draw_negative(rng: np.random.Generator, kind: str | None = None) -> Float32:
    """Return (64, 64) float32 ink in 0 to 1 that is no digit: of a kind, or of one drawn at random."""
    kinds = {
        "letter": _draw_letter,
        "stroke": _draw_stroke,
        "blot": _draw_blot,
        "scribble": _draw_scribble,
        "texture": _draw_texture,
    }
    while True:
        ink = kinds[kind or str(rng.choice(list(kinds), p=(0.6, 0.15, 0.08, 0.13, 0.04)))](rng)
        if ink.max() > 0.5:
            return ink


def _draw_letter(rng: np.random.Generator) -> Float32:
    """Return one or two letters of Pillow's own font or of OpenCV's, slanted, squeezed and bent."""
    text = "".join(rng.choice(list(LETTERS), 1 if rng.random() < 0.8 else 2))
    if rng.random() < 0.5:
        written = draw_text(text, int(rng.integers(30, 46)), _SIZE)
    else:
        font = int(rng.choice(_FONTS)) | (cv2.FONT_ITALIC if rng.random() < 0.3 else 0)
        scale, thick = rng.uniform(0.9, 1.4) / len(text) ** 0.5, int(rng.integers(1, 5))
        (width, height), _below = cv2.getTextSize(text, font, scale, thick)
        place = ((_SIZE - width) // 2, (_SIZE + height) // 2)
        written = np.zeros((_SIZE, _SIZE), np.uint8)
        cv2.putText(written, text, place, font, scale, 255, thick, cv2.LINE_AA)
    return _bend(written.astype(np.float32) / np.float32(255), rng)


def _bend(ink: Float32, rng: np.random.Generator) -> Float32:
    y, x = np.mgrid[:_SIZE, :_SIZE].astype(np.float32)
    slant, squeeze, waves = rng.normal(0, 0.2), rng.uniform(0.75, 1.3), rng.normal(0, 2.0, 2)
    middle = _SIZE / 2
    to_x = middle + (x - middle) * squeeze + slant * (y - middle) + waves[0] * np.sin(y / 9 + rng.uniform(0, 6))
    to_y = y + waves[1] * np.sin(x / 9 + rng.uniform(0, 6))
    bent = cv2.remap(ink, to_x.astype(np.float32), to_y.astype(np.float32), cv2.INTER_LINEAR)
    reach = int(rng.integers(1, 4))
    return cv2.dilate(bent, np.ones((reach, reach), np.uint8)).astype(np.float32)


def _draw_stroke(rng: np.random.Generator) -> Float32:
    """Return a line that is not upright, a dash, a tick, or a cross of two lines."""
    canvas = np.zeros((_SIZE, _SIZE), np.uint8)
    thick = int(rng.integers(2, 8))
    for _line in range(int(rng.integers(1, 3))):
        angle = rng.uniform(-0.9, 0.9)
        half = rng.uniform(0.3, 0.48) * _SIZE * np.array([np.cos(angle), np.sin(angle)])
        middle = _SIZE / 2 + rng.normal(0, 5, 2)
        start, end = (middle - half).astype(int).tolist(), (middle + half).astype(int).tolist()
        cv2.line(canvas, tuple(start), tuple(end), 255, thick, cv2.LINE_AA)
    return (canvas / 255).astype(np.float32)


def _draw_blot(rng: np.random.Generator) -> Float32:
    """Return a filled blob or dot."""
    canvas = np.zeros((_SIZE, _SIZE), np.uint8)
    for _drop in range(int(rng.integers(1, 5))):
        middle = (_SIZE / 2 + rng.normal(0, 7, 2)).astype(int).tolist()
        axes = rng.integers(4, 18, 2).tolist()
        cv2.ellipse(canvas, tuple(middle), tuple(axes), rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)
    return (canvas / 255).astype(np.float32)


def _draw_scribble(rng: np.random.Generator) -> Float32:
    """Return a random smooth walk of a pen."""
    canvas = np.zeros((_SIZE, _SIZE), np.uint8)
    turns = np.cumsum(rng.normal(0, rng.uniform(0.2, 0.6), 40))
    steps = np.stack([np.cos(turns), np.sin(turns)], axis=1) * rng.uniform(2, 5)
    walk = np.cumsum(steps, axis=0)
    walk -= walk.min(axis=0)
    walk *= (_SIZE - 12) / max(float(walk.max()), 1.0)
    cv2.polylines(canvas, [np.rint(walk + 6).astype(np.int32)], False, 255, int(rng.integers(2, 6)), cv2.LINE_AA)
    return (canvas / 255).astype(np.float32)


def _draw_texture(rng: np.random.Generator) -> Float32:
    """Return patches of noise, or stripes."""
    if rng.random() < 0.5:
        noise = cv2.GaussianBlur(rng.normal(0, 1, (_SIZE, _SIZE)), (0, 0), rng.uniform(1.5, 4))
        return (noise > 0.8 * noise.std()).astype(np.float32)
    y, x = np.mgrid[:_SIZE, :_SIZE]
    angle, period = rng.uniform(0, np.pi), rng.uniform(5, 14)
    stripes = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period) > rng.uniform(0, 0.7)
    return stripes.astype(np.float32)
