"""Whether what reads as one digit may be a letter: by a network of all printable signs, and by a look at its line."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Bools, Float64
from lenet.decoding.whole_lines import SpelledLine
from lenet.network.probabilities import log_odds
from lenet.network.spec import PRINTABLE

# Signs that may be a digit on their own, by the digit.
ALIKE = {"0": "OoDQ", "1": "lIi|", "2": "Zz", "5": "Ss", "6": "b", "8": "B", "9": "gq"}
# Letters among these.
LIKE_DIGITS = "".join(filter(str.isalpha, "".join(ALIKE.values())))
# What the confidence of one digit is weighed by beside an offset: its own log-odds, those of all letters that look like
# no digit, the logarithm of how likely the digit, or what looks like it, is among all signs; and as the line is read as
# a whole, the log-odds that it says this digit, and those that it says nothing.
LETTER_FEATURES = ("log-odds", "letters", "digit", "whole", "silent")
# What is a letter by less than these log-odds is not asked: of 813 digits by held-out hands one in four is, of 600
# letters that read as a digit nine of ten.
_LETTER = -4.0
# Beyond these, as logarithms, it makes no difference.
_MOST_ODDS, _LEAST_SAID = 8.0, -7.0
_LETTERS: Bools = np.array([sign.isalpha() and sign not in LIKE_DIGITS for sign in PRINTABLE])


def may_be_letter(likely: Float64) -> bool:
    """Return whether a sign of such probabilities (94,) of `PRINTABLE` may be a letter that looks like no digit."""
    return float(log_odds(np.array(likely[_LETTERS].sum()))) > _LETTER


def letter_features(digit: str, confidence: float, likely: Float64, whole: SpelledLine | None) -> Float64:
    """Return LETTER_FEATURES (5,) of a digit that is so sure, by the probabilities (94,) of `PRINTABLE`.

    `whole` is what its line says as a whole; None: it was not read so.
    """
    said = likely[[PRINTABLE.index(sign) for sign in digit + ALIKE.get(digit, "")]].sum()
    chances = [confidence, likely[_LETTERS].sum()]
    chances += [0.5, 0.5] if whole is None else [whole.texts.get(digit, 0.0), whole.texts.get("", 0.0)]
    odds = np.clip(log_odds(np.array(chances)), -_MOST_ODDS, _MOST_ODDS)
    return np.array([*odds[:2], np.log(max(said, np.exp(_LEAST_SAID))), *odds[2:]], np.float64)


def likeliest_letter(likely: Float64) -> str:
    """Return the likeliest letter that looks like no digit, by the probabilities (94,) of `PRINTABLE`."""
    return PRINTABLE[int(np.where(_LETTERS, likely, -1.0).argmax())]
