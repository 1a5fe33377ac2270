"""What a hand writes, mark by mark: strokes or ink of digits, signs, letters and words, one digit high.

A mark's unit is the height of the hand's digits: y is 0 at their top and 1 at their foot, x is 0 where the mark begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lenet.arrays import Float32, Float64, Uint8
from lenet.data.dataset import Digits
from lenet.data.strokes import StrokeSet
from lenet.network.spec import DIGIT_BOX
from lenet.training.synthetic.styles import STYLES_OF, bend_style

# How high signs are beside digits, and where their middle is, least and greatest: smaller ones too, but most as they
# stand in UNIPEN's own numbers (benchmarks/sign_sizes.py).
_SIGNS: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    ".": ((0.06, 0.2), (0.8, 1.08)),
    ",": ((0.2, 0.8), (0.95, 1.25)),
    ":": ((0.35, 1.0), (0.35, 0.65)),
    "'": ((0.2, 0.35), (0.0, 0.2)),
    "-": ((0.2, 0.8), (0.35, 0.68)),
    "=": ((0.35, 0.8), (0.4, 0.65)),
    "+": ((0.4, 0.8), (0.45, 0.65)),
    "/": ((1.05, 2.2), (0.25, 0.6)),
    "%": ((0.6, 1.3), (0.4, 0.6)),
    "(": ((1.0, 2.1), (0.3, 0.6)),
    ")": ((1.0, 2.1), (0.3, 0.6)),
    "$": ((1.0, 1.85), (0.2, 0.55)),
    "€": ((0.8, 1.2), (0.45, 0.6)),
    "£": ((0.9, 1.3), (0.45, 0.55)),
}
# These lie: their width is what the table says.
_LYING = "-="
_OTHER = ((0.5, 1.1), (0.4, 0.7))
# Letters without and with a stem, and those that go below the line.
_SMALL, _DEEP = "acemnorsuvwxz", "gjpqy"
# Signs that UNIPEN has no strokes of, as points in a box of 1 x 1.
_DRAWN = {
    "€": [
        [(0.95, 0.15), (0.6, 0.0), (0.25, 0.25), (0.2, 0.7), (0.55, 1.0), (0.95, 0.85)],
        [(0.0, 0.4), (0.75, 0.38)],
        [(0.0, 0.6), (0.7, 0.58)],
    ],
    "£": [
        [
            (0.9, 0.15),
            (0.65, 0.0),
            (0.4, 0.15),
            (0.42, 0.6),
            (0.3, 0.95),
            (0.05, 1.0),
            (0.2, 0.85),
            (0.6, 1.0),
            (1, 0.9),
        ],
        [(0.15, 0.52), (0.75, 0.5)],
    ],
}
# These are written in so many strokes at least: of fewer, a part of the sign was cut out of the writing (in UNIPEN a
# colon may be one point, a dollar sign its bar).
_STROKES = {":": 2, "=": 2, "+": 2, "%": 2, "$": 2}
# Points and commas are at least so thick, in digit heights.
_POINT = 0.07
# Print is drawn at this size, in pixels.
_PRINT_SIZE = 56


@dataclass(frozen=True)
class Mark:
    """What is written in one go of a text: `label` is its text; `strokes`, or `raster` (0 to 255) in its `box`."""

    label: str
    strokes: tuple[Float32, ...] = ()
    raster: Uint8 | None = None
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    def resized(self, size: float, hang: float, wide: float = 1.0) -> Mark:
        """Return the mark so many times as large, and as wide; `hang` 1 keeps its foot where it is, 0 its top."""
        scale = np.array([size * wide, size], np.float32)
        strokes = tuple((each - (0, hang)) * scale + (0, hang) for each in self.strokes)
        x0, y0, x1, y1 = self.box
        box = (x0 * size * wide, (y0 - hang) * size + hang, x1 * size * wide, (y1 - hang) * size + hang)
        return replace(self, strokes=tuple(each.astype(np.float32) for each in strokes), box=box)


def mark_strokes(label: str, strokes: list[Float32] | list[Float64], size: float, middle: float, lying: bool) -> Mark:
    """Return strokes as a mark of this height, or width if it is lying, its middle at this height."""
    every = np.concatenate(strokes)
    low, high = every.min(axis=0), every.max(axis=0)
    extent = high - low
    longest = float(extent[0] if lying else max(extent[1], 0.35 * extent[0] if len(label) < 2 else 0))
    scale = size / max(longest, 1e-3)
    left_top = np.array([0.0, middle - extent[1] * scale / 2])
    placed = tuple(((each - low) * scale + left_top).astype(np.float32) for each in strokes)
    box = (0.0, float(left_top[1]), float(extent[0] * scale), float(left_top[1] + extent[1] * scale))
    return Mark(label, placed, None, box)


def find_sign_place(sign: str, rng: np.random.Generator) -> tuple[float, float, bool]:
    """Return a size for a sign or letter, the place of its middle, and whether it is lying."""
    if sign in _SIGNS or not sign.isalpha():
        sizes, middles = _SIGNS.get(sign, _OTHER)
        return float(rng.uniform(*sizes)), float(rng.uniform(*middles)), sign in _LYING
    if sign in _SMALL:
        size, foot = rng.uniform(0.4, 0.75), 1.0
    elif sign in _DEEP:
        size, foot = rng.uniform(0.7, 1.1), rng.uniform(1.2, 1.4)
    else:
        size, foot = rng.uniform(0.8, 1.3), 1.0
    return float(size), float(foot - size / 2 + rng.normal(0, 0.03)), False


@dataclass(frozen=True)
class Pens:
    """Everything that is written in strokes, by writer and by character.

    `numbers` are one line each, of the signs that a line can say.
    """

    characters: StrokeSet
    numbers: StrokeSet
    words: StrokeSet
    rows: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)

    @property
    def writers(self) -> list[str]:
        """Who wrote digits."""
        return list(self.sizes)

    def draw(self, character: str, writer: str, rng: np.random.Generator) -> Mark:
        """Return a character as this writer wrote it, or as another did who wrote it at all."""
        if character in _DRAWN:
            return draw_sign(character, rng)
        by_writer = self.rows[character]
        row = int(rng.choice(by_writer.get(writer) or by_writer[str(rng.choice(list(by_writer)))]))
        strokes = self.characters.sample(row)
        if not character.isdigit():
            return mark_strokes(character, strokes, *find_sign_place(character, rng))
        own = self.sizes.get(str(self.characters.writers[row]), float(self.characters.sizes[row, 1]))
        height = float(np.clip(self.characters.sizes[row, 1] / own, 0.6, 1.5))
        return mark_strokes(character, strokes, height, 1 - height / 2 + float(rng.normal(0, 0.02)), False)

    def draw_whole(self, strokes: StrokeSet, label: str, rng: np.random.Generator) -> Mark:
        """Return a number or a word as it was written."""
        row = int(rng.choice(np.flatnonzero(strokes.labels == rng.choice(strokes.texts))))
        size = float(rng.uniform(0.95, 1.35))
        mark = mark_strokes(str(strokes.labels[row]), strokes.sample(row), size, float(rng.uniform(0.45, 0.6)), False)
        return replace(mark, label=label) if label else mark


def gather_pens(characters: list[StrokeSet], numbers: StrokeSet, words: StrokeSet, labels: str) -> Pens:
    """Put strokes together by writer and character; of numbers those that `labels` can say on one line are kept.

    Signs of which strokes are missing are left out, if there are others. Some labels of UNIPEN's part the characters of
    one number by spaces, or a number and its sign: they are joined.
    """
    numbers = replace(numbers, labels=np.array([join_label(str(label)) for label in numbers.labels], dtype=str))
    together = _join(characters)
    rows: dict[str, dict[str, list[int]]] = {}
    parts: dict[str, dict[str, list[int]]] = {}
    strokes = np.diff(together.samples).tolist()
    written = zip(together.labels.tolist(), together.writers.tolist(), strokes, strict=True)
    for row, (label, writer, count) in enumerate(written):
        found = rows if count >= _STROKES.get(label, 1) else parts
        found.setdefault(label, {}).setdefault(writer, []).append(row)
    rows = {**parts, **rows}
    heights: dict[str, list[float]] = {}
    for digit in "0123456789":
        for writer, own in rows.get(digit, {}).items():
            heights.setdefault(writer, []).extend(together.sizes[own, 1].tolist())
    sizes = {writer: max(1.0, float(np.median(each))) for writer, each in heights.items()}
    aspect = numbers.sizes[:, 0] / np.maximum(numbers.sizes[:, 1], 1)
    fits = [
        set(label) <= set(labels) and ratio > 0.33 * len(label)
        for label, ratio in zip(numbers.labels, aspect, strict=True)
    ]
    return Pens(together, numbers.where(np.array(fits, bool)), words, rows, sizes)


def join_label(label: str) -> str:
    """Return the text of a number as it was written: what parts single characters, or a sign, is no space."""
    groups = label.split()
    if all(len(group) == 1 for group in groups):
        return "".join(groups)
    return re.sub(r"(?<=[$€£+-]) | (?=[%$€£=+-])", "", label)


def _join(sets: list[StrokeSet]) -> StrokeSet:
    points, strokes, samples = [], [np.zeros(1, np.int32)], [np.zeros(1, np.int32)]
    for each in sets:
        points.append(each.points)
        samples.append(each.samples[1:] + np.int32(sum(map(len, strokes)) - 1))
        strokes.append(each.strokes[1:] + np.int32(sum(map(len, points[:-1]))))
    return StrokeSet(
        np.concatenate(points),
        np.concatenate(strokes),
        np.concatenate(samples),
        np.concatenate([each.labels for each in sets]),
        np.concatenate([each.writers for each in sets]),
    )


def draw_sign(sign: str, rng: np.random.Generator) -> Mark:
    """Return a sign that UNIPEN has no strokes of, € or £. Raises KeyError for another."""
    drawn = [bend_style(stroke, rng, rounded=True) for stroke in _DRAWN[sign]]
    return mark_strokes(sign, drawn, *find_sign_place(sign, rng))


def draw_in_style(digit: str, rng: np.random.Generator) -> Mark | None:
    """Return a digit in one of the drawn styles; None: it has none."""
    own = STYLES_OF.get(int(digit))
    if not own:
        return None
    strokes, rounded = own[int(rng.integers(len(own)))]
    aspect = rng.uniform(0.4, 0.62) if digit == "1" else rng.uniform(0.5, 0.95)
    lines = [bend_style(stroke, rng, rounded=rounded) * (aspect, 1) for stroke in strokes]
    return mark_strokes(digit, lines, float(rng.uniform(0.8, 1.15)), 0.5, False)


def chain_zeros(count: int, rng: np.random.Generator) -> Mark:
    """Return so many 0s written in one go: rings that a pen goes on from, or that it joins by strokes."""
    width, height = rng.uniform(0.4, 0.95), rng.uniform(0.4, 1.05)
    hang = float(rng.choice([1.0, 1.0, 0.5, rng.uniform(0, 1)]))
    strokes = _roll_rings(count, width, height, rng) if rng.random() < 0.45 else _join_rings(count, width, height, rng)
    return mark_strokes("0" * count, strokes, height, (1 - height) * hang + height / 2, False)


def _roll_rings(count: int, width: float, height: float, rng: np.random.Generator) -> list[Float64]:
    """Return one stroke that goes round and round, and moves on at the top or at the foot."""
    advance = width * rng.uniform(0.8, 1.25)
    turns = np.linspace(0, 2 * np.pi * count, 28 * count)
    start = rng.choice([-0.5, 0.5, 0.5, 0.25]) * np.pi
    sense = -1 if rng.random() < 0.8 else 1
    # A ring takes most of a turn in place; the pen moves on while it is at the top.
    phase = turns / (2 * np.pi)
    step = phase - np.sin(2 * np.pi * phase) / (2 * np.pi) * rng.uniform(0.2, 0.95)
    x = step * advance + width / 2 * np.cos(start + sense * turns)
    y = -height / 2 * np.sin(start + sense * turns)
    wobble = np.interp(phase, np.arange(count + 1), 1 + rng.normal(0, 0.1, count + 1))
    return [np.stack([x, y * wobble], axis=1)]


def _join_rings(count: int, width: float, height: float, rng: np.random.Generator) -> list[Float64]:
    """Return a ring after the other, near or over one another, some with a tail that leads to the next."""
    strokes: list[Float64] = []
    x, gap, tailed = 0.0, rng.uniform(-0.15, 0.12), rng.random() < 0.6
    start = rng.uniform(0.2, 0.8) * np.pi
    for number in range(count):
        own = width * float(np.exp(rng.normal(0, 0.12)))
        high = height * float(np.exp(rng.normal(0, 0.08)))
        turns = np.linspace(0, 2 * np.pi * rng.uniform(0.93, 1.12), 26)
        ring = np.stack([x + own / 2 * (1 + np.cos(start + turns)), -high / 2 * np.sin(start + turns)], axis=1)
        if tailed and (number < count - 1 or rng.random() < 0.4):
            end = np.array([x + own + gap + own * rng.uniform(0.1, 0.4), -high * rng.uniform(0.25, 0.5)])
            along = np.linspace(0.15, 1, 7)[:, None]
            dip = np.array([0, rng.uniform(-0.05, 0.2) * height]) * 4 * along * (1 - along)
            ring = np.concatenate([ring, ring[-1] + (end - ring[-1]) * along + dip])
        strokes.append(ring)
        x += own + gap
    return [np.concatenate(strokes)] if tailed and rng.random() < 0.3 else strokes


def crop_digit(digits: Digits, row: int) -> Mark:
    """Return a glyph's ink as a mark: MNIST's digits are 20 pixels high or wide."""
    glyph, label = digits.glyphs[row], str(digits.labels[row])
    rows, columns = np.flatnonzero(glyph.max(axis=1) > 40), np.flatnonzero(glyph.max(axis=0) > 40)
    if not len(rows):
        return Mark(label, (), np.zeros((2, 2), np.uint8), (0, 0, 0.1, 0.1))
    ink = glyph[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape[0] / DIGIT_BOX, ink.shape[1] / DIGIT_BOX
    return Mark(label, (), ink, (0.0, 1 - height, width, 1.0))


def print_text(text: str, label: str, font: str, rng: np.random.Generator) -> Mark:
    """Return a text in print; `font` is a file."""
    face = ImageFont.truetype(font, _PRINT_SIZE)
    _x0, top, _x1, foot = face.getbbox("0")
    high = max(1.0, foot - top)
    x0, y0, x1, y1 = face.getbbox(text)
    picture = Image.new("L", (max(1, round(x1 - x0)) + 2, max(1, round(y1 - y0)) + 2))
    ImageDraw.Draw(picture).text((1 - x0, 1 - y0), text, 255, face)
    ink = np.asarray(picture)
    left_out = ((y0 - 1 - top) / high, (y1 + 1 - top) / high)
    width = ink.shape[1] / high * float(rng.uniform(0.85, 1.15))
    return Mark(label, (), ink, (0.0, float(left_out[0]), width, float(left_out[1])))


def paint(
    marks: list[tuple[Mark, float, float]],
    canvas: Float32,
    unit: float,
    origin: tuple[float, float],
    thick: float,
    shear: float,
    rng: np.random.Generator,
) -> None:
    """Draw marks, each at (x, y) in digit heights, into ink (H, W): `unit` pixels a digit, `origin` in pixels."""
    drawn = np.zeros(canvas.shape, np.uint8)
    for mark, x, y in marks:
        if mark.raster is not None:
            _paste(mark, canvas, unit, origin, (x, y), shear)
            continue
        wide = max(1, round(thick * unit * float(np.exp(rng.normal(0, 0.06)))))
        for stroke in mark.strokes:
            across, down = stroke[:, 0] + x, stroke[:, 1] + y
            points = np.stack([across + shear * (1 - down), down], axis=1) * unit + origin
            draw_stroke(drawn, points, wide)
    np.maximum(canvas, drawn.astype(np.float32) / 255, out=canvas)


def draw_stroke(drawn: Uint8, points: Float32 | Float64, wide: int) -> None:
    """Draw a stroke (n, 2), in pixels, into ink (H, W), so many pixels wide; one of a single point is a dot."""
    fixed = np.rint(points * 16).astype(np.int32)
    if len(fixed) == 1:
        cv2.circle(drawn, (int(fixed[0, 0]), int(fixed[0, 1])), round(8 * wide * 1.2), 255, -1, cv2.LINE_AA, 4)
    else:
        cv2.polylines(drawn, [fixed], False, 255, wide, cv2.LINE_AA, 4)


def _paste(
    mark: Mark, canvas: Float32, unit: float, origin: tuple[float, float], at: tuple[float, float], shear: float
) -> None:
    assert mark.raster is not None
    x0, y0, x1, y1 = mark.box
    high, wide = mark.raster.shape
    sx, sy = (x1 - x0) * unit / wide, (y1 - y0) * unit / high
    # Pixel (u, v) of the ink stands at x0 + u * sx, sheared about the foot of the line.
    top = (y0 + at[1]) * unit
    left = (x0 + at[0]) * unit
    matrix = np.array(
        [[sx, -shear * sy, left + shear * (unit - top) + origin[0]], [0, sy, top + origin[1]]], np.float64
    )
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    size = (canvas.shape[1], canvas.shape[0])
    ink = cv2.warpAffine(mark.raster.astype(np.float32), matrix, size, flags=cv2.INTER_LINEAR)
    np.maximum(canvas, np.clip(ink / 255, 0, 1), out=canvas)
