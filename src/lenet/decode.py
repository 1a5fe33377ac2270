"""From scores to an answer: the one place where probabilities are made and answers are withheld."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lenet.arrays import Float64, Floats
from lenet.result import Abstained

# Below this probability an answer is only a guess.
UNCERTAIN = 0.5


def probabilities(scores: Floats, temperature: float) -> Float64:
    """Turn scores (n, k) into probabilities (n, k) whose rows add up to 1: softmax of scores / temperature."""
    scaled = np.asarray(scores, np.float64) / temperature
    weights: npt.NDArray[np.float64] = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def best_two(probability: Float64) -> tuple[int, int]:
    """Return the labels of the largest and the second largest of (k,) probabilities."""
    first, second = np.argsort(-probability, kind="stable")[:2]
    return int(first), int(second)


def withheld(confidence: float) -> Abstained:
    """Return why an answer of this probability is withheld, or False."""
    return "uncertain" if confidence < UNCERTAIN else False
