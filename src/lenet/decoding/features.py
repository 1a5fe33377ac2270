"""What speaks for and against each candidate, the network's scores and its own shape, as penalties of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from lenet.arrays import Float32, Float64, Int32
from lenet.decoding.arc_scorer import score_arcs
from lenet.decoding.formats import SYMBOLS
from lenet.decoding.graph import EPSILON, Graph
from lenet.network.spec import NOT_A_DIGIT
from lenet.network.weights import ARC_FEATURE_COUNT
from lenet.segmentation.lattice import SHAPES, Lattice

# Log-probabilities below this say no more than this, nor do lengths beyond so many heights of the line.
_LEAST, _LONGEST = -14.0, 2.0
# What speaks for an arc: the log-probability of the label that it says (of the likeliest if it says none) and of
# "not a digit", the shape of its ink, if that is cut on either side, and, one in eleven, which label it says, if any.
ARC_FEATURES = ("label", "rubbish", *SHAPES, "left is cut", "right is cut", *"0123456789", "nothing")
assert len(ARC_FEATURES) == ARC_FEATURE_COUNT
Bounds = tuple[float, float]


@dataclass(frozen=True)
class SignShape:
    """What a piece of ink is like that may be a separator, between bounds; lengths are shares of the line's height.

    All were set by hand on made amounts, dates and times (docs/log.md), until signs are learned.
    """

    penalty: float  # nats that it costs beside a piece that says nothing; below 0 it is likelier
    height: Bounds = (-inf, inf)
    width: Bounds = (-inf, inf)
    offset: Bounds = (-inf, inf)  # of its middle below the line's middle
    bottom: Bounds = (-inf, inf)  # of its bottom below the line's middle: 0.5 is the base line
    most_fill: float = inf  # its ink as a share of its box
    least_slimness: float = -inf  # its width as a multiple of its height

    def fits(self, shapes: Float32) -> npt.NDArray[np.bool_]:
        """Return which pieces of these shapes (m, 9) are like it."""
        height, width, offset, ink, *_rest = np.asarray(shapes, np.float64).T
        found = np.ones(len(height), bool)
        for value, (low, high) in (
            (height, self.height),
            (width, self.width),
            (offset, self.offset),
            (offset + height / 2, self.bottom),
        ):
            found &= (value > low) & (value < high)
        return found & (ink < self.most_fill * height * width) & (width > self.least_slimness * height)


@dataclass(frozen=True)
class ColonShape:
    """What two dots are like that are a colon; lengths are shares of the line's height."""

    penalty: float = -3.5  # nats that it costs beside two dots that say nothing
    dot_height: float = 0.35  # at most, of each dot
    dot_width: float = 0.4  # at most, of each dot
    height: float = 0.95  # at most, of both together
    gap: float = 0.09  # at least, of paper between them
    overlap: float = 0.9  # both are at most this share as wide as one beside the other: they stand above each other


SIGNS = {
    ".": SignShape(-2.5, height=(-inf, 0.35), width=(-inf, 0.4), offset=(0.15, inf)),
    ",": SignShape(-2.0, height=(0.12, 0.6), width=(-inf, 0.4), offset=(0.2, inf), bottom=(0.45, inf)),
    ":": SignShape(-1.5, height=(0.4, 0.9), width=(-inf, 0.3), offset=(-0.3, 0.3), most_fill=0.65),
    "/": SignShape(0.5, height=(0.6, inf), width=(-inf, 1.0)),
    "-": SignShape(-2.5, height=(-inf, 0.45), width=(0.15, inf), offset=(-0.4, 0.4), least_slimness=1.3),
}
COLON = ColonShape()


def arc_features(shapes: Float32, log_probabilities: Float64, labels: Int32) -> Float64:
    """Return what speaks for arcs of these shapes (n, 9), log-probabilities (n, 11) and labels (n,): (n, WEIGHED)."""
    log_probs = np.maximum(log_probabilities, _LEAST)
    silent = labels == EPSILON
    said = np.where(silent, log_probs[:, :NOT_A_DIGIT].max(axis=1), log_probs[np.arange(len(labels)), labels])
    cut = shapes[:, [SHAPES.index("cut left"), SHAPES.index("cut right")]] > 0
    kinds = np.where(silent, NOT_A_DIGIT, labels)[:, None] == np.arange(NOT_A_DIGIT + 1)
    within = np.clip(shapes, -_LONGEST, _LONGEST)
    return np.concatenate([said[:, None], log_probs[:, [NOT_A_DIGIT]], within, cut, kinds], axis=1).astype(np.float64)


def log_prob_gradient(arcs: Int32, labels: Int32, log_probabilities: Float64, grad: Float64) -> Float64:
    """Return the gradient in log-probabilities (m, 11) of a loss, by its gradient in the features (n, e).

    The features are those of arcs (n,), rows of the log-probabilities, that say these labels (n,), as
    `build_line_graph` has it. What was too unlikely to count has no gradient.
    """
    found = np.zeros_like(log_probabilities)
    likeliest = log_probabilities[:, :NOT_A_DIGIT].argmax(axis=1)
    for name, said in (
        ("label", np.where(labels == EPSILON, likeliest[arcs], labels)),
        ("rubbish", np.full(len(arcs), NOT_A_DIGIT)),
    ):
        counts = log_probabilities[arcs, said] > _LEAST
        np.add.at(found, (arcs[counts], said[counts]), grad[counts, ARC_FEATURES.index(name)])
    return found


def find_separators(shapes: Float32) -> tuple[Int32, Int32, Float64]:
    """Return which pieces (m, 9) may be which separator: the piece, its symbol, and the penalty for its shape."""
    rows, symbols, penalties = [], [], []
    for symbol, sign in SIGNS.items():
        found = np.flatnonzero(sign.fits(shapes))
        rows.append(found)
        symbols.append(np.full(len(found), SYMBOLS.index(symbol)))
        penalties.append(np.full(len(found), sign.penalty))
    return np.concatenate(rows), np.concatenate(symbols).astype(np.int32), np.concatenate(penalties)


def find_colons(lattice: Lattice, pairs: Int32, pieces: Int32) -> npt.NDArray[np.bool_]:
    """Return which arcs (n,) of two pieces, whose own arcs are given (n, 2), are two dots one above the other.

    They stand above each other in the picture, or where the line's slant is taken out.
    """
    height, width, offset, *_rest = np.asarray(lattice.shapes, np.float64).T
    first, second = pieces.T
    dots = ((height < COLON.dot_height) & (width < COLON.dot_width))[pieces].all(axis=1) & (
        height[pairs] < COLON.height
    )
    gap = np.abs(offset[first] - offset[second]) - (height[first] + height[second]) / 2
    upright = width[pairs] < COLON.overlap * (width[first] + width[second])
    shared = np.minimum(*lattice.boxes[pieces, 2].T) - np.maximum(*lattice.boxes[pieces, 0].T)
    found: npt.NDArray[np.bool_] = dots & (gap > COLON.gap) & (upright | (shared > 0))
    return found


def build_line_graph(
    lattice: Lattice, line: int, log_probabilities: Float64, arc_scorer: Float64, *, separators: bool = False
) -> tuple[Graph, Int32, Float64]:
    """Return a line's graph, the lattice's arc behind each of its arcs, and the features (arcs, e) behind it.

    Node i stands before the line's piece i. Every arc of the lattice gives ten arcs, one for each digit, and one of
    a single piece a silent one besides; with `separators` also one for each separator that it looks like, and a colon
    for two dots. A penalty is what the arc scorer makes of the features, with the sign turned.
    """
    first, past = lattice.lines[line]
    own = lattice.find_arcs(line)
    single = own[lattice.arcs[own, 1] - lattice.arcs[own, 0] == 1]
    arcs = np.concatenate([np.repeat(own, 10), single]).astype(np.int32)
    labels = np.concatenate([np.tile(np.arange(10), len(own)), np.full(len(single), EPSILON)]).astype(np.int32)
    found = arc_features(lattice.shapes[arcs], log_probabilities[arcs], labels)
    extra = np.zeros(len(arcs))
    if separators:
        # A separator is a piece that is no digit, and of the right shape.
        which, symbols, unlike = find_separators(lattice.shapes[single])
        # Two dots are a colon: both are no digit, which the features of the first and the penalty of the second say.
        pairs = own[lattice.arcs[own, 1] - lattice.arcs[own, 0] == 2]  # noqa: PLR2004
        places = np.searchsorted(lattice.arcs[single, 0], lattice.arcs[pairs, 0, None] + [0, 1])
        colons = find_colons(lattice, pairs, single[places])
        upper, lower = places[colons].T
        silent = found[10 * len(own) :]
        symbols = np.concatenate([symbols, np.full(len(upper), SYMBOLS.index(":"), np.int32)])
        arcs, labels = np.concatenate([arcs, single[which], pairs[colons]]), np.concatenate([labels, symbols])
        found = np.concatenate([found, silent[which], silent[upper]])
        extra = np.concatenate([extra, unlike, COLON.penalty - score_arcs(silent[lower], arc_scorer)])
    graph = Graph(
        int(past - first) + 1,
        (lattice.arcs[arcs, 0] - first).astype(np.int32),
        (lattice.arcs[arcs, 1] - first).astype(np.int32),
        labels,
        extra - score_arcs(found, arc_scorer),
        np.arange(len(arcs), dtype=np.int32),
    )
    return graph, arcs, found
