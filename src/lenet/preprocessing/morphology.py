"""What several stages of preprocessing ask for: straight runs of ink, averages, discs."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from lenet.arrays import Uint8

# How far outside a stroke its soft edge may reach, in pixels.
EDGE = 2


def find_runs_across(strokes: Uint8, run: int) -> Uint8:
    """Return the ink of (h, w) strokes, 0 and 1, that goes straight across for so many pixels, as lines do.

    It may lean by two pixels on the way.
    """
    thicker = cv2.dilate(strokes, np.ones((3, 1), np.uint8)).astype(np.uint8, copy=False)
    return cv2.bitwise_and(_open_across(thicker, run), strokes).astype(np.uint8)


def _open_across(strokes: Uint8, run: int) -> Uint8:
    """Return the opening of (h, w) strokes, 0 and 1, by a level line of so many pixels; ink may go on beyond the page.

    Running sums cost the same for any length, where OpenCV's own opening costs the length for every pixel.
    """
    anchor = run // 2
    inside = cv2.boxFilter(
        strokes, cv2.CV_32S, (run, 1), anchor=(anchor, 0), normalize=False, borderType=cv2.BORDER_REPLICATE
    )
    kept = (inside == run).astype(np.uint8)
    near = cv2.boxFilter(
        kept, cv2.CV_32S, (run, 1), anchor=(anchor, 0), normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    return (near > 0).astype(np.uint8)


def average_down(values: Uint8, factor: int) -> Uint8:
    """Average (h, w) values down by a whole factor; what is left over at the right and the bottom is cut off."""
    height, width = (max(1, side // factor) for side in values.shape)
    part = values[: height * factor, : width * factor]
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)


@lru_cache
def make_disc(radius: int) -> Uint8:
    """Return a disc of a radius in pixels, (2 radius + 1, 2 radius + 1) of 0 and 1, for morphology."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.uint8)
