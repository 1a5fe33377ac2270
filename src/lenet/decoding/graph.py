"""Graphs of segmentations: the best path, the sum of all paths, and the losses and gradients of section VI.

Every arc has a penalty, as in the paper: smaller is better. A penalty is minus a log-probability up to a constant.
What a function does in C++, its `reference_` twin says here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log1p

import numpy as np

from lenet.arrays import Float64, Int32, Int64
from lenet.native.dispatch import runs_natively

# The label of an arc that says nothing.
EPSILON = -1
# Of more pairs of an arc and a state, those that no path goes through are looked for and left out: tens of megabytes.
_MOST_PAIRS = 300_000


@dataclass(frozen=True)
class Graph:
    """A directed graph without cycles: nodes 0 (the start) to `nodes` - 1 (the end), numbered along the arcs.

    Each arc k leads from `sources[k]` to a larger `targets[k]`, says `labels[k]` and costs `penalties[k]`; `origins[k]`
    is the arc that it was made of, when the graph was composed.
    """

    nodes: int
    sources: Int32
    targets: Int32
    labels: Int32
    penalties: Float64
    origins: Int32

    @property
    def packed(self) -> tuple[int, Int32, Int32, Int32, Float64]:
        """The nodes and the arcs as C++ takes them."""
        return self.nodes, self.sources, self.targets, self.labels, self.penalties


@dataclass(frozen=True)
class Automaton:
    """Which texts are allowed: `transitions` (states, symbols) to a next state or -1; `accepting` (states,) the last.

    The first state is 0; a silent arc leaves the state as it is.
    """

    transitions: Int32
    accepting: np.ndarray


def linear_acceptor(labels: list[int], symbols: int) -> Automaton:
    """Return the automaton that allows one text alone."""
    transitions = np.full((len(labels) + 1, symbols), -1, np.int32)
    transitions[np.arange(len(labels)), labels] = np.arange(1, len(labels) + 1)
    return Automaton(transitions, np.arange(len(labels) + 1) == len(labels))


def compose(graph: Graph, allowed: Automaton) -> Graph:
    """Return the graph of those paths whose text is allowed; its arcs know which arc they came from."""
    states = len(allowed.accepting)
    if states * len(graph.labels) > _MOST_PAIRS:
        return _compose_reached(graph, allowed)
    # A node for every pair of a node and a state, and one at the end that every accepting state leads to.
    each = np.arange(states)
    silent = graph.labels == EPSILON
    after = np.where(silent[:, None], each[None, :], allowed.transitions[:, np.where(silent, 0, graph.labels)].T)
    arc, state = np.nonzero(after >= 0)
    ends = np.flatnonzero(allowed.accepting)
    end = graph.nodes * states
    sources = np.concatenate([graph.sources[arc] * states + state, (graph.nodes - 1) * states + ends])
    targets = np.concatenate([graph.targets[arc] * states + after[arc, state], np.full(len(ends), end)])
    return Graph(
        end + 1,
        sources.astype(np.int32),
        targets.astype(np.int32),
        np.concatenate([graph.labels[arc], np.full(len(ends), EPSILON)]).astype(np.int32),
        np.concatenate([graph.penalties[arc], np.zeros(len(ends))]),
        np.concatenate([arc, np.full(len(ends), -1)]).astype(np.int32),
    )


def _compose_reached(graph: Graph, allowed: Automaton) -> Graph:
    """Compose with a large automaton: only pairs of a node and a state that some allowed path goes through are made.

    The text of every path of the result is that of a path of `compose`, in the same order.
    """
    steps = allowed.transitions
    order = np.argsort(graph.sources, kind="stable")
    reached: dict[int, list[Int32]] = {0: [np.zeros(1, np.int32)]}
    found: list[tuple[int, Int32, Int32]] = []
    pairs: dict[int, Int32] = {}
    for arc in order:
        node = int(graph.sources[arc])
        if node not in pairs:
            pairs[node] = np.unique(np.concatenate(reached.pop(node, [np.zeros(0, np.int32)])))
        here, label = pairs[node], graph.labels[arc]
        after = here if label == EPSILON else steps[here, label]
        here, after = here[after >= 0], after[after >= 0]
        if len(here):
            found.append((int(arc), here, after))
            reached.setdefault(int(graph.targets[arc]), []).append(after)
    # From the end back: what leads to no accepting state is left out.
    last = np.unique(np.concatenate(reached.get(graph.nodes - 1, [np.zeros(0, np.int32)])))
    alive = {graph.nodes - 1: last[allowed.accepting[last]]}
    kept = []
    for arc, here, after in sorted(found, key=lambda each: -int(graph.sources[each[0]])):
        node, target = int(graph.sources[arc]), int(graph.targets[arc])
        good = np.isin(after, alive.get(target, last[:0]))
        if good.any():
            kept.append((arc, here[good], after[good]))
            alive[node] = np.union1d(alive.get(node, last[:0]), here[good])
    return _number_pairs(graph, kept, alive)


def _number_pairs(graph: Graph, arcs: list[tuple[int, Int32, Int32]], alive: dict[int, Int32]) -> Graph:
    """Return the graph of arcs between pairs: node 0 is (0, 0), and one at the end follows all of the last node."""
    first, count = {}, 0
    alive.setdefault(0, np.zeros(1, np.int32))
    for node in sorted(alive):
        first[node] = count
        count += len(alive[node])
    sources, targets, which = [], [], []
    for arc, here, after in sorted(arcs, key=lambda each: each[0]):
        node, target = int(graph.sources[arc]), int(graph.targets[arc])
        sources.append(first[node] + np.searchsorted(alive[node], here))
        targets.append(first[target] + np.searchsorted(alive[target], after))
        which.append(np.full(len(here), arc))
    ends = alive.get(graph.nodes - 1, np.zeros(0, np.int32))
    sources.append(first.get(graph.nodes - 1, 0) + np.arange(len(ends)))
    targets.append(np.full(len(ends), count))
    origins = np.concatenate([*which, np.full(len(ends), -1)]).astype(np.int32)
    own = origins >= 0
    return Graph(
        count + 1,
        np.concatenate(sources).astype(np.int32),
        np.concatenate(targets).astype(np.int32),
        np.where(own, graph.labels[origins], EPSILON).astype(np.int32),
        np.where(own, graph.penalties[origins], 0.0),
        origins,
    )


def viterbi(graph: Graph) -> tuple[float, list[int]]:
    """Return the least penalty from start to end, and the arcs of that path; infinite and none without a path."""
    if not runs_natively():
        return reference_viterbi(graph)
    from lenet.native import _native

    return _native.viterbi(*graph.packed)


def reference_viterbi(graph: Graph) -> tuple[float, list[int]]:
    """Say in NumPy what `viterbi` does."""
    order, starts, ends = _incoming(graph)
    best = np.full(graph.nodes, np.inf)
    best[0] = 0.0
    came = np.full(graph.nodes, -1)
    for node in range(1, graph.nodes):
        arcs = order[starts[node] : ends[node]]
        if len(arcs):
            totals = best[graph.sources[arcs]] + graph.penalties[arcs]
            least = int(totals.argmin())
            if totals[least] < np.inf:
                best[node], came[node] = totals[least], arcs[least]
    path: list[int] = []
    node = graph.nodes - 1
    while node and came[node] >= 0:
        path.append(int(came[node]))
        node = int(graph.sources[path[-1]])
    return float(best[-1]), path[::-1]


def text_penalty(graph: Graph, text: list[int]) -> float:
    """Return the forward penalty of the paths that say these labels alone; infinite without any.

    It is that of the graph composed with `linear_acceptor`, in time for arcs times length and in memory for nodes times
    length: the composed graph of a line of a thousand digits would not fit.
    """
    if not runs_natively():
        return reference_text_penalty(graph, text)
    from lenet.native import _native

    return _native.text_penalty(*graph.packed, text)


def reference_text_penalty(graph: Graph, text: list[int]) -> float:
    """Say in NumPy what `text_penalty` does."""
    said = np.array(text, np.int64)
    symbols = max([int(graph.labels.max(initial=0)), *text]) + 1
    pair = graph.targets.astype(np.int64) * graph.nodes + graph.sources
    pairs, which = np.unique(pair, return_inverse=True)
    targets, sources = np.divmod(pairs, graph.nodes)
    # What each label, and nothing in the last column, weighs between two nodes, all arcs together.
    weights = np.full((len(pairs), symbols + 1), -np.inf)
    np.logaddexp.at(weights, (which, np.where(graph.labels == EPSILON, symbols, graph.labels)), -graph.penalties)
    bounds = np.searchsorted(targets, np.arange(graph.nodes + 1)).tolist()
    # A row for each node: the log of the sum over paths to it that say the first 0, 1, ... labels.
    sums = np.full((graph.nodes, len(text) + 1), -np.inf)
    sums[0, 0] = 0.0
    for node in range(1, graph.nodes):
        own = slice(bounds[node], bounds[node + 1])
        if own.start == own.stop:
            continue
        before, weight = sums[sources[own]], weights[own]
        more = before + weight[:, symbols:]
        more[:, 1:] = np.logaddexp(more[:, 1:], before[:, :-1] + weight[:, said])
        sums[node] = np.logaddexp.reduce(more, axis=0)
    return -float(sums[-1, -1])


def rank_texts(graph: Graph, followed: int, unlikely: float) -> list[tuple[list[int], float]]:
    """Return the labels of the texts that cost least, and what they cost: segmentations that say the same add up.

    It is a beam of so many `followed` texts at each node, by those arcs that are not by more than `unlikely` (nats)
    less likely than the best way to where they lead.
    """
    if not runs_natively():
        return reference_rank_texts(graph, followed, unlikely)
    from lenet.native import _native

    return _native.rank_texts(*graph.packed, followed, unlikely)


def reference_rank_texts(graph: Graph, followed: int, unlikely: float) -> list[tuple[list[int], float]]:
    """Say in NumPy what `rank_texts` does."""
    best = reference_forward(graph)
    with np.errstate(invalid="ignore"):  # nodes that nothing reaches
        likely = np.flatnonzero(best[graph.sources] + graph.penalties <= best[graph.targets] + unlikely)
    order = likely[np.argsort(graph.targets[likely], kind="stable")]
    bounds = np.searchsorted(graph.targets[order], np.arange(graph.nodes + 1)).tolist()
    # Plain lists: a loop over an array's items is several times slower.
    sources, penalties, labels = (each[order].tolist() for each in (graph.sources, graph.penalties, graph.labels))
    texts: list[dict[tuple[int, ...], float]] = [{} for _node in range(graph.nodes)]
    texts[0][()] = 0.0
    for node in range(1, graph.nodes):
        found: dict[tuple[int, ...], float] = {}
        for arc in range(bounds[node], bounds[node + 1]):
            said = () if labels[arc] == EPSILON else (labels[arc],)
            for text, cost in texts[sources[arc]].items():
                longer, total = text + said, cost + penalties[arc]
                found[longer] = log_add(found[longer], total) if longer in found else total
        texts[node] = dict(sorted(found.items(), key=lambda each: each[1])[:followed])
    return [(list(text), cost) for text, cost in texts[-1].items()]


def forward(graph: Graph) -> Float64:
    """Return the forward penalty of every node (equations 13 and 14): minus the log of the sum over paths to it."""
    if not runs_natively():
        return reference_forward(graph)
    from lenet.native import _native

    return _native.forward(*graph.packed)


def reference_forward(graph: Graph) -> Float64:
    """Say in NumPy what `forward` does."""
    return _sum_paths(graph.nodes, graph.targets, graph.sources, graph.penalties, 0)


def posteriors(graph: Graph) -> tuple[float, Float64]:
    """Return the forward penalty of the whole graph and each arc's share of the sum over all paths.

    The shares are the gradient of the penalty in each arc's penalty (equations 15 and 16). Without any path the
    penalty is infinite and the shares are 0.
    """
    if not runs_natively():
        return reference_posteriors(graph)
    from lenet.native import _native

    return _native.posteriors(*graph.packed)


def reference_posteriors(graph: Graph) -> tuple[float, Float64]:
    """Say in NumPy what `posteriors` does."""
    before = reference_forward(graph)
    after = _sum_paths(graph.nodes, graph.sources, graph.targets, graph.penalties, graph.nodes - 1)
    total = float(before[-1])
    if not np.isfinite(total):
        return np.inf, np.zeros(len(graph.penalties))
    with np.errstate(over="ignore"):
        return total, np.exp(total - before[graph.sources] - graph.penalties - after[graph.targets])


def discriminative_viterbi(graph: Graph, wanted: Automaton) -> tuple[float, Float64]:
    """Return equation 12's loss, the best allowed path's penalty less the best path's, and its gradient by arc."""
    gradient = np.zeros(len(graph.penalties))
    allowed = compose(graph, wanted)
    least, path = viterbi(allowed)
    best, unconstrained = viterbi(graph)
    np.add.at(gradient, [allowed.origins[arc] for arc in path if allowed.origins[arc] >= 0], 1.0)
    np.add.at(gradient, unconstrained, -1.0)
    return least - best, gradient


def discriminative_forward(graph: Graph, wanted: Automaton) -> tuple[float, Float64]:
    """Return equation 17's loss, minus the log-probability of the wanted text, and its gradient by arc."""
    allowed = compose(graph, wanted)
    some, share = posteriors(allowed)
    every, gradient = posteriors(graph)
    gradient = -gradient
    own = allowed.origins >= 0
    np.add.at(gradient, allowed.origins[own], share[own])
    return some - every, gradient


def _incoming(graph: Graph) -> tuple[Int64, Int64, Int64]:
    """Return the arcs ordered by target, and where each node's begin and end in that order."""
    counts = np.bincount(graph.targets, minlength=graph.nodes)
    ends = np.cumsum(counts)
    return np.argsort(graph.targets, kind="stable"), ends - counts, ends


def log_add(one: float, other: float) -> float:
    """Return the penalty of two ways together, any of which may be infinite: minus log(exp(-one) + exp(-other))."""
    least = min(one, other)
    return inf if least == inf else least - log1p(exp(-abs(one - other)))


def _sum_paths(nodes: int, into: Int32, out_of: Int32, penalties: Float64, first: int) -> Float64:
    """Sum over the paths from the node `first` on: `log_add` of all arcs that lead into a node, node after node.

    Arcs lead away from `first`: to larger nodes from 0, to smaller ones from the last.
    """
    pair = into.astype(np.int64) * nodes + out_of
    order = np.argsort(pair if first == 0 else -pair, kind="stable")
    pair = pair[order]
    # Arcs between the same two nodes, such as a candidate's ten labels, are added up at once.
    starts = np.flatnonzero(np.diff(pair, prepend=-1))
    together = -np.logaddexp.reduceat(-penalties[order], starts) if len(starts) else penalties
    total = [inf] * nodes
    total[first] = 0.0
    # Plain lists: a loop over an array's items is several times slower.
    for node, other, cost in zip(*(each.tolist() for each in (*np.divmod(pair[starts], nodes), together)), strict=True):
        if cost + total[other] < inf:
            total[node] = log_add(total[node], cost + total[other])
    return np.array(total)
