"""Graphs of segmentations: Fig. 20's toy graph to five digits, and random graphs against all their paths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenet.decoding import graph as graphs_of_segmentations
from lenet.decoding.formats import accept_choices
from lenet.decoding.graph import (
    EPSILON,
    Automaton,
    Graph,
    _compose_reached,
    compose,
    discriminative_forward,
    discriminative_viterbi,
    forward,
    linear_acceptor,
    posteriors,
    rank_texts,
    text_penalty,
    viterbi,
)

pytestmark = pytest.mark.engine
# Source, target, label, penalty.
FIGURE_20 = [
    *((0, 1, 3, 0.1), (0, 1, 5, 2.3), (1, 2, 4, 0.4), (1, 2, 2, 1.3), (2, 3, 1, 0.1), (2, 3, 4, 2.4)),
    *((0, 2, 3, 3.4), (0, 2, 4, 4.4), (1, 3, 4, 0.6), (1, 3, 9, 1.2)),
]


def graph(arcs: list[tuple[int, int, int, float]]) -> Graph:
    """A graph of arcs, its last node the largest."""
    sources, targets, labels, penalties = zip(*arcs, strict=True)
    whole = [np.array(each, np.int32) for each in (sources, targets, labels)]
    return Graph(max(targets) + 1, *whole, np.array(penalties), np.arange(len(arcs), dtype=np.int32))


def paths(given: Graph, node: int = 0) -> list[list[int]]:
    """Every path from a node to the end."""
    if node == given.nodes - 1:
        return [[]]
    found = np.flatnonzero(given.sources == node)
    return [[int(arc), *rest] for arc in found for rest in paths(given, int(given.targets[arc]))]


def said(given: Graph, path: list[int]) -> tuple[int, ...]:
    """What a path says."""
    return tuple(int(given.labels[arc]) for arc in path if given.labels[arc] != EPSILON)


def test_the_penalties_of_figure_20() -> None:
    """C_cvit 0.7, C_vit 0.6 by the path 341, C_cforw 0.69392, C_forw -0.61152."""
    toy, wanted = graph(FIGURE_20), linear_acceptor([3, 4], 10)
    assert viterbi(compose(toy, wanted))[0] == pytest.approx(0.7)
    best, path = viterbi(toy)
    assert best == pytest.approx(0.6)
    assert said(toy, path) == (3, 4, 1)
    assert forward(compose(toy, wanted))[-1] == pytest.approx(0.69392, abs=5e-6)
    assert forward(toy)[-1] == pytest.approx(-0.61152, abs=5e-6)


def test_the_losses_and_gradients_of_figure_20() -> None:
    """Equation 12 is 0.1 with gradients +1, -1 and -1; equation 17 is 1.30544."""
    toy, wanted = graph(FIGURE_20), linear_acceptor([3, 4], 10)
    loss, gradient = discriminative_viterbi(toy, wanted)
    assert loss == pytest.approx(0.1)
    assert gradient.tolist() == [0, 0, -1, 0, -1, 0, 0, 0, 1, 0]
    assert discriminative_forward(toy, wanted)[0] == pytest.approx(1.30544, abs=5e-6)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A small graph with silent arcs, in which every node leads to the next."""
    nodes = draw(st.integers(2, 5))
    penalty = st.floats(-3, 3)
    arcs = [(node, node + 1, draw(st.integers(-1, 2)), draw(penalty)) for node in range(nodes - 1)]
    for _arc in range(draw(st.integers(0, 6))):
        source = draw(st.integers(0, nodes - 2))
        arcs.append((source, draw(st.integers(source + 1, nodes - 1)), draw(st.integers(-1, 2)), draw(penalty)))
    return graph(arcs)


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_best_path_and_sum_equal_those_over_all_paths(given_graph: Graph) -> None:
    """Viterbi and forward agree with a list of every path; the shares are each arc's part of the sum."""
    every = paths(given_graph)
    costs = np.array([given_graph.penalties[path].sum() for path in every])
    assert viterbi(given_graph)[0] == pytest.approx(costs.min())
    total, shares = posteriors(given_graph)
    assert total == pytest.approx(-np.logaddexp.reduce(-costs))
    weights = np.exp(total - costs)
    for arc in range(len(given_graph.labels)):
        part = sum(weight for weight, path in zip(weights, every, strict=True) if arc in path)
        assert shares[arc] == pytest.approx(part, abs=1e-9)


@given(graphs(), st.lists(st.integers(0, 2), max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_composed_graph_has_the_paths_that_say_the_text(given_graph: Graph, text: list[int]) -> None:
    """Their sum is that over the paths of the graph with this text, and no path is no error."""
    costs = [given_graph.penalties[path].sum() for path in paths(given_graph) if said(given_graph, path) == tuple(text)]
    allowed = compose(given_graph, linear_acceptor(text, 3))
    if costs:
        assert forward(allowed)[-1] == pytest.approx(-np.logaddexp.reduce(-np.array(costs)))
        assert viterbi(allowed)[0] == pytest.approx(min(costs))
    else:
        assert viterbi(allowed) == (np.inf, [])
        assert posteriors(allowed)[0] == np.inf


@given(graphs(), st.lists(st.text("012", min_size=1, max_size=4), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_large_automaton_leaves_out_what_no_path_goes_through(given_graph: Graph, texts: list[str]) -> None:
    """Its graph is smaller, and has the same best path, sum, texts and shares of every arc."""
    allowed = accept_choices(texts, "texts")
    whole, less = compose(given_graph, allowed), _compose_reached(given_graph, allowed)
    assert less.nodes <= whole.nodes
    assert forward(less)[-1] == pytest.approx(forward(whole)[-1])
    (penalty, path), (expected, wanted) = viterbi(less), viterbi(whole)
    assert penalty == pytest.approx(expected)
    assert [less.origins[arc] for arc in path] == [whole.origins[arc] for arc in wanted]
    assert [text for text, _cost in rank_texts(less, 50, 99.0)] == [text for text, _cost in rank_texts(whole, 50, 99.0)]
    shares = []
    for each in (less, whole):
        own = each.origins >= 0
        shares.append(np.bincount(each.origins[own], posteriors(each)[1][own], len(given_graph.labels)))
    assert shares[0] == pytest.approx(shares[1])


@given(graphs())
@settings(max_examples=30, deadline=None)
def test_the_gradient_of_the_forward_loss_is_its_slope(given_graph: Graph) -> None:
    """By central differences, for the text of the first path."""
    wanted = linear_acceptor(list(said(given_graph, paths(given_graph)[0])), 3)
    _loss, gradient = discriminative_forward(given_graph, wanted)
    for arc in range(len(gradient)):
        grad = []
        for step in (1e-5, -1e-5):
            moved = given_graph.penalties.copy()
            moved[arc] += step
            changed = Graph(
                *(given_graph.nodes, given_graph.sources, given_graph.targets, given_graph.labels, moved),
                given_graph.origins,
            )
            grad.append(discriminative_forward(changed, wanted)[0])
        assert gradient[arc] == pytest.approx((grad[0] - grad[1]) / 2e-5, abs=1e-5)


def test_an_automaton_without_an_end_allows_nothing() -> None:
    """No path: infinite, and empty."""
    nothing = Automaton(np.zeros((1, 10), np.int32), np.zeros(1, bool))
    assert viterbi(compose(graph(FIGURE_20), nothing)) == (np.inf, [])


@given(graphs(), st.booleans())
def test_graphs_are_summed_as_their_twins_sum_them(drawn: Graph, closed: bool) -> None:
    """Best paths, sums, shares, texts: the same, where an arc is forbidden too."""
    if closed:
        drawn.penalties[0] = np.inf
    twins = graphs_of_segmentations
    assert viterbi(drawn) == twins.reference_viterbi(drawn)
    np.testing.assert_allclose(forward(drawn), twins.reference_forward(drawn), rtol=1e-12)
    (total, shares), (other, others) = posteriors(drawn), twins.reference_posteriors(drawn)
    assert total == pytest.approx(other)
    np.testing.assert_allclose(shares, others, atol=1e-12)
    assert text_penalty(drawn, [1, 0]) == pytest.approx(twins.reference_text_penalty(drawn, [1, 0]))
    ranked, others_ranked = rank_texts(drawn, 6, 8.0), twins.reference_rank_texts(drawn, 6, 8.0)
    assert [cost for _text, cost in ranked] == pytest.approx([cost for _text, cost in others_ranked])
    assert sorted(text for text, _cost in ranked) == sorted(text for text, _cost in others_ranked)


def test_texts_that_no_path_says_cost_infinitely_much() -> None:
    """Two forbidden ways to one text are no way, by the twin too: infinity less infinity is no number."""
    closed = graph([(0, 1, 3, np.inf), (0, 1, 3, np.inf), (1, 2, 4, 0.5)])
    for ranked in (rank_texts(closed, 6, 8.0), graphs_of_segmentations.reference_rank_texts(closed, 6, 8.0)):
        assert all(cost == np.inf for _text, cost in ranked)
