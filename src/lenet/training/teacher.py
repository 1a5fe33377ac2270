"""A trained network whose probabilities another one learns, in place of labels (Hinton, Vinyals and Dean, 2015)."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Float32
from lenet.decode import probabilities
from lenet.engine import load
from lenet.errors import UsageError
from lenet.spec import NOT_A_DIGIT, Net


class Teacher:
    """Weights, shipped or a file, for a pupil of as many outputs. Raises UsageError for another number of them.

    It teaches what it learned: without the temperature that was fitted for reading, and with its rubbish output as it
    was before `training.paths` lowered it.
    """

    def __init__(self, weights: str, pupil: Net) -> None:
        self.network = load(weights)
        if self.network.net.outputs != pupil.outputs:
            found = f"has {self.network.net.outputs} outputs, {pupil.name} {pupil.outputs}"
            raise UsageError(f"teacher {weights}", found, "choose another")
        self.raised = np.zeros(pupil.outputs, np.float32)
        if pupil.outputs > NOT_A_DIGIT:
            self.raised[NOT_A_DIGIT] = self.network.weights.rubbish_lowered_by

    def __call__(self, shown: Float32) -> Float32:
        """Return what to learn of the very inputs that are shown, distorted as they are: (n, 1, 32, 32) -> (n, k)."""
        scores = self.network.forward(shown) + self.raised
        return probabilities(scores, 1.0).astype(np.float32)
