"""What speaks for and against each candidate, the network's scores and its own shape, as penalties of a graph."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Float32, Float64, Floats, Int32
from lenet.graph import SILENT, Graph
from lenet.pattern import SYMBOLS
from lenet.segment import Lattice
from lenet.spec import NOT_A_DIGIT
from lenet.weights import WEIGHED

# Log-probabilities below this say no more than this.
_LEAST = -9.0
# A label of a lower log-probability is unlikely; what is unlikely is weighed apart.
_DOUBT = -1.5
# What is weighed for "these pieces are this digit" ...
AS_DIGIT = (
    *("label", "rubbish", "digit", "short", "tall", "wide", "off the line", "cuts", "cut ink", "uncut ink"),
    *("gap inside", "pieces", "narrow", "unlikely", "unlikely rubbish"),
)
# ... and for "this piece is none".
AS_NOTHING = ("piece", "no digit", "best label", "ink", "height", "width", "off the line", "cuts")
assert len(AS_DIGIT) + len(AS_NOTHING) == WEIGHED


def digit_evidence(shapes: Float32, log_probabilities: Float64) -> Float64:
    """Return the evidence that each arc is each digit: (m, 9) shapes, (m, 11) -> (m, 10, 15), named by AS_DIGIT."""
    height, width, offset, _ink, left, right, inside, gap, pieces = np.asarray(shapes, np.float64).T
    logs = np.maximum(log_probabilities, _LEAST)
    of_arc = np.stack(
        [
            logs[:, NOT_A_DIGIT],
            np.ones_like(height),
            np.maximum(0, 0.75 - height),
            np.maximum(0, height - 1.25),
            np.maximum(0, width - 0.85),
            np.minimum(np.abs(offset), 1.0),
            (left > 0).astype(float) + (right > 0),
            left + right,
            inside,
            np.minimum(np.maximum(gap, 0), 1.0),
            pieces - 1,
            np.maximum(0, 0.35 - width),
            np.minimum(0, logs[:, NOT_A_DIGIT] - _DOUBT),
        ],
        axis=1,
    )
    unlikely = np.minimum(0, logs[:, :10, None] - _DOUBT)
    repeated = np.broadcast_to(of_arc[:, None, :], (len(of_arc), 10, of_arc.shape[1]))
    # In AS_DIGIT's order: "unlikely" stands before the last.
    return np.concatenate([logs[:, :10, None], repeated[:, :, :-1], unlikely, repeated[:, :, -1:]], axis=2)


def nothing_evidence(shapes: Float32, log_probabilities: Float64) -> Float64:
    """Return the evidence that each arc of one piece is no digit: (m, 9), (m, 11) -> (m, 8), named by AS_NOTHING."""
    height, width, offset, ink, left, right, *_rest = np.asarray(shapes, np.float64).T
    logs = np.maximum(log_probabilities, _LEAST)
    return np.stack(
        [
            np.ones_like(height),
            logs[:, NOT_A_DIGIT],
            logs[:, :10].max(axis=1),
            np.minimum(ink, 0.5),
            np.minimum(height, 1.5),
            np.minimum(width, 1.5),
            np.minimum(np.abs(offset), 1.0),
            (left > 0).astype(float) + (right > 0),
        ],
        axis=1,
    )


def separator_shapes(shapes: Float32) -> tuple[Int32, Int32, Float64]:
    """Return which pieces (m, 9) may be which separator: the piece, its symbol, and the penalty for its shape."""
    height, width, offset, *_rest = np.asarray(shapes, np.float64).T
    low = offset + height / 2  # of its bottom below the middle: 0.5 on the base line
    tests = {
        ".": (height < 0.35) & (width < 0.4) & (offset > 0.15),
        ",": (height > 0.12) & (height < 0.6) & (width < 0.4) & (offset > 0.2) & (low > 0.45),
        ":": (height > 0.25) & (height < 0.9) & (width < 0.3) & (np.abs(offset) < 0.3),
        "/": (height > 0.6) & (width < 1.0),
        "-": (height < 0.45) & (width > 0.15) & (width > 1.3 * height) & (np.abs(offset) < 0.4),
    }
    unlike = {".": -2.5, ",": -2.0, ":": -1.5, "/": 0.5, "-": -2.5}
    rows, symbols, penalties = [], [], []
    for symbol, fits in tests.items():
        found = np.flatnonzero(fits)
        rows.append(found)
        symbols.append(np.full(len(found), SYMBOLS.index(symbol)))
        penalties.append(np.full(len(found), unlike[symbol]))
    return np.concatenate(rows), np.concatenate(symbols).astype(np.int32), np.concatenate(penalties)


def line_graph(
    lattice: Lattice, line: int, log_probabilities: Float64, weights: Floats, *, separators: bool = False
) -> tuple[Graph, Int32, Float64]:
    """Return a line's graph, the lattice's arc behind each of its arcs, and the evidence (arcs, WEIGHED) behind it.

    Node i stands before the line's piece i. Every arc of the lattice gives ten arcs, one for each digit, and one of
    a single piece a silent one besides; with `separators` also one for each separator that it looks like. A penalty is
    the evidence weighed, with the sign turned.
    """
    first, past = lattice.lines[line]
    own = np.flatnonzero((lattice.arcs[:, 0] >= first) & (lattice.arcs[:, 1] <= past))
    single = own[lattice.arcs[own, 1] - lattice.arcs[own, 0] == 1]
    as_digit = digit_evidence(lattice.shapes[own], log_probabilities[own]).reshape(len(own) * 10, -1)
    as_nothing = nothing_evidence(lattice.shapes[single], log_probabilities[single])
    evidence = np.zeros((len(as_digit) + len(as_nothing), WEIGHED))
    evidence[: len(as_digit), : len(AS_DIGIT)] = as_digit
    evidence[len(as_digit) :, len(AS_DIGIT) :] = as_nothing
    arcs = np.concatenate([np.repeat(own, 10), single]).astype(np.int32)
    labels = np.concatenate([np.tile(np.arange(10), len(own)), np.full(len(single), SILENT)]).astype(np.int32)
    extra = np.zeros(len(arcs))
    if separators:
        # A separator is a piece that is no digit, and of the right shape.
        which, symbols, unlike = separator_shapes(lattice.shapes[single])
        arcs, labels = np.concatenate([arcs, single[which]]), np.concatenate([labels, symbols])
        evidence = np.concatenate([evidence, evidence[len(as_digit) + which]])
        extra = np.concatenate([extra, unlike])
    graph = Graph(
        int(past - first) + 1,
        (lattice.arcs[arcs, 0] - first).astype(np.int32),
        (lattice.arcs[arcs, 1] - first).astype(np.int32),
        labels,
        extra - evidence @ np.asarray(weights, np.float64),
        np.arange(len(arcs), dtype=np.int32),
    )
    return graph, arcs, evidence
