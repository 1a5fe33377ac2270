"""How sure a number is that was read: its own probability, and features of numbers that are harder than most."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Float64, Int32
from lenet.decoding.decoder import DecodedLine
from lenet.network.probabilities import log_odds
from lenet.network.spec import NOT_A_DIGIT
from lenet.network.weights import CONFIDENCE_WEIGHT_COUNT
from lenet.segmentation.candidates import PageCandidates
from lenet.segmentation.lattice import SHAPES
from lenet.steps import KINDS

# What is weighed beside an offset: the log-odds of the text up to 1, and beyond; the log-odds of "not a digit" of what
# looks least like one; how many more than two 1s stand in a row, since hatching is no number; the ink that the cuts
# cross; the logarithm of how many digits there are; how many of the steps named below were needed to see it; which
# share of neighbours hangs together, and that times the share of 1s and 7s, since an h or a u may be cut into such; and
# if it is a single digit, which letters and blots are taken for, so that the first three are weighed apart for one.
_SAID = ("log-odds", "beyond", "rubbish")
_MORE = ("ones", "cuts", "digits", "steps", "joined", "joined strokes")
CONFIDENCE_FEATURES = (*_SAID, *_MORE, "single", *(f"{sign} of a single one" for sign in _SAID))
assert len(CONFIDENCE_FEATURES) + 1 == CONFIDENCE_WEIGHT_COUNT
_LEFT, _RIGHT = SHAPES.index("cut left"), SHAPES.index("cut right")
_LIKELY = 1.0
# So many pictures of numbers that are said to be of a format are.
_OF_THE_FORMAT = 0.95
# What had to be done to the pixels before a number was seen, and how many of such steps say no more. What was done to
# the file, and what is said of the answer, is none of these.
_PIXEL_STEPS = frozenset(
    (
        *("colour-contrast", "table-removed", "shadow-removed", "black-print-dropped", "coloured-print-dropped"),
        *("light-ink", "uneven-light-removed", "ruled-lines-removed"),
        *("frames-dropped", "boxes-dropped", "specks-dropped", "stains-dropped"),
        *("strokes-thickened", "strokes-thinned"),
    )
)
assert KINDS.keys() >= _PIXEL_STEPS
_MOST_STEPS = 4


def confidence_features(
    decoded: DecodedLine, candidates: PageCandidates, arcs: Int32, log_probabilities: Float64
) -> Float64:
    """Return CONFIDENCE_FEATURES (13,) of a line that says `arcs` (n,), n above 0, of log-probabilities (m, 11).

    A point or a dash looks like no digit, and need not: what digits look like is asked of digits alone.
    """
    is_digit = np.array([each.symbol < NOT_A_DIGIT for each in decoded.digits])
    arcs = arcs[is_digit] if is_digit.any() else arcs
    odds = float(log_odds(np.array(decoded.confidence)))
    read = candidates.lattice.shapes[arcs]
    longest = max(map(len, "".join(each if each == "1" else " " for each in decoded.text).split(" ")))
    single = float(len(arcs) == 1)
    said = [
        min(odds, _LIKELY),
        max(odds - _LIKELY, 0.0),
        float(np.clip(log_odds(np.exp(log_probabilities[arcs, NOT_A_DIGIT])).max(), -8, 8)),
    ]
    joined = float((read[1:, _LEFT] > 0).mean()) if len(arcs) > 1 else 0.0
    more = [
        float(min(4, max(0, longest - 2))),
        float((read[:, _LEFT] + read[:, _RIGHT]).max()),
        float(np.log(len(arcs))),
        float(min(_MOST_STEPS, sum(step.id in _PIXEL_STEPS for step in candidates.steps))),
        joined,
        joined * sum(digit in "17" for digit in decoded.text) / len(arcs),
    ]
    return np.array([*said, *more, single, *(single * each for each in said)])


def calibrate_confidence(found: Float64, weights: Float64) -> float:
    """Return the confidence that signs (k,) are worth, by weights (k + 1,) with the offset last."""
    return float(1 / (1 + np.exp(-(found @ weights[:-1] + weights[-1]))))


def format_holds(fits: float) -> float:
    """Return how likely a number has the format that it is said to have, by how much of what it may say is allowed."""
    return _OF_THE_FORMAT * fits / (_OF_THE_FORMAT * fits + (1 - _OF_THE_FORMAT) * (1 - fits))
