"""Numbers as displays show them: seven segments a digit, sharp or rounded, lit ones beside a trace of the others."""

from __future__ import annotations

import cv2
import numpy as np

from lenet.arrays import Uint8
from lenet.training.synthetic.marks import Mark

# The lit segments of each sign: the top, then clockwise the sides and the foot, and the middle. Some displays show a 6
# without its top, a 9 without its foot and a 7 with a stroke down on the left.
_TOP, _UPPER_RIGHT, _LOWER_RIGHT, _FOOT, _LOWER_LEFT, _UPPER_LEFT, _MIDDLE = range(7)
_LIT = {
    "0": "012345",
    "1": "12",
    "2": "01346",
    "3": "01236",
    "4": "1256",
    "5": "02356",
    "6": "023456",
    "7": "012",
    "8": "0123456",
    "9": "012356",
    "-": "6",
}
_OTHERWISE = {"6": "23456", "7": "0125", "9": "01256"}
_POINTS = {".": (1.0,), ",": (1.0,), ":": (0.3, 0.7)}
# A digit is drawn so many pixels high.
_HIGH = 56
# A trace of segments that are not lit is seen in so many displays, this bright at most.
_TRACED, _TRACE = 0.3, 70


def shows_on_display(text: str) -> bool:
    """Return whether a display has segments for each sign of a text."""
    return all(sign in _LIT or sign in _POINTS for sign in text)


def draw_display(text: str, rng: np.random.Generator) -> Mark:
    """Return a text as a display shows it, one digit high; its signs are such as `shows_on_display` says.

    One number is drawn from `rng`, from which all else follows.
    """
    own = np.random.default_rng(int(rng.uniform(0, 1) * 2**32))
    wide, thick = own.uniform(0.42, 0.62) * _HIGH, own.uniform(0.08, 0.17) * _HIGH
    pitch = wide + own.uniform(0.12, 0.4) * _HIGH
    apart, corner = own.uniform(0.0, 0.06) * _HIGH, own.uniform(0.0, 0.5)
    trace = own.uniform(10, _TRACE) if own.random() < _TRACED else 0.0
    lean, otherwise = (own.uniform(0.0, 0.2) if own.random() < 0.5 else 0.0), own.random() < 0.4
    places = [0.0]
    for sign in text:
        places.append(places[-1] + (2.2 * thick if sign in _POINTS else pitch))
    margin = lean * _HIGH + thick
    ink = np.zeros((_HIGH + 2, round(places[-1] + 2 * margin)), np.uint8)
    for sign, left in zip(text, places, strict=False):
        if sign in _POINTS:
            for share in _POINTS[sign]:
                foot = min(_HIGH, share * _HIGH + thick / 2)
                _fill(
                    ink, [(left, foot - thick), (left + thick, foot - thick), (left + thick, foot), (left, foot)], 255
                )
            continue
        lit = _OTHERWISE.get(sign, _LIT[sign]) if otherwise else _LIT[sign]
        for segment in range(7):
            level = 255 if str(segment) in lit else trace
            if level:
                _fill(ink, _place_segment(segment, left, wide, thick, apart, corner), level)
    shift = np.array([[1, -lean, margin + lean * _HIGH / 2], [0, 1, 0]])
    leant = cv2.warpAffine(ink, shift, (ink.shape[1], ink.shape[0]), flags=cv2.INTER_LINEAR)
    columns = np.flatnonzero(leant.max(axis=0) > _TRACE)
    shown = leant[:, columns[0] : columns[-1] + 1].astype(np.uint8)
    return Mark(text, (), shown, (0.0, 0.0, shown.shape[1] / _HIGH, shown.shape[0] / _HIGH))


def _place_segment(
    segment: int, left: float, wide: float, thick: float, apart: float, corner: float
) -> list[tuple[float, float]]:
    """Return the outline of a segment of a digit that begins at `left`; its ends are cut by a share `corner`."""
    half, cut = thick / 2, corner * thick
    rows = {_TOP: half, _MIDDLE: _HIGH / 2, _FOOT: _HIGH - half}
    if segment in rows:
        y, x0, x1 = rows[segment], left + half + apart, left + wide - half - apart
        return [
            (x0, y),
            (x0 + cut, y - half),
            (x1 - cut, y - half),
            (x1, y),
            (x1 - cut, y + half),
            (x0 + cut, y + half),
        ]
    x = left + half if segment in (_UPPER_LEFT, _LOWER_LEFT) else left + wide - half
    upper = segment in (_UPPER_LEFT, _UPPER_RIGHT)
    y0, y1 = (half, _HIGH / 2) if upper else (_HIGH / 2, _HIGH - half)
    y0, y1 = y0 + apart, y1 - apart
    return [(x, y0), (x + half, y0 + cut), (x + half, y1 - cut), (x, y1), (x - half, y1 - cut), (x - half, y0 + cut)]


def _fill(ink: Uint8, outline: list[tuple[float, float]], level: float) -> None:
    points = np.rint(np.array(outline) * 16).astype(np.int32)
    layer = np.zeros_like(ink)
    cv2.fillPoly(layer, [points], int(level), cv2.LINE_AA, 4)
    np.maximum(ink, layer, out=ink)
