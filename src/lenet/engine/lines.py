"""Running a network that reads lines: a strip of a line in, scores of each label for each of its columns out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lenet.arrays import Float32, Floats, Uint8, require_finite
from lenet.engine import reference
from lenet.engine.packing import describe_line_layers, pack_tensors
from lenet.engine.weighted import WeightedNetwork
from lenet.errors import WeightsError
from lenet.native.dispatch import REFERENCE, count_cores
from lenet.network.inputs import LINE_HEIGHT, to_line_input
from lenet.network.spec import LINE_DEFAULT, Net
from lenet.network.summary import layer_facts
from lenet.network.weights import load_weights

if TYPE_CHECKING:
    from lenet.native import _native


@dataclass(frozen=True, repr=False)
class LineNetwork(WeightedNetwork):
    """A network that reads lines, with its weights, on one engine."""

    @cached_property
    def _model(self) -> _native.LineModel:
        from lenet.native import _native

        packed = pack_tensors(self.net, self.weights.tensors)
        return _native.LineModel(describe_line_layers(self.net), LINE_HEIGHT, packed, self.engine)

    @cached_property
    def _outputs(self) -> dict[int, tuple[int, int, int]]:
        return {}

    def _find_output(self, width: int) -> tuple[int, int, int]:
        """Return the shape of the output for a line so wide, worked out once."""
        if width not in self._outputs:
            self._outputs[width] = layer_facts(self.net, LINE_HEIGHT, width)[-1].output
        return self._outputs[width]

    def forward(self, inputs: Float32) -> Float32:
        """Score network input (n, 1, 32, W) -> (n, k, 1, W // 4).

        Raises ValueError for a wrong shape or type, and for NaN or infinity with its index.
        """
        reference.check_inputs(inputs)
        if self.engine == REFERENCE:
            return reference.score_lines(self.net, self.weights.tensors, inputs).astype(np.float32, copy=False)
        given = np.ascontiguousarray(inputs, np.float32)
        scores = np.empty((len(given), *self._find_output(given.shape[3])), np.float32)
        threads = self.threads or (count_cores() if len(given) > 1 else 1)
        if not self._model.forward(given, scores, threads):
            require_finite(inputs, "inputs")
        return scores

    def column_scores(self, strips: Uint8) -> Float32:
        """Score strips (n, 32, W) -> (n, columns, labels + 1), the last label for nothing; higher is better."""
        return split_columns(self.net, self.forward(to_line_input(strips)))

    def mean_scores(self, strips: Uint8) -> Float32:
        """Score strips (n, 32, W) as a whole -> (n, labels): the mean of their columns; higher is better."""
        return self.column_scores(strips).mean(axis=1)


@cache
def load_lines(name_or_path: str | Path = LINE_DEFAULT) -> LineNetwork:
    """Load a line network's weights, shipped by name or a file, once. Raises WeightsError for others."""
    weights = load_weights(name_or_path)
    if not weights.net.reads_lines:
        raise WeightsError(name_or_path, f"{weights.net.name} reads no lines", f"choose {LINE_DEFAULT}")
    return LineNetwork(weights)


def split_columns(net: Net, scores: Floats) -> Floats:
    """Return a line network's output (n, columns * k, 1, w) column by column: (n, w * columns, k)."""
    n, maps, _one, width = scores.shape
    k = maps // net.columns
    split = scores[:, :, 0].reshape(n, net.columns, k, width).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(split).reshape(n, width * net.columns, k)


def join_columns(net: Net, columns: Floats) -> Floats:
    """Return scores column by column (n, w * columns, k) as a line network's output (n, columns * k, 1, w)."""
    n, width, k = columns.shape
    split = columns.reshape(n, width // net.columns, net.columns, k).transpose(0, 2, 3, 1)
    return split.reshape(n, net.columns * k, 1, width // net.columns)
