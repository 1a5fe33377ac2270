"""Trained networks whose probabilities another one learns, in place of labels (Hinton, Vinyals and Dean, 2015)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lenet.arrays import Bools, Float32, Float64, Int32, Uint8
from lenet.engine import Network, load
from lenet.errors import UsageError
from lenet.network.probabilities import probabilities
from lenet.network.spec import NOT_A_DIGIT, Net
from lenet.network.weights import find_weights


def find_teachers(teacher: str) -> list[Path]:
    """Return the files of a teacher: of weights, shipped or a file, or of all replicas in the folder of a run.

    Raises UsageError for a folder that is not there or has no weights, WeightsError for other names.
    """
    folder = Path(teacher)
    if folder.is_dir():
        files = sorted(folder.glob("weights*.safetensors"))
        if not files:
            raise UsageError(
                f"teacher {teacher}", "has no weights: its run is not finished", "finish it, with --resume"
            )
        return files
    if len(folder.parts) > 1 and not folder.exists():
        problem = "no such run folder or weights file"
        raise UsageError(f"teacher {teacher}", problem, "train it first: lenet train --recipe teacher --replicas 5")
    return [find_weights(teacher)]


class Teacher:
    """One or more networks, for a pupil of as many outputs. Raises UsageError for another number of them.

    Several say the mean of their probabilities. With a `softness` above 1 it is the root of that degree, in parts of
    one, that is learned: what is unlikely counts for more. A teacher that knows what is no digit teaches a pupil that
    does not how likely each digit is if it is one.

    It teaches what it learned: without the temperature that was fitted for reading, and with its rubbish output as it
    was before `training.fit_decoder` lowered it. Where some of the `labels` (n,) were `corrected` (n,), those are
    taught as they are, and of all the others the weights, from which the pupil starts, teach what they say: nothing is
    forgotten.
    """

    def __init__(
        self, teacher: str, pupil: Net, labels: Uint8, corrected: Bools | None = None, softness: float = 1.0
    ) -> None:
        self.labels, self.corrected, self.softness = labels, corrected, softness
        self.outputs = pupil.outputs
        self.networks = [load(file) for file in find_teachers(teacher)]
        for each in self.networks:
            if each.net.outputs != pupil.outputs and not (each.net.knows_none and pupil.outputs == NOT_A_DIGIT):
                found = f"has {each.net.outputs} outputs, {pupil.name} {pupil.outputs}"
                raise UsageError(f"teacher {teacher}", found, "choose another")

    def __call__(self, shown: Float32, rows: Int32) -> Float32:
        """Return what to learn of rows as they are shown, distorted: (n, 1, 32, 32) and their numbers -> (n, k)."""
        said = np.zeros((len(shown), self.outputs))
        for network in self.networks:
            said += self._ask(network, shown) / len(self.networks)
        if self.softness != 1:
            said **= 1 / self.softness
            said /= said.sum(axis=1, keepdims=True)
        if self.corrected is not None:
            own = self.corrected[rows]
            said[own] = np.eye(said.shape[1])[self.labels[rows[own]]]
        return said.astype(np.float32)

    def _ask(self, network: Network, shown: Float32) -> Float64:
        scores = network.forward(shown)
        if network.net.knows_none and self.corrected is None:
            scores[:, NOT_A_DIGIT] += network.weights.rubbish_lowered_by
        return probabilities(scores[:, : self.outputs], 1.0)
