"""Intervals, probabilities and calibration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet.decoding.decoder import withhold
from lenet.evaluation.calibration import expected_calibration_error, fit_temperature, negative_log_likelihood
from lenet.evaluation.interval import mean95, wilson95
from lenet.network.probabilities import best_two, probabilities


def test_wilson_gives_textbook_values() -> None:
    """95 errors of 10,000, the paper's LeNet-5: 0.78 to 1.16 %."""
    low, high = wilson95(95, 10_000)
    assert (low, high) == (pytest.approx(0.0077782, abs=1e-7), pytest.approx(0.0115985, abs=1e-7))
    assert wilson95(0, 10)[0] == 0
    assert wilson95(10, 10)[1] == 1


@given(st.integers(1, 10**6), st.data())
def test_wilson_holds_its_rate(n: int, data: st.DataObject) -> None:
    """0 <= low <= rate <= high <= 1."""
    errors = data.draw(st.integers(0, n))
    low, high = wilson95(errors, n)
    assert 0 <= low <= errors / n <= high <= 1


@pytest.mark.parametrize(("errors", "n"), [(-1, 10), (11, 10), (0, 0)])
def test_impossible_counts_are_errors(errors: int, n: int) -> None:
    """More errors than answers, or no answers."""
    with pytest.raises(ValueError, match="errors of"):
        wilson95(errors, n)


def test_students_interval_of_five_seeds() -> None:
    """t with 4 degrees of freedom is 2.776; with 30 and more it joins the normal's."""
    low, high = mean95([1.0, 2, 3, 4, 5])
    assert (low, high) == (pytest.approx(3 - 2.776 * 2.5**0.5 / 5**0.5), pytest.approx(3 + 2.776 * 2.5**0.5 / 5**0.5))
    many = [0.0, 1.0] * 16
    low, high = mean95(many)
    spread = np.std(many, ddof=1) / len(many) ** 0.5
    assert (high - low) / 2 / spread == pytest.approx(2.0395, abs=1e-4)
    with pytest.raises(ValueError, match="two or more"):
        mean95([1.0])


@given(st.lists(st.lists(st.floats(-200, 200), min_size=10, max_size=10), min_size=1, max_size=5), st.floats(0.05, 50))
def test_probabilities_add_up_and_keep_the_order(scores: list[list[float]], temperature: float) -> None:
    """Also for RBF scores of -200: no overflow, rows add up to 1, the best stays the best."""
    array = np.array(scores)
    found = probabilities(array, temperature)
    assert np.isfinite(found).all()
    assert np.allclose(found.sum(axis=1), 1)
    assert (found[np.arange(len(array)), array.argmax(axis=1)] == found.max(axis=1)).all()


def test_the_temperature_of_overconfident_scores_is_recovered(rng: np.random.Generator) -> None:
    """Labels drawn from softmax(scores); the scores tripled: the temperature is 3."""
    scores = rng.normal(0, 2, (20_000, 10))
    probs = probabilities(scores, 1.0)
    labels = (probs.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1).astype(np.uint8)
    assert fit_temperature(3 * scores, labels) == pytest.approx(3, rel=0.05)
    best = negative_log_likelihood(3 * scores, labels, fit_temperature(3 * scores, labels))
    assert best <= negative_log_likelihood(3 * scores, labels, 3.0) + 1e-9
    assert expected_calibration_error(probs, labels) < 0.01
    assert expected_calibration_error(probabilities(3 * scores, 1.0), labels) > 0.05


def test_the_best_two_labels_and_what_is_withheld() -> None:
    """Largest and second largest; below a half an answer is a guess."""
    assert best_two(np.array([0.1, 0.5, 0.4])) == (1, 2)
    assert withhold(0.49) == "uncertain"
    assert withhold(0.5) is False
