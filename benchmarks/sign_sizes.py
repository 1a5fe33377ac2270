"""How high UNIPEN's hands write signs in their numbers, and where, beside the digits of the same number.

    python benchmarks/sign_sizes.py [--part train]

A number counts if its strokes fall into as many groups from left to right as its text has signs. Heights are in those
of its digits but 1s (their median), the middle is measured down from their top; 5th, 50th and 95th percentile.
Lines are made with signs as large as these (`lenet.training.synthetic.marks`).
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from itertools import pairwise
from typing import Literal

import numpy as np

from lenet.arrays import Float32, Float64
from lenet.training.line_stream import load_hands
from lenet.training.synthetic.marks import find_sign_place

# Groups of strokes that share less of the narrower one's columns than this are signs apart.
_ONE_SIGN = 0.1
# A number whose lowest digit is lower than this beside the others was cut badly.
_LOWEST = 0.4
_PERCENTILES = (5, 50, 95)


def group_strokes(strokes: list[Float32], count: int) -> list[Float64]:
    """Return the boxes [x0, y0, x1, y1] of so many signs from left to right; fewer or more: they do not fall so."""
    boxes = [np.concatenate([each.min(axis=0), each.max(axis=0)]).astype(float) for each in strokes]
    boxes.sort(key=lambda box: float(box[0] + box[2]))
    while len(boxes) > count:
        shared = [
            (min(a[2], b[2]) - max(a[0], b[0]) + 1) / (min(a[2] - a[0], b[2] - b[0]) + 1) for a, b in pairwise(boxes)
        ]
        row = int(np.argmax(shared))
        if shared[row] < _ONE_SIGN:
            break
        a, b = boxes[row : row + 2]
        boxes[row : row + 2] = [np.concatenate([np.minimum(a[:2], b[:2]), np.maximum(a[2:], b[2:])])]
    return boxes


def measure_signs(part: Literal["train", "dev"]) -> dict[str, list[tuple[float, float, float]]]:
    """Return the height, the width and the middle of every sign of the numbers of a part, in digit heights."""
    numbers = load_hands(part).pens.numbers
    found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for row, label in enumerate(numbers.labels.tolist()):
        if " " in label:
            continue
        boxes = group_strokes(numbers.sample(row), len(label))
        digits = [box for box, sign in zip(boxes, label, strict=False) if sign in "023456789"]
        if len(boxes) != len(label) or not digits:
            continue
        highs = np.array([box[3] - box[1] for box in digits])
        high, top = float(np.median(highs)), float(np.median([box[1] for box in digits]))
        if highs.min() < _LOWEST * highs.max():
            continue
        for (x0, y0, x1, y1), sign in zip(boxes, label, strict=True):
            found[sign].append(((y1 - y0) / high, (x1 - x0) / high, ((y0 + y1) / 2 - top) / high))
    return found


def main() -> None:
    """Print a row for every sign: how many there are, high, wide and middle, and the same of made ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("train", "dev"), default="train")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    for sign, sizes in sorted(measure_signs(options.part).items()):
        told = "   ".join(
            f"{name} " + " ".join(f"{each:5.2f}" for each in np.percentile(own, _PERCENTILES))
            for name, own in zip(("high", "wide", "middle"), zip(*sizes, strict=True), strict=True)
        )
        made = ""
        if not sign.isdigit():
            size, middle, lying = zip(*(find_sign_place(sign, rng) for _sign in range(2000)), strict=True)
            made = f"   made: {'wide' if lying[0] else 'high'} {min(size):.2f} to {max(size):.2f}"
            made += f", middle {min(middle):.2f} to {max(middle):.2f}"
        print(f"{sign}  {len(sizes):4d}   {told}{made}")


if __name__ == "__main__":
    main()
