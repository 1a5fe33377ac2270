"""The judge: a network of one hidden layer that says how much the evidence speaks for an arc of a path."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Float64


def scores(evidence: Float64, judge: Float64) -> Float64:
    """Return what the evidence (n, e) is worth, (n,), larger for what is likelier to be part of the right path.

    A judge (e + 2, 1 + h) has a column for each unit: what it multiplies the evidence with, its bias, and what its
    output is multiplied with. The first unit is linear, the others are squashed by tanh.
    """
    return _units(evidence, judge) @ judge[-1]


def gradient(evidence: Float64, judge: Float64, slopes: Float64) -> Float64:
    """Return the gradient in the judge (e + 2, 1 + h) of a loss whose slopes in the scores are given, (n,)."""
    units = _units(evidence, judge)
    before = _before(units, judge, slopes)
    return np.concatenate([evidence.T @ before, before.sum(axis=0)[None], (slopes @ units)[None]])


def evidence_gradient(evidence: Float64, judge: Float64, slopes: Float64) -> Float64:
    """Return the gradient in the evidence (n, e) of a loss whose slopes in the scores are given, (n,)."""
    return _before(_units(evidence, judge), judge, slopes) @ judge[:-2].T


def _before(units: Float64, judge: Float64, slopes: Float64) -> Float64:
    """Return the gradient before the units' squashing, (n, 1 + h)."""
    before = slopes[:, None] * judge[-1]
    before[:, 1:] *= 1 - units[:, 1:] ** 2
    return before


def _units(evidence: Float64, judge: Float64) -> Float64:
    units: Float64 = evidence @ judge[:-2] + judge[-2]
    units[:, 1:] = np.tanh(units[:, 1:])
    return units
