"""Running a network without PyTorch: load weights, score glyphs, look inside. Says which engine runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy.typing as npt

from lenet.arrays import Float32, Float64
from lenet.decode import probabilities
from lenet.engine import reference
from lenet.pixels import to_input
from lenet.spec import Net
from lenet.weights import DEFAULT, Weights, load_weights

__all__ = ["Network", "load"]


@dataclass(frozen=True)
class Network:
    """A network with its weights. `engine` names what runs it: "reference" is the NumPy twin."""

    weights: Weights
    engine: str = "reference"

    @property
    def net(self) -> Net:
        """The layer records of the network."""
        return self.weights.net

    def forward(self, inputs: Float32) -> Float32:
        """Score network input (n, 1, 32, 32) -> (n, k), or wider (n, 1, H, W) -> (n, k, h, w)."""
        return reference.forward(self.net, self.weights.tensors, inputs).astype("float32", copy=False)

    def scores(self, glyphs: npt.ArrayLike) -> Float32:
        """Score glyphs (n, 28, 28) uint8, 0 for paper and 255 for pen -> (n, k); higher is better."""
        return self.forward(to_input(glyphs))

    def probabilities(self, glyphs: npt.ArrayLike) -> Float64:
        """Return the calibrated probability of each label for each glyph: (n, 28, 28) -> (n, k)."""
        return probabilities(self.scores(glyphs), self.weights.temperature)

    def activations(self, glyph: npt.ArrayLike) -> dict[str, Float32]:
        """Return the input and every layer's output, each (n, maps, h, w), for one glyph or several."""
        inside = reference.activations(self.net, self.weights.tensors, to_input(glyph))
        return {name: values.astype("float32", copy=False) for name, values in inside.items()}


def load(name_or_path: str | Path = DEFAULT) -> Network:
    """Load shipped weights by name, or a weights file. Raises WeightsError with one clear line."""
    return Network(load_weights(name_or_path))
