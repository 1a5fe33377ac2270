"""The judge of the evidence: what it says, its gradient, and the evidence that it is given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet.arrays import Float64
from lenet.decoding.arc_scorer import feature_gradient, score_arcs, scorer_gradient
from lenet.decoding.features import ARC_FEATURES, arc_features
from lenet.decoding.graph import EPSILON
from lenet.network.spec import NOT_A_DIGIT
from lenet.segmentation.lattice import SHAPES

from conftest import by_small_steps


def drawn(seed: int, inputs: int, hidden: int, n: int) -> tuple[Float64, Float64, Float64]:
    """Random evidence (n, inputs), a random judge of it, and slopes (n,)."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, inputs)), rng.normal(size=(inputs + 2, 1 + hidden)), rng.normal(size=n)


def test_a_judge_is_a_line_and_squashed_units() -> None:
    """By hand: 3 x - 1 once, and a half of tanh(2 x + 1)."""
    arc_scorer = np.array([[3.0, 2.0], [-1.0, 1.0], [1.0, 0.5]])
    assert score_arcs(np.array([[0.0], [2.0]]), arc_scorer) == pytest.approx(
        [-1 + 0.5 * np.tanh(1), 5 + 0.5 * np.tanh(5)]
    )


@given(st.integers(0, 1000), st.integers(1, 5), st.integers(0, 4), st.integers(1, 6))
def test_the_gradients_are_those_of_small_steps(seed: int, inputs: int, hidden: int, n: int) -> None:
    """Every entry, of the judge and of the evidence, against the difference quotient of slopes times scores."""
    given_evidence, arc_scorer, grad = drawn(seed, inputs, hidden, n)
    by_judge = by_small_steps(lambda each: float(grad @ score_arcs(given_evidence, each)), arc_scorer)
    assert np.allclose(scorer_gradient(given_evidence, arc_scorer, grad), by_judge, rtol=1e-4, atol=1e-6)
    by_evidence = by_small_steps(lambda each: float(grad @ score_arcs(each, arc_scorer)), given_evidence)
    assert np.allclose(feature_gradient(given_evidence, arc_scorer, grad), by_evidence, rtol=1e-4, atol=1e-6)


def test_the_evidence_names_the_label_and_bounds_what_it_says() -> None:
    """A 7, and nothing, of one shape: the log-probability of the label or of the best, -14 at least; one kind of 11."""
    shape = np.array([[1.0, 5.0, 0.1, 0.2, 0.3, 0.0, 0.0, -3.0, 2.0]] * 2, np.float32)
    log_probs = np.full((2, 11), -20.0)
    log_probs[:, 4] = -0.5
    said, silent = arc_features(shape, log_probs, np.array([7, EPSILON], np.int32))
    assert (said[0], silent[0], said[1]) == (-14.0, -0.5, -14.0)
    assert said[2 : 2 + len(SHAPES)] == pytest.approx([1, 2, 0.1, 0.2, 0.3, 0, 0, -2, 2])
    assert said[[ARC_FEATURES.index("left is cut"), ARC_FEATURES.index("right is cut")]].tolist() == [1, 0]
    kinds = np.array([said, silent])[:, -1 - NOT_A_DIGIT :]
    assert kinds.sum(axis=1).tolist() == [1, 1]
    assert (kinds[0, 7], kinds[1, -1]) == (1, 1)
