"""A trained network whose probabilities another one learns, in place of labels (Hinton, Vinyals and Dean, 2015)."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Float32
from lenet.decode import probabilities
from lenet.engine import load
from lenet.errors import UsageError
from lenet.spec import Net


class Teacher:
    """Weights, shipped or a file, for a pupil of as many outputs. Raises UsageError for another number of them."""

    def __init__(self, weights: str, pupil: Net) -> None:
        self.network = load(weights)
        if self.network.net.outputs != pupil.outputs:
            found = f"has {self.network.net.outputs} outputs, {pupil.name} {pupil.outputs}"
            raise UsageError(f"teacher {weights}", found, "choose another")

    def __call__(self, shown: Float32) -> Float32:
        """Return what to learn of the very inputs that are shown, distorted as they are: (n, 1, 32, 32) -> (n, k)."""
        scores = self.network.forward(shown)
        return probabilities(scores, self.network.weights.temperature).astype(np.float32)
