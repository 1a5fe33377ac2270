"""A line of characters: each candidate may say any sign, by its score and by the shape of its ink.

A network of characters has no output for what is none of them: what speaks for a candidate is how likely its sign is,
and its shape.
"""

from __future__ import annotations

import numpy as np

from lenet.arrays import Float32, Float64, Int32
from lenet.decoding.arc_scorer import score_arcs
from lenet.decoding.confidence import calibrate_confidence
from lenet.decoding.decoder import DecodedLine
from lenet.decoding.graph import Automaton, Graph
from lenet.decoding.lines import decode_arcs
from lenet.network.probabilities import log_odds
from lenet.network.spec import PRINTABLE
from lenet.network.weights import CHARACTER_FEATURE_COUNT
from lenet.segmentation.lattice import SHAPES, Lattice

# Log-probabilities below this say no more than this, nor do lengths beyond so many heights of the line.
_LEAST, _LONGEST = -14.0, 4.0
# What speaks for an arc: the log-probability of the sign that it says, and the shape of its ink.
CHARACTER_FEATURES = ("label", *SHAPES)
assert len(CHARACTER_FEATURES) == CHARACTER_FEATURE_COUNT


def trust_features(decoded: DecodedLine) -> Float64:
    """Return what the confidence of a line is weighed by, (3,).

    The log-odds of its text and of its least sure sign, and the log of how well what is allowed fits.
    """
    least = min((sign.confidence for sign in decoded.digits), default=decoded.confidence)
    return np.array([*log_odds(np.array([decoded.confidence, least])), np.log(max(decoded.fits, 1e-6))])


def weigh_characters(decoded: DecodedLine, trust: Float64 | None) -> float:
    """Return how sure a line is, by weights (4,), the offset last; None: as its paths have it."""
    if trust is None or not decoded.digits:
        return decoded.confidence
    return calibrate_confidence(trust_features(decoded), trust)


def character_features(shapes: Float32, log_probs: Float64) -> Float64:
    """Return what speaks for arcs of these shapes (n, 9) and log-probabilities of the sign that they say (n,)."""
    within = np.clip(shapes, -_LONGEST, _LONGEST)
    return np.concatenate([np.maximum(log_probs, _LEAST)[:, None], within], axis=1).astype(np.float64)


def build_character_graph(
    lattice: Lattice, line: int, log_probabilities: Float64, scorer: Float64
) -> tuple[Graph, Int32, Float64]:
    """Return a line's graph, the lattice's arc behind each of its arcs, and the features (arcs, e) behind it.

    Every arc of the lattice gives 94 arcs, one for each sign, by its log-probabilities (m, 94). A penalty is what the
    scorer, an arc scorer of `CHARACTER_FEATURES`, makes of the features, with the sign turned.
    """
    first, past = lattice.lines[line]
    own = lattice.find_arcs(line)
    arcs = np.repeat(own, len(PRINTABLE)).astype(np.int32)
    found = character_features(lattice.shapes[arcs], log_probabilities[own].ravel())
    graph = Graph(
        int(past - first) + 1,
        (lattice.arcs[arcs, 0] - first).astype(np.int32),
        (lattice.arcs[arcs, 1] - first).astype(np.int32),
        np.tile(np.arange(len(PRINTABLE), dtype=np.int32), len(own)),
        -score_arcs(found, scorer),
        np.arange(len(arcs), dtype=np.int32),
    )
    return graph, arcs, found


def decode_characters(
    lattice: Lattice,
    line: int,
    log_probabilities: Float64,
    scorer: Float64,
    allowed: Automaton | None = None,
    best: int = 0,
) -> tuple[DecodedLine, Int32]:
    """Find the likeliest text of a line of candidates, and the candidates (n,) behind its signs.

    `allowed` is an automaton over `PRINTABLE`, `best` is as in `decode`.
    """
    graph, arcs, _features = build_character_graph(lattice, line, log_probabilities, scorer)
    return decode_arcs(graph, arcs, allowed, best, PRINTABLE)
