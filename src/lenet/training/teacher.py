"""A trained network whose probabilities another one learns, in place of labels (Hinton, Vinyals and Dean, 2015)."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Bools, Float32, Int32, Uint8
from lenet.engine import load
from lenet.errors import UsageError
from lenet.network.probabilities import probabilities
from lenet.network.spec import NOT_A_DIGIT, Net


class Teacher:
    """Weights, shipped or a file, for a pupil of as many outputs. Raises UsageError for another number of them.

    It teaches what it learned: without the temperature that was fitted for reading, and with its rubbish output as it
    was before `training.paths` lowered it. Where some of the `labels` (n,) were `corrected` (n,), those are taught as
    they are, and of all the others the weights, from which the pupil starts, teach what they say: nothing is forgotten.
    """

    def __init__(self, weights: str, pupil: Net, labels: Uint8, corrected: Bools | None = None) -> None:
        self.network, self.labels, self.corrected = load(weights), labels, corrected
        if self.network.net.outputs != pupil.outputs:
            found = f"has {self.network.net.outputs} outputs, {pupil.name} {pupil.outputs}"
            raise UsageError(f"teacher {weights}", found, "choose another")
        self.raised = np.zeros(pupil.outputs, np.float32)
        if pupil.knows_none and corrected is None:
            self.raised[NOT_A_DIGIT] = self.network.weights.rubbish_lowered_by

    def __call__(self, shown: Float32, rows: Int32) -> Float32:
        """Return what to learn of rows as they are shown, distorted: (n, 1, 32, 32) and their numbers -> (n, k)."""
        said = probabilities(self.network.forward(shown) + self.raised, 1.0).astype(np.float32)
        if self.corrected is not None:
            own = self.corrected[rows]
            said[own] = np.eye(said.shape[1], dtype=np.float32)[self.labels[rows[own]]]
        return said
