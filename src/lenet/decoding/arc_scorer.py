"""The arc scorer: a network of one hidden layer that says how much its features speak for an arc of a path."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Float64


def score_arcs(features: Float64, arc_scorer: Float64) -> Float64:
    """Return what features (n, e) of arcs are worth, (n,), larger for what is likelier to be part of the right path.

    An arc scorer (e + 2, 1 + h) has a column for each unit: what it multiplies the features with, its bias, and what
    its output is multiplied with. The first unit is linear, the others are squashed by tanh.
    """
    return _units(features, arc_scorer) @ arc_scorer[-1]


def scorer_gradient(features: Float64, arc_scorer: Float64, grad: Float64) -> Float64:
    """Return the gradient in the arc scorer (e + 2, 1 + h) of a loss, by its gradient in the scores (n,)."""
    units = _units(features, arc_scorer)
    before = _before(units, arc_scorer, grad)
    return np.concatenate([features.T @ before, before.sum(axis=0)[None], (grad @ units)[None]])


def feature_gradient(features: Float64, arc_scorer: Float64, grad: Float64) -> Float64:
    """Return the gradient in the features (n, e) of a loss, by its gradient in the scores (n,)."""
    return _before(_units(features, arc_scorer), arc_scorer, grad) @ arc_scorer[:-2].T


def _before(units: Float64, arc_scorer: Float64, grad: Float64) -> Float64:
    """Return the gradient before the units' squashing, (n, 1 + h)."""
    before = grad[:, None] * arc_scorer[-1]
    before[:, 1:] *= 1 - units[:, 1:] ** 2
    return before


def _units(features: Float64, arc_scorer: Float64) -> Float64:
    units: Float64 = features @ arc_scorer[:-2] + arc_scorer[-2]
    units[:, 1:] = np.tanh(units[:, 1:])
    return units
