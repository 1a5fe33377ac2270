"""The judge: a network of one hidden layer that says how much the evidence speaks for an arc of a path."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Float64


def score_arcs(features: Float64, arc_scorer: Float64) -> Float64:
    """Return what the evidence (n, e) is worth, (n,), larger for what is likelier to be part of the right path.

    A judge (e + 2, 1 + h) has a column for each unit: what it multiplies the evidence with, its bias, and what its
    output is multiplied with. The first unit is linear, the others are squashed by tanh.
    """
    return _units(features, arc_scorer) @ arc_scorer[-1]


def scorer_gradient(features: Float64, arc_scorer: Float64, grad: Float64) -> Float64:
    """Return the gradient in the judge (e + 2, 1 + h) of a loss whose slopes in the scores are given, (n,)."""
    units = _units(features, arc_scorer)
    before = _before(units, arc_scorer, grad)
    return np.concatenate([features.T @ before, before.sum(axis=0)[None], (grad @ units)[None]])


def feature_gradient(features: Float64, arc_scorer: Float64, grad: Float64) -> Float64:
    """Return the gradient in the evidence (n, e) of a loss whose slopes in the scores are given, (n,)."""
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
