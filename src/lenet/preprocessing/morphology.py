"""Shapes of ink that several stages of preprocessing ask for."""

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
    thicker = cv2.dilate(strokes, np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(thicker, cv2.MORPH_OPEN, np.ones((1, run), np.uint8))
    return cv2.bitwise_and(runs, strokes).astype(np.uint8)


@lru_cache
def make_disc(radius: int) -> Uint8:
    """Return a disc of a radius in pixels, (2 radius + 1, 2 radius + 1) of 0 and 1, for morphology."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.uint8)
