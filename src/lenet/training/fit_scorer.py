"""Fit an arc scorer to examples: Adam on small batches, with decay, on features of mean 0 and deviation 1."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lenet.arrays import Float64
from lenet.network.weights import ARC_SCORER_UNITS

_PASSES, _BATCH = 16, 8
# Rate and decay of the arc scorer's linear unit and of its hidden ones, whose weights begin with this deviation. So
# strong a decay of what is hidden costs made numbers a little and is worth more on real ones (docs/log.md).
_LINEAR, _HIDDEN, _SPREAD = (0.06, 1e-3), (0.02, 1e-2), 0.3


def draw_scorer(features: Float64, rng: np.random.Generator, label: int, nothing: int | None = None) -> Float64:
    """Return an arc scorer to begin with, for standardised features (n, e): hidden units by chance, and a linear one.

    The linear unit counts the log-probability of the `label` once, and that an arc says `nothing` -2 times.
    """
    deviation = _measure(features)[1]
    scorer = np.zeros((features.shape[1] + 2, 1 + ARC_SCORER_UNITS))
    scorer[:-2, 1:] = rng.normal(0, _SPREAD, (features.shape[1], ARC_SCORER_UNITS))
    scorer[label, 0] = deviation[label]
    if nothing is not None:
        scorer[nothing, 0] = -2 * deviation[nothing]
    scorer[-1, 0] = 1.0
    return scorer


def fit_scorer(
    features: Float64,
    scorer: Float64,
    count: int,
    loss_of: Callable[[int, Float64], tuple[float, Float64]],
    rng: np.random.Generator,
) -> tuple[Float64, float]:
    """Return the arc scorer (e + 2, 1 + h) of least mean loss over `count` examples, and that loss.

    `loss_of` tells an example's loss by a scorer of plain features, and its gradient; what is infinite is left out.
    """
    mean, deviation = _measure(features)
    rates, decays = np.array([_LINEAR] + ARC_SCORER_UNITS * [_HIDDEN]).T
    momentum, scale = np.zeros_like(scorer), np.zeros_like(scorer)
    step, total = 0, 0.0
    for passed in range(_PASSES):
        losses = []
        order = rng.permutation(count)
        for first in range(0, len(order), _BATCH):
            plain = _unstandardise(scorer, mean, deviation)
            grad = []
            for index in order[first : first + _BATCH]:
                loss, one_grad = loss_of(int(index), plain)
                if np.isfinite(loss):
                    losses.append(loss)
                    grad.append(one_grad)
            if not grad:
                continue
            step += 1
            mean_grad = np.mean(grad, axis=0)
            mean_grad[:-2] = (mean_grad[:-2] - mean[:, None] * mean_grad[-2]) / deviation[:, None]
            mean_grad += decays * scorer
            momentum = 0.9 * momentum + 0.1 * mean_grad
            scale = 0.99 * scale + 0.01 * mean_grad**2
            size = np.sqrt(scale / (1 - 0.99**step)) + 1e-6
            scorer = scorer - rates * (1 - passed / _PASSES) * momentum / (1 - 0.9**step) / size
        total = float(np.mean(losses))
    # Five digits are enough for a card.
    return np.array([[float(f"{each:.5g}") for each in row] for row in _unstandardise(scorer, mean, deviation)]), total


def _measure(features: Float64) -> tuple[Float64, Float64]:
    return features.mean(axis=0), np.maximum(features.std(axis=0), 1e-3)


def _unstandardise(scorer: Float64, mean: Float64, deviation: Float64) -> Float64:
    """Return the arc scorer that says of plain features what this one says of the same with mean 0 and deviation 1."""
    plain = scorer.copy()
    plain[:-2] /= deviation[:, None]
    plain[-2] -= mean @ plain[:-2]
    return plain
