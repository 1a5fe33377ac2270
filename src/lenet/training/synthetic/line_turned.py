"""Strips on their head or on their side: what is then no number is passed over."""

from __future__ import annotations

import cv2
import numpy as np

from lenet.arrays import Uint8
from lenet.network.inputs import LINE_HEIGHT
from lenet.network.spec import PASSED_OVER

# Shares of the strips that stand on their head, and of those that lie on either side.
_ON_HEAD, _ON_SIDES = 0.05, 0.02
# Digits that are none on their head, of which a strip has at least this share; 2 and 5 look there as they do upright,
# 6 and 9 like one another.
_ONE_WAY, _LEAST = "347", 1 / 3
# Digits that are none on their side; 0, 1 and 8 are 0, a dash and two rings there.
_UPRIGHT = "2345679"


def choose_turn(rng: np.random.Generator) -> int:
    """Return by how many quarters a strip is turned: 0 for most."""
    kind = rng.random()
    if kind < _ON_HEAD:
        return 2
    return int(rng.choice([1, 3])) if kind < _ON_HEAD + _ON_SIDES else 0


def is_nothing_turned(text: str, turn: int) -> bool:
    """Whether a text is no number when it is turned by 2 quarters, or one digit that is none on its side."""
    digits = [character for character in text if character.isdigit()]
    if PASSED_OVER in text or not digits:
        return False
    if turn % 2:
        return len(text) == 1 and text in _UPRIGHT
    return sum(digit in _ONE_WAY for digit in digits) >= _LEAST * len(digits)


def turn_strip(strip: Uint8, turn: int) -> Uint8:
    """Return grey (32, W) turned by so many quarters, brought to 32 rows again."""
    turned = np.ascontiguousarray(np.rot90(strip, turn))
    if turn % 2 == 0:
        return turned
    high, wide = turned.shape
    width = max(LINE_HEIGHT, round(wide * LINE_HEIGHT / high))
    width += -width % 4
    return cv2.resize(turned, (width, LINE_HEIGHT), interpolation=cv2.INTER_AREA).astype(np.uint8)
