"""One line of candidates becomes a text: the graph of its arcs, the best path, what its confidence is weighed by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenet.arrays import Float64, Int32
from lenet.decoding.confidence import confidence_features
from lenet.decoding.decoder import DecodedLine, decode
from lenet.decoding.features import build_line_graph
from lenet.decoding.formats import SYMBOLS
from lenet.decoding.graph import Automaton, Graph
from lenet.segmentation.candidates import PageCandidates


@dataclass(frozen=True)
class LineOfArcs:
    """A decoded line, the candidate `arcs` (n,) behind its symbols, and its confidence features if it has symbols."""

    decoded: DecodedLine
    arcs: Int32
    features: Float64 | None


def decode_arcs(
    graph: Graph, arcs: Int32, allowed: Automaton | None, best: int, signs: str = SYMBOLS
) -> tuple[DecodedLine, Int32]:
    """Find the likeliest text of a line's graph, and which of the `arcs` behind the graph's (n,) say it."""
    decoded = decode(graph, np.stack([graph.sources, graph.targets], axis=1), allowed, best, signs)
    return decoded, np.array([arcs[each.step] for each in decoded.digits], np.int32)


def decode_line(
    candidates: PageCandidates,
    line: int,
    log_probs: Float64,
    arc_scorer: Float64,
    allowed: Automaton | None = None,
    best: int = 0,
) -> LineOfArcs:
    """Find the likeliest text of a line of candidates of log-probabilities (m, 11); `allowed`, `best` as in `decode`.

    Only with a format may an arc say a separator.
    """
    graph, arcs, _features = build_line_graph(
        candidates.lattice, line, log_probs, arc_scorer, separators=allowed is not None
    )
    decoded, said = decode_arcs(graph, arcs, allowed, best)
    features = confidence_features(decoded, candidates, said, log_probs) if decoded.digits else None
    return LineOfArcs(decoded, said, features)
