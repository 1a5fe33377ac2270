"""Whether what reads as one digit may be a letter: what a network of all printable signs says of it."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Bools, Float64
from lenet.network.probabilities import log_odds
from lenet.network.spec import PRINTABLE

# Signs that may be a digit on their own, by the digit.
ALIKE = {"0": "OoDQ", "1": "lIi|", "2": "Zz", "5": "Ss", "6": "b", "8": "B", "9": "gq"}
# Letters among these.
LIKE_DIGITS = "".join(filter(str.isalpha, "".join(ALIKE.values())))
# What the confidence of one digit is weighed by beside an offset: its own log-odds, those of all letters that look like
# no digit, and the logarithm of how likely the digit, or what looks like it, is among all signs.
LETTER_FEATURES = ("log-odds", "letters", "digit")
# Beyond these, as logarithms, it makes no difference.
_MOST_ODDS, _LEAST_SAID = 8.0, -7.0
_LETTERS: Bools = np.array([sign.isalpha() and sign not in LIKE_DIGITS for sign in PRINTABLE])


def letter_features(digit: str, confidence: float, likely: Float64) -> Float64:
    """Return LETTER_FEATURES (3,) of a digit that is so sure, by the probabilities (94,) of `PRINTABLE`."""
    odds, letters = log_odds(np.array([confidence, likely[_LETTERS].sum()]))
    said = likely[[PRINTABLE.index(sign) for sign in digit + ALIKE.get(digit, "")]].sum()
    features = [np.clip(odds, -_MOST_ODDS, _MOST_ODDS), np.clip(letters, -_MOST_ODDS, _MOST_ODDS)]
    return np.array([*features, np.log(max(said, np.exp(_LEAST_SAID)))], np.float64)


def likeliest_letter(likely: Float64) -> str:
    """Return the likeliest letter that looks like no digit, by the probabilities (94,) of `PRINTABLE`."""
    return PRINTABLE[int(np.where(_LETTERS, likely, -1.0).argmax())]
