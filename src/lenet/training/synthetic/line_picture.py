"""A picture of a line: its marks drawn, cut out as lines are, with boxes, frames and rules of a form."""

from __future__ import annotations

import cv2
import numpy as np

from lenet.arrays import Float32, Uint8
from lenet.training.synthetic.line_paper import FINE, LinePaper, draw_rules, draw_specks, expose_line
from lenet.training.synthetic.line_style import LineStyle, Placed
from lenet.training.synthetic.marks import paint

# A line is at most so many times as wide as high, and at least so many pixels wide.
_WIDEST, _NARROWEST = 16, 32
# This share of the lines is cut so that no digit loses its top or foot.
_SEEN_WHOLE = 0.88


def picture_line(
    marks: list[Placed],
    spans: list[tuple[float, float]],
    style: LineStyle,
    paper: LinePaper,
    height: int,
    rng: np.random.Generator,
) -> Uint8 | None:
    """Return grey (height, W), bright for ink, of marks on a paper; None: it would be too wide.

    `spans` say from where to where each part of the line goes, in digit heights.
    """
    digit = height * style.share
    # Most lines are cut so that their digits are seen from top to foot, some of which stand higher or are larger.
    digits = [(y + mark.box[1], y + mark.box[3]) for mark, _x, y in marks if any(map(str.isdigit, mark.label))]
    high, low = (min(top for top, _foot in digits), max(foot for _top, foot in digits)) if digits else (0.0, 1.0)
    if rng.random() < _SEEN_WHOLE:
        digit = min(digit, height * float(rng.uniform(0.85, 1.02)) / max(1.0, low - high))
    unit = digit * FINE
    lean = abs(style.shear) + 0.1
    left = float(rng.uniform(0.02, 0.9)) + lean
    right = max((x + mark.box[2] for mark, x, _y in marks), default=float(rng.uniform(0.5, 4)))
    width = round((left + right + float(rng.uniform(0.02, 0.9)) + lean) * digit)
    width = max(_NARROWEST, width + -width % 4)
    if width > height * _WIDEST:
        return None
    slack = height - digit * (low - high)
    top = slack * float(rng.uniform(0.05, 0.95)) if slack > 0 and rng.random() < 0.8 else slack / 2
    top -= high * digit
    origin = (left * unit, top * FINE)
    ink = np.zeros((height * FINE, width * FINE), np.float32)
    paint(marks, ink, unit, origin, style.pen, style.shear, rng)
    ink, cut = _cut_sides(ink, unit, rng)
    origin = (origin[0] - cut, origin[1])
    foot = top * FINE + unit
    if style.pitch and spans:
        ink = np.maximum(ink, _draw_cells(ink.shape, style, spans, origin, unit, rng))
    elif paper.framed and spans:
        ink = np.maximum(ink, _draw_frame(ink.shape, spans, origin, unit, rng))
    if paper.ruled:
        ink = draw_rules(ink, foot, unit, rng)
    if paper.specked:
        ink = draw_specks(ink, unit, rng)
    return expose_line(ink, paper, rng)


def _cut_sides(ink: Float32, unit: float, rng: np.random.Generator) -> tuple[Float32, int]:
    """Cut what is beside the ink (H, W) down to a margin that may be none; return it and what went on the left."""
    columns = np.flatnonzero(ink.max(axis=0) > 0.3)
    if not len(columns):
        return ink, 0
    # A tight cut is as usual as a wide one.
    before, behind = (rng.uniform(-0.04, 0.9) if rng.random() < 0.6 else rng.uniform(-0.04, 0.15) for _side in range(2))
    first = max(0, round(columns[0] - before * unit))
    past = min(ink.shape[1], round(columns[-1] + 1 + behind * unit))
    width = max(_NARROWEST * FINE, past - first)
    width += -width % (4 * FINE)
    kept = ink[:, first : first + width]
    return np.pad(kept, ((0, 0), (0, width - kept.shape[1]))), first


def _draw_cells(
    shape: tuple[int, ...],
    style: LineStyle,
    spans: list[tuple[float, float]],
    origin: tuple[float, float],
    unit: float,
    rng: np.random.Generator,
) -> Float32:
    """Draw a box, or the tooth of a comb, for each digit."""
    drawn = np.zeros(shape, np.uint8)
    thick, dark = max(1, round(unit * rng.uniform(0.015, 0.1))), int(255 * rng.uniform(0.3, 1))
    top, foot = origin[1] - unit * rng.uniform(0.1, 0.3), origin[1] + unit * rng.uniform(1.08, 1.3)
    comb, joined = rng.random() < 0.3, rng.random() < 0.7
    for begin, end in spans:
        for cell in range(round((end - begin) / style.pitch) + 1):
            x = origin[0] + (begin - 0.1 + cell * style.pitch) * unit
            low = foot - unit * (0.5 if comb else 1.5) if comb else top
            cv2.line(drawn, (round(x), round(low)), (round(x), round(foot)), dark, thick, cv2.LINE_AA)
            if not joined and cell:
                other = x - unit * 0.12
                cv2.line(drawn, (round(other), round(low)), (round(other), round(foot)), dark, thick, cv2.LINE_AA)
        ends = (
            round(origin[0] + (begin - 0.1) * unit),
            round(origin[0] + (begin - 0.1 + round((end - begin) / style.pitch) * style.pitch) * unit),
        )
        for y in (foot,) if comb else (top, foot):
            cv2.line(drawn, (ends[0], round(y)), (ends[1], round(y)), dark, thick, cv2.LINE_AA)
    return (drawn / np.float32(255)).astype(np.float32)


def _draw_frame(
    shape: tuple[int, ...],
    spans: list[tuple[float, float]],
    origin: tuple[float, float],
    unit: float,
    rng: np.random.Generator,
) -> Float32:
    """Draw a frame or a circle around a part of the line."""
    drawn = np.zeros(shape, np.uint8)
    begin, end = spans[int(rng.integers(len(spans)))]
    thick, dark = max(1, round(unit * rng.uniform(0.02, 0.1))), int(255 * rng.uniform(0.4, 1))
    x0, x1 = origin[0] + (begin - 0.25) * unit, origin[0] + (end + 0.25) * unit
    y0, y1 = origin[1] - 0.2 * unit, origin[1] + 1.2 * unit
    if rng.random() < 0.6:
        cv2.rectangle(drawn, (round(x0), round(y0)), (round(x1), round(y1)), dark, thick, cv2.LINE_AA)
    else:
        centre, axes = (round((x0 + x1) / 2), round((y0 + y1) / 2)), (round((x1 - x0) * 0.62), round((y1 - y0) * 0.6))
        cv2.ellipse(drawn, centre, axes, 0, 0, 360, dark, thick, cv2.LINE_AA)
    return (drawn / np.float32(255)).astype(np.float32)
