"""How far to trust a number that was read: its own probability, and signs that it is harder than most, weighed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lenet.arrays import Float64, Int32
from lenet.decode import DecodedLine, log_odds
from lenet.segment import SHAPES, Lattice

_RUBBISH = 10
# What is weighed beside an offset: the log-odds of the text up to 1, and beyond; the log-odds of "not a digit" of what
# looks least like one; how many more than two 1s stand in a row, since hatching is no number; the ink that the cuts
# cross; the logarithm of how many digits there are; and if it is a single one, which letters and blots are taken for.
SIGNS = ("log-odds", "beyond", "rubbish", "ones", "cuts", "digits", "single")
_LEFT, _RIGHT = SHAPES.index("cut left"), SHAPES.index("cut right")
_LIKELY = 1.0


def signs(decoded: DecodedLine, lattice: Lattice, arcs: Int32, log_probabilities: Float64) -> Float64:
    """Return SIGNS (7,) of a line whose digits are the lattice's `arcs` (n,), n above 0; log-probabilities (m, 11)."""
    odds = float(log_odds(np.array(decoded.confidence)))
    read = lattice.shapes[arcs]
    longest = max(map(len, "".join(each if each == "1" else " " for each in decoded.text).split(" ")))
    return np.array(
        [
            min(odds, _LIKELY),
            max(odds - _LIKELY, 0.0),
            float(np.clip(log_odds(np.exp(log_probabilities[arcs, _RUBBISH])).max(), -8, 8)),
            float(min(4, max(0, longest - 2))),
            float((read[:, _LEFT] + read[:, _RIGHT]).max()),
            float(np.log(len(arcs))),
            float(len(arcs) == 1),
        ]
    )


def trusted(found: Float64, weights: Sequence[float]) -> float:
    """Return the confidence that signs (k,) are worth, by weights (k + 1,) with the offset last."""
    return float(1 / (1 + np.exp(-(found @ np.asarray(weights[:-1]) + weights[-1]))))
