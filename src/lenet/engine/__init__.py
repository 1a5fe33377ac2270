"""Running a network without PyTorch: load weights, score glyphs, look inside. Says which engine runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lenet.arrays import Float32, Float64, require_finite
from lenet.engine import reference
from lenet.engine.lines import LineNetwork, load_lines
from lenet.engine.packing import describe_layers, pack_tensors
from lenet.engine.warp import warp
from lenet.engine.weighted import WeightedNetwork
from lenet.errors import WeightsError
from lenet.native.dispatch import REFERENCE, chosen_engine, count_cores
from lenet.network.inputs import INPUT_OF_GREY, as_glyphs, to_input
from lenet.network.probabilities import probabilities
from lenet.network.spec import CHARACTERS_DEFAULT, DEFAULT, INPUT_SIZE
from lenet.network.summary import layer_facts
from lenet.network.weights import Weights, load_weights

if TYPE_CHECKING:
    from lenet.native import _native

__all__ = ["Network", "distorted", "load"]


@dataclass(frozen=True, repr=False)
class Network(WeightedNetwork):
    """A network with its weights, on one engine.

    `engine` names what runs it: an instruction set of the native engine ("avx2", ...), or "reference", its NumPy
    twin. `threads` is how many it may use for one call (None: all cores that this process may use). Any number of
    Python threads may call one network at once. The native engine takes the weights at the first call: later changes
    of the arrays are not seen. `own_lines` are the weights that read lines as a whole beside it (None: those that
    ship).
    """

    own_lines: Weights | None = None

    @cached_property
    def lines(self) -> LineNetwork:
        """The network that reads lines as a whole beside this one."""
        return load_lines() if self.own_lines is None else LineNetwork(self.own_lines)

    @property
    def characters(self) -> Network:
        """The network of all printable signs, which is asked whether a digit may be a letter."""
        return _load_characters()

    def _repr_html_(self) -> str:
        """Show the layers in a notebook."""
        html: str = import_module("lenet.drawing.show").draw_network_html(self)
        return html

    @cached_property
    def _model(self) -> _native.Model:
        from lenet.native import _native

        network = _native.Network(describe_layers(self.net), self.net.margin)
        return _native.Model(network, pack_tensors(self.net, self.weights.tensors), self.engine)

    def forward(self, inputs: Float32) -> Float32:
        """Score network input (n, 1, 32, 32) -> (n, k), or wider (n, 1, H, W) -> (n, k, h, w).

        The map of scores equals sliding the 32x32 network at a step of 4 pixels: (H, W) = (32, 64) gives
        (h, w) = (1, 9). Raises ValueError for a wrong shape or type, and for NaN or infinity with its index.
        """
        reference.check_inputs(inputs)
        if self.engine == REFERENCE:
            return reference.forward(self.net, self.weights.tensors, inputs).astype(np.float32, copy=False)
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
            given = np.ascontiguousarray(inputs, np.float32)
        if given.shape[2:] == (INPUT_SIZE, INPUT_SIZE):
            scores = np.empty((len(given), self.net.outputs), np.float32)
        else:
            *_, (_maps, height, width) = (facts.output for facts in layer_facts(self.net, *given.shape[2:]))
            scores = np.empty((len(given), self.net.outputs, height, width), np.float32)
        threads = self.threads or (count_cores() if len(given) > 1 else 1)
        if not self._model.forward(given, scores, threads):
            require_finite(inputs, "inputs")
            require_finite(given, "inputs as float32")
        return scores

    def scores(self, glyphs: npt.ArrayLike) -> Float32:
        """Score glyphs (n, 28, 28) uint8, 0 for paper and 255 for pen -> (n, k); higher is better."""
        if self.engine == REFERENCE:
            return self.forward(to_input(glyphs))
        greys = np.ascontiguousarray(as_glyphs(glyphs))
        scores = np.empty((len(greys), self.net.outputs), np.float32)
        threads = self.threads or (count_cores() if len(greys) > 1 else 1)
        self._model.score(greys, INPUT_OF_GREY, scores, threads)
        return scores

    def probabilities(self, glyphs: npt.ArrayLike) -> Float64:
        """Return the calibrated probability of each label for each glyph: (n, 28, 28) -> (n, k)."""
        return probabilities(self.scores(glyphs), self.weights.temperature)

    def activations(self, glyph: npt.ArrayLike) -> dict[str, Float32]:
        """Return the input and every layer's output, each (n, maps, h, w), for one glyph or several."""
        inputs = to_input(glyph)
        if self.engine == REFERENCE:
            inside = reference.activations(self.net, self.weights.tensors, inputs)
            return {name: values.astype(np.float32, copy=False) for name, values in inside.items()}
        found = zip(layer_facts(self.net), self._model.activations(inputs), strict=True)
        return {"input": inputs} | {facts.name: values.reshape(-1, *facts.output) for facts, values in found}


@cache
def _load_characters() -> Network:
    return Network(load_weights(CHARACTERS_DEFAULT), threads=1)


def distort(inputs: Float32, parameters: Float32) -> Float32:
    """Distort (n, 1, 32, 32) network input by (n, 56) parameters on the chosen engine; see `lenet.engine.warp`."""
    if chosen_engine() == REFERENCE:
        return warp(inputs, parameters)
    from lenet.native import _native

    out = np.empty_like(inputs)
    _native.warp(chosen_engine(), np.ascontiguousarray(inputs), np.ascontiguousarray(parameters), out)
    return out


def load(name_or_path: str | Path = DEFAULT) -> Network:
    """Load shipped weights by name, or a weights file. Raises WeightsError with one clear line.

    Weights that read lines as a whole stand beside the default ones, which cut them into digits.
    """
    weights = load_weights(name_or_path)
    if weights.net.says_labels:
        return Network(load_weights(DEFAULT), own_lines=weights)
    if weights.net.reads_lines:
        raise WeightsError(name_or_path, "reads cells of tables, not digits", f"choose {DEFAULT}")
    return Network(weights)
