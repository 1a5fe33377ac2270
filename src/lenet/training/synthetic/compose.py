"""Numbers made of single digits: who wrote them, how far apart they stand, and which ink is whose."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Float32, Float64, Int32, Uint8
from lenet.network.spec import DIGIT_BOX, GLYPH_SIZE

# The paper's gaps between bounding boxes in section VII, in pixels of a glyph.
PAPER_GAPS = (-1, 4)
# The row of a glyph that its digit's foot stands on.
_BASE = (GLYPH_SIZE + DIGIT_BOX) // 2
# Sizes of a number's digits vary by this much, within these bounds; this share of uneven numbers has a large first one,
# and this share small last ones.
_SPREAD, _SIZES, _LARGE_FIRST, _SMALL_LAST = 0.15, (0.5, 2.0), 0.25, 0.25
# Fainter ink is nobody's: it is the soft edge of a stroke.
_INKED = 0.4


@dataclass(frozen=True)
class Writing:
    """A number written on blank paper: `ink` (H, W) float32 in 0 to 1, `owners` (H, W) int32, and its text.

    `owners` is 0 for paper and 1, 2, ... for the ink of the first digit, the second, ...
    """

    ink: Float32
    owners: Int32
    text: str


def tile(glyphs: Uint8, labels: Uint8) -> Writing:
    """Put the glyphs (n, 28, 28) side by side as they are."""
    ink = np.concatenate(list(glyphs), axis=1).astype(np.float32) / np.float32(255)
    numbers = np.repeat(np.arange(1, len(glyphs) + 1), GLYPH_SIZE)[None, :]
    return Writing(ink, np.where(ink > _INKED, numbers, 0).astype(np.int32), _text(labels))


def space_out(
    glyphs: Uint8, labels: Uint8, gaps: Int32, drops: Int32, sizes: Float64 | None = None, margin: int = 4
) -> Writing:
    """Put digits side by side, `gaps` (n - 1,) pixels between their boxes (negative: overlapping).

    Each is `sizes` (n,) times as large as its glyph, stands with its foot where it is in the glyph, moved down by
    `drops` (n,) pixels; around them are `margin` pixels of paper.
    """
    sizes = np.ones(len(glyphs)) if sizes is None else sizes
    crops = [_crop(glyph, size) for glyph, size in zip(glyphs, sizes, strict=True)]
    lefts = [0]
    for crop, gap in zip(crops[:-1], gaps, strict=True):
        lefts.append(lefts[-1] + max(1, crop.shape[1] + int(gap)))
    width = max(left + crop.shape[1] for left, crop in zip(lefts, crops, strict=True))
    tops = np.rint(_BASE * (1 - sizes)).astype(int) + drops
    highest, lowest = int(tops.min()), max(int(top) + len(crop) for top, crop in zip(tops, crops, strict=True))
    ink = np.zeros((lowest - highest + 2 * margin, width + 2 * margin), np.float32)
    owners = np.zeros(ink.shape, np.int32)
    for number, (left, crop, top) in enumerate(zip(lefts, crops, tops - highest + margin, strict=True), 1):
        place = (slice(top, top + len(crop)), slice(margin + left, margin + left + crop.shape[1]))
        own = crop.astype(np.float32) / 255
        owners[place] = np.where((own > ink[place]) & (own > _INKED), number, owners[place])
        ink[place] = np.maximum(ink[place], own)
    return Writing(ink, owners, _text(labels))


def _crop(glyph: Uint8, size: float) -> Uint8:
    """Return the columns of a glyph that have ink, or its first, `size` times as large."""
    columns = np.flatnonzero(glyph.any(axis=0))
    crop = glyph[:, columns[0] : columns[-1] + 1] if len(columns) else glyph[:, :1]
    if size == 1:
        return crop
    shape = (max(1, round(crop.shape[1] * size)), round(GLYPH_SIZE * size))
    return cv2.resize(crop, shape, interpolation=cv2.INTER_AREA if size < 1 else cv2.INTER_CUBIC).astype(np.uint8)


def resize_digits(count: int, rng: np.random.Generator) -> Float64:
    """Return how large (n,) the digits of a number are, 0.5 to 2: none is quite as large as another.

    Some numbers, as amounts, have a large first digit, and some smaller last ones.
    """
    sizes = np.exp(rng.normal(0, abs(rng.normal(0, _SPREAD)), count))
    if rng.random() < _LARGE_FIRST:
        sizes[0] *= rng.uniform(1.2, 1.9)
    if rng.random() < _SMALL_LAST and count > 1:
        sizes[int(rng.integers(1, count)) :] *= rng.uniform(0.5, 0.85)
    return np.clip(sizes, *_SIZES)


def join(writing: Writing, rng: np.random.Generator) -> Writing:
    """Join neighbours as a pen that is not lifted does: from the right end of one digit to the left end of the next."""
    ink, owners = writing.ink.copy(), writing.owners.copy()
    for number in range(1, len(writing.text)):
        left, right = np.argwhere(writing.owners == number), np.argwhere(writing.owners == number + 1)
        if rng.random() < 0.4 or not len(left) or not len(right):
            continue
        start, end = left[left[:, 1].argmax()], right[right[:, 1].argmin()]
        if not 1 < end[1] - start[1] < GLYPH_SIZE / 2:
            continue
        middle = (start + end) / 2 + (rng.uniform(-1, 4), 0)
        stroke = np.zeros(ink.shape, np.uint8)
        points = np.rint(np.stack([start, middle, end])[:, ::-1]).astype(np.int32)
        cv2.polylines(stroke, [points], False, 255, int(rng.integers(1, 3)), cv2.LINE_AA)
        added = stroke.astype(np.float32) / 255
        owners = np.where((added > ink) & (added > _INKED), number + int(rng.integers(2)), owners).astype(np.int32)
        ink = np.maximum(ink, added)
    return Writing(ink, owners, writing.text)


def clutter(writing: Writing, rng: np.random.Generator) -> Writing:
    """Add what stands around numbers: points, dashes, ends of rules, specks, owned by one more than the digits."""
    height, _wide = writing.ink.shape
    before, after = int(rng.integers(0, 22)), int(rng.integers(0, 22))
    ink = np.pad(writing.ink, ((3, 3), (before, after)))
    owners = np.pad(writing.owners, ((3, 3), (before, after)))
    marks = np.zeros(ink.shape, np.uint8)
    base = (height + DIGIT_BOX) // 2 + 3
    for _mark in range(int(rng.integers(1, 4))):
        x = int(rng.integers(0, ink.shape[1]))
        kind = rng.random()
        if kind < 0.35:  # a point or a comma
            cv2.circle(marks, (x, base + int(rng.integers(-2, 2))), int(rng.integers(1, 3)), 255, -1, cv2.LINE_AA)
        elif kind < 0.6:  # a dash or two, before or behind the number
            x = int(rng.integers(0, 6)) if rng.random() < 0.3 else ink.shape[1] - int(rng.integers(8, 20))
            y = height // 2 + int(rng.integers(-4, 8))
            end = (x + int(rng.integers(5, 14)), y + int(rng.integers(-4, 3)))
            thick = int(rng.integers(1, 4))
            cv2.line(marks, (x, y), end, 255, thick, cv2.LINE_AA)
            if rng.random() < 0.3:
                down = thick + int(rng.integers(2, 5))
                cv2.line(marks, (x, y + down), (end[0], end[1] + down), 255, thick, cv2.LINE_AA)
        elif kind < 0.75:  # what is left of a ruled line
            y = int(rng.choice([1, ink.shape[0] - 2]))
            cv2.line(marks, (x, y), (x + int(rng.integers(4, 30)), y), 255, 1)
        elif kind < 0.88:  # or of the side of a box
            x = int(rng.choice([1, ink.shape[1] - 2]))
            y = int(rng.integers(0, height))
            cv2.line(marks, (x, y), (x, y + int(rng.integers(4, 12))), 255, int(rng.integers(1, 3)))
        else:  # a speck
            marks[int(rng.integers(ink.shape[0])), x] = 255
    added = marks.astype(np.float32) / 255
    owners = np.where((added > ink) & (added > _INKED), len(writing.text) + 1, owners).astype(np.int32)
    return Writing(np.maximum(ink, added), owners, writing.text)


def _text(labels: Uint8) -> str:
    return "".join(str(label) for label in labels)
