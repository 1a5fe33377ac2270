"""Make confidences honest: the temperature of the softmax, and how far confidence and truth are apart."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Bools, Float64, Floats, Uint8
from lenet.network.probabilities import probabilities

_BINS = 15
# How near the best temperature is found, as a logarithm; Newton's method ends at steps as small as this.
_WITHIN, _SETTLED = 1e-5, 1e-9


def negative_log_likelihood(scores: Floats, labels: Uint8, temperature: float) -> float:
    """Return the mean of -log p(label), in nats, at a temperature."""
    chosen = probabilities(scores, temperature)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, 1e-300)).mean())


def fit_temperature(scores: Floats, labels: Uint8) -> float:
    """Return the temperature in [0.01, 1000] with the least negative log-likelihood of (n, k) scores.

    One number for all classes (Guo et al., 2017). The likelihood has a single optimum, found by golden
    section on the logarithm to four digits.
    """
    low, high = np.log(0.01), np.log(1000.0)
    golden = (np.sqrt(5) - 1) / 2
    while high - low > _WITHIN:
        a, b = high - golden * (high - low), low + golden * (high - low)
        if negative_log_likelihood(scores, labels, np.exp(a)) < negative_log_likelihood(scores, labels, np.exp(b)):
            high = b
        else:
            low = a
    return float(np.exp((low + high) / 2))


def expected_calibration_error(probability: Float64, labels: Uint8) -> float:
    """Return the `calibration_gap` of probabilities (n, k) whose right answers are labels (n,)."""
    return calibration_gap(probability.max(axis=1), probability.argmax(axis=1) == labels)


def calibration_gap(confidence: Float64, right: Bools) -> float:
    """Return the mean gap between confidence and accuracy, as a fraction, over 15 bins of equal width (0 of none)."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [abs(float(confidence[bins == each].sum() - right[bins == each].sum())) for each in np.unique(bins)]
    return sum(gaps) / max(1, len(right))


def fit_confidence(signs: Float64, right: Bools) -> Float64:
    """Return the weights of signs (n, k), the first of them log-odds, and an offset, k + 1, that make answers honest.

    Platt's logistic regression on right answers (n,), by Newton's method, with a ridge of one answer towards leaving
    the confidences as they are, so that it exists for any answers.
    """
    x = np.concatenate([signs, np.ones((len(right), 1))], axis=1)
    start = np.zeros(x.shape[1])
    start[0] = 1.0
    weights = start.copy()
    for _round in range(50):
        p = 1 / (1 + np.exp(-(x @ weights)))
        gradient = x.T @ (p - right) + (weights - start)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.eye(len(start))
        step = np.linalg.solve(hessian, gradient)
        # Newton's step is too long where the curve is flat: it is halved until it goes down.
        while np.abs(step).max() >= _SETTLED and _loss_of(weights - step, x, right, start) > _loss_of(
            weights, x, right, start
        ):
            step = step / 2
        weights = weights - step
        if np.abs(step).max() < _SETTLED:
            break
    return weights


def _loss_of(weights: Float64, x: Float64, right: Bools, start: Float64) -> float:
    """Return the loss that `fit_confidence` makes small: of right answers by their odds, and of the ridge."""
    odds = x @ weights
    return float((np.logaddexp(0, odds) - right * odds).sum() + ((weights - start) ** 2).sum() / 2)
