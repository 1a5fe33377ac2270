"""From scores to probabilities and back to odds: the one place where probabilities are made."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lenet.arrays import Float64, Floats


def probabilities(scores: Floats, temperature: float) -> Float64:
    """Turn scores (n, k) into probabilities (n, k) whose rows add up to 1: softmax of scores / temperature."""
    scaled = np.asarray(scores, np.float64) / temperature
    weights: npt.NDArray[np.float64] = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def log_probabilities(probability: Float64) -> Float64:
    """Return the logarithms of probabilities of any shape, kept finite: less than 1e-12 counts as that."""
    return np.log(np.maximum(probability, 1e-12))


def best_two(probability: Float64) -> tuple[int, int]:
    """Return the labels of the largest and the second largest of (k,) probabilities."""
    first, second = np.argsort(-probability, kind="stable")[:2]
    return int(first), int(second)


def log_odds(confidence: Floats) -> Float64:
    """Return log(p / (1 - p)) of probabilities, kept finite."""
    p = np.clip(np.asarray(confidence, np.float64), 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))
