"""Digits and letters of UNIPEN's hands as MNIST has its digits: glyphs by a pen of some thickness, slant and width."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Bools, Float32, Int64, Uint8
from lenet.data.dataset import Digits
from lenet.data.strokes import Part, StrokeSet, load_strokes
from lenet.decoding.letters import LIKE_DIGITS
from lenet.network.spec import DIGIT_BOX, GLYPH_SIZE
from lenet.segmentation.glyphs import place_glyph
from lenet.training.synthetic.marks import draw_stroke

# A glyph is drawn so many times finer than it is.
_FINE = 4
# A pen's thickness, in heights of a digit: least and greatest, on a logarithmic scale.
_PENS = (0.05, 0.16)


@dataclass(frozen=True)
class HandGlyphs:
    """Digits (n) by writer (n,), counted from 0, and letters (m, 28, 28) that are no digits."""

    digits: Digits
    writers: Int64
    letters: Uint8


def draw_hand_glyphs(digits: int, letters: int, seed: int = 0, part: Part = "train") -> HandGlyphs:
    """Draw so many digits and letters of a part of UNIPEN's, each writer as often as any. Raises DataError.

    The same seed draws the same.
    """
    rng = np.random.default_rng([seed, 0x4A2D])
    written = load_strokes(part, "digits")
    rows, writers = _choose_rows(written, np.ones(len(written), bool), digits, rng)
    glyphs = np.stack([draw_glyph(written.sample(row), rng) for row in rows])
    labels = written.labels[rows].astype(np.uint8)
    shapes = []
    for kind in ("upper", "lower"):
        strokes = load_strokes(part, kind)
        unlike = ~np.isin(strokes.labels, list(LIKE_DIGITS))
        chosen, _writers = _choose_rows(strokes, unlike, letters // 2, rng)
        shapes += [draw_glyph(strokes.sample(row), rng) for row in chosen]
    return HandGlyphs(Digits(glyphs, labels), writers, np.array(shapes, np.uint8).reshape(-1, GLYPH_SIZE, GLYPH_SIZE))


def _choose_rows(strokes: StrokeSet, allowed: Bools, count: int, rng: np.random.Generator) -> tuple[Int64, Int64]:
    """Return rows (count,) of those allowed, a writer and a label being as likely as any; and who wrote them."""
    names, writers = np.unique(strokes.writers, return_inverse=True)
    by_label = {
        writer: [np.flatnonzero(own & (strokes.labels == label)) for label in np.unique(strokes.labels[own])]
        for writer in range(len(names))
        if (own := allowed & (writers == writer)).any()
    }
    every = list(by_label)
    rows = []
    for _sample in range(count):
        own = by_label[every[int(rng.integers(len(every)))]]
        rows.append(int(rng.choice(own[int(rng.integers(len(own)))])))
    chosen = np.array(rows, np.int64)
    return chosen, writers[chosen].astype(np.int64)


def draw_glyph(strokes: list[Float32], rng: np.random.Generator) -> Uint8:
    """Draw strokes as MNIST's glyphs are: the longer side 20 pixels, the centre of mass in the middle of 28x28."""
    every = np.concatenate(strokes)
    low, extent = every.min(axis=0), np.maximum(np.ptp(every, axis=0), 1e-3)
    squeeze, slant = float(np.exp(rng.normal(0, 0.12))), float(rng.normal(0, 0.12))
    placed = [(each - low) / extent.max() * (squeeze, 1.0) for each in strokes]
    placed = [np.stack([each[:, 0] - slant * each[:, 1], each[:, 1]], axis=1) for each in placed]
    every = np.concatenate(placed)
    pen = float(np.exp(rng.uniform(*np.log(_PENS))))
    room = DIGIT_BOX * _FINE
    scale = room * (1 - pen) / max(float(np.ptp(every, axis=0).max()), 0.35)
    side = GLYPH_SIZE * _FINE
    canvas = np.zeros((side, side), np.uint8)
    middle = (every.min(axis=0) + every.max(axis=0)) / 2
    wide = max(1, round(pen * room))
    for each in placed:
        draw_stroke(canvas, (each - middle) * scale + side / 2, wide)
    ink = cv2.resize(canvas, (GLYPH_SIZE, GLYPH_SIZE), interpolation=cv2.INTER_AREA)
    inked = np.argwhere(ink)
    (top, left), (foot, right) = inked.min(axis=0), inked.max(axis=0) + 1
    return place_glyph((ink[top:foot, left:right] / np.float32(255)).astype(np.float32))
