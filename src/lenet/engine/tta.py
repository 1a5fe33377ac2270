"""Looking again: what the network is not sure of is seen turned, slanted and scaled too, and all looks count."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lenet.arrays import Bools, Float32, Float64, Uint8
from lenet.engine import Network, distort
from lenet.engine.warp import PARAMETERS
from lenet.network.inputs import to_input
from lenet.network.probabilities import probabilities
from lenet.network.spec import NOT_A_DIGIT

# A glyph is looked at again unless it is a digit with this probability, or none with that one.
_SURE, _SURELY_NONE = 0.99, 0.9
# How far a look is from the first: degrees, columns per row, and by which factor.
_TURN, _SLANT, _ZOOM = np.radians(12.0), 0.2, 1.1
# So many glyphs are looked at again at a time: a page of dust has thousands of candidates, and a look has 4 KB.
_AT_ONCE = 64


def _looks() -> Float32:
    """Return the parameters (6, 56) of the other looks, as `lenet.engine.warp` takes them."""
    looks = np.zeros((6, PARAMETERS), np.float32)
    cos, sin = np.cos(_TURN), np.sin(_TURN)
    looks[:, [0, 1, 3, 4]] = [
        *((cos, sin, -sin, cos), (cos, -sin, sin, cos)),
        *((1, _SLANT, 0, 1), (1, -_SLANT, 0, 1)),
        *((_ZOOM, 0, 0, _ZOOM), (1 / _ZOOM, 0, 0, 1 / _ZOOM)),
    ]
    return looks


_LOOKS = _looks()


class TtaScores(NamedTuple):
    """`probabilities` (n, k) of each label for each glyph, and which glyphs were seen `augmented` (n,) too."""

    probabilities: Float64
    augmented: Bools


def score_once(network: Network, glyphs: Uint8) -> TtaScores:
    """Look at glyphs (n, 28, 28) once each."""
    return TtaScores(network.probabilities(glyphs), np.zeros(len(glyphs), bool))


def score_with_tta(network: Network, glyphs: Uint8) -> TtaScores:
    """Look at glyphs (n, 28, 28).

    Where the first look is sure, they are `Network.probabilities`; else the scores are the mean over seven
    looks, which on held-out writers' digits leaves three quarters of the errors (docs/log.md).
    """
    inputs = to_input(glyphs)
    scores = network.forward(inputs)
    probs = probabilities(scores, network.weights.temperature)
    if not network.net.reads:  # not made for reading: its one look, as the paper's
        return TtaScores(probs, np.zeros(len(glyphs), bool))
    augmented = probs.max(axis=1, initial=0) < _SURE
    if network.net.knows_none:
        augmented &= probs[:, NOT_A_DIGIT] < _SURELY_NONE
    low_confidence = np.flatnonzero(augmented)
    for first in range(0, len(low_confidence), _AT_ONCE):
        rows = low_confidence[first : first + _AT_ONCE]
        others = distort(np.repeat(inputs[rows], len(_LOOKS), axis=0), np.tile(_LOOKS, (len(rows), 1)))
        more = network.forward(others).reshape(len(rows), len(_LOOKS), -1).sum(axis=1)
        mean = (scores[rows] + more) / (1 + len(_LOOKS))
        probs[rows] = probabilities(mean, network.weights.temperature)
    return TtaScores(probs, augmented)
