"""Draw the digits that the static page has: 400 of them, by pens of lenet's own. make_page_digits.py [OUT.json].

Each digit is one of a few paths, written with another slant, width, wobble and pen, and seen as a reader sees it. They
are made by the project: nobody wrote them, and no data set is among them.
"""

from __future__ import annotations

import json
import sys
import zlib
from base64 import b64encode
from pathlib import Path

import cv2
import numpy as np

from lenet.arrays import Float64, Uint8
from lenet.segmentation.candidates import find_digit

OUT = Path(__file__).parents[1] / "src" / "lenet" / "assets" / "page" / "digits.json"
COUNT, SIDE = 400, 160
# Paths in a box of 10 x 10, from the top left; several strokes are parted by |.
PATHS = {
    0: ("5,0 2,1 1,5 2,9 5,10 8,9 9,5 8,1 5,0", "6,0 3,1 1,4 1,7 3,10 7,9 9,6 8,2 6,0 4,1"),
    1: ("5,0 5,10", "3,2 5,0 5,10", "6,0 4,10", "3,3 6,0 5,10|2,10 8,10"),
    2: ("1,3 3,0 7,0 8,3 6,6 1,10 9,10", "2,2 5,0 8,2 7,5 3,9 2,10 4,9 9,10", "1,2 4,0 8,1 8,4 4,7 1,10 9,9"),
    3: ("1,1 5,0 8,2 5,5 8,7 6,10 1,9", "2,1 6,0 8,2 4,5 8,6 8,9 4,10 1,8", "1,0 8,0 4,4 8,6 8,9 4,10 1,9"),
    4: ("6,0 1,7 9,7|6,0 6,10", "3,0 2,6 8,6|8,0 8,10", "2,0 2,5 8,5|7,1 7,10", "7,0 2,4 8,4|7,0 6,10"),
    5: ("8,0 2,0 2,4 6,4 8,7 6,10 1,9", "3,0 2,4 5,4 8,6 7,9 3,10 1,9|3,0 8,0", "7,0 3,1 2,5 6,4 8,8 4,10 1,9"),
    6: ("7,0 3,3 1,7 3,10 7,9 8,7 5,5 2,7", "6,0 2,5 2,9 5,10 8,8 7,6 4,6 2,8"),
    7: ("1,0 9,0 4,10", "1,1 8,0 5,5 4,10|3,5 8,5", "1,2 1,0 9,0 6,4 5,10"),
    8: ("8,2 5,0 2,2 4,5 8,7 7,10 3,10 1,8 6,5 8,2", "5,0 2,2 5,5 8,2 5,0|5,5 1,8 5,10 8,8 5,5"),
    9: ("8,2 5,0 2,2 3,5 6,5 8,2 7,10", "8,3 6,0 2,1 2,5 6,5 8,3 8,8 4,10 2,9", "8,1 4,0 2,3 5,5 8,2 6,10"),
}


def draw_digit(digit: int, rng: np.random.Generator) -> Uint8:
    """Return a glyph (28, 28) of a digit, written by chance."""
    paths = PATHS[digit]
    strokes = paths[rng.integers(len(paths))].split("|")
    slant, wide, turn = rng.normal(0.12, 0.16), rng.uniform(0.7, 1.15), rng.normal(0, 0.08)
    wobble = rng.uniform(0.15, 0.55)
    pen = int(rng.integers(7, 17))
    page = np.full((SIDE, SIDE), 255, np.uint8)
    height = rng.uniform(80, 110)
    for stroke in strokes:
        points = np.array([[float(number) for number in point.split(",")] for point in stroke.split()])
        points = _round(points + rng.normal(0, wobble, points.shape))
        x, y = (points[:, 0] - 5) * wide, points[:, 1] - 5
        x, y = x - slant * y + turn * y, y + turn * x
        placed = np.stack([x, y], axis=1) * height / 10 + SIDE / 2
        cv2.polylines(
            page, [np.rint(placed * 16).astype(np.int32)], False, int(rng.integers(0, 60)), pen, cv2.LINE_AA, 4
        )
    return find_digit(page).glyphs[0]


def _round(points: Float64) -> Float64:
    """Return a path without corners (Chaikin's), its ends where they were."""
    for _time in range(3):
        first, second = points[:-1], points[1:]
        cut = np.stack([0.75 * first + 0.25 * second, 0.25 * first + 0.75 * second], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut, points[-1:]])
    return points


if __name__ == "__main__":
    rng = np.random.default_rng(28)
    labels = [number % 10 for number in range(COUNT)]
    glyphs = np.stack([draw_digit(label, rng) for label in labels])
    levels = (glyphs.reshape(COUNT, -1).astype(int) * 15 + 127) // 255
    packed = (levels[:, ::2] * 16 + levels[:, 1::2]).astype(np.uint8)
    told = {"labels": labels, "glyphs": b64encode(zlib.compress(packed.tobytes(), 9)).decode()}
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    out.write_text(json.dumps(told) + "\n", encoding="utf-8")
    print(f"{out}: {COUNT} digits, {out.stat().st_size:,} bytes")
