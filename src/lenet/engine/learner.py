"""What every learner is given: what there is to learn, how parameters move, and which units dropout drops."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from lenet.arrays import Float32, Int32, Uint8
from lenet.network.spec import Convolution, Net
from lenet.network.summary import layer_facts


@dataclass(frozen=True)
class SGD:
    """How mini-batches move the parameters: SGD as in PyTorch, and what is kept of them.

    `batch` is the patterns in a step; `decay` is of weights, not of biases and coefficients; `averaging` the decay
    per step of a running average of the parameters (0: none); `dropout` the share of C5's and F6's outputs that
    is dropped.
    """

    batch: int
    momentum: float = 0.0
    nesterov: bool = False
    decay: float = 0.0
    averaging: float = 0.0
    dropout: float = 0.0


@dataclass(frozen=True)
class TrainingSet:
    """What there is to learn: inputs (n, 1, 32, 32) float32 and labels (n,) uint8, both contiguous."""

    inputs: Float32
    labels: Uint8


# The running average of a learner of lines begins as the plain mean of so many steps and more.
FIRST_STEPS = 20


@dataclass(frozen=True)
class AdamW:
    """How mini-batches of lines move the parameters: AdamW as in PyTorch, on a gradient of at most `longest_step`.

    `decay` is of weights, not of biases; `first` and `second` are the decays per step of the gradient's mean and mean
    square, `averaging` that of a running average of the parameters, which begins as a plain mean.
    """

    decay: float = 0.01
    first: float = 0.9
    second: float = 0.99
    epsilon: float = 1e-8
    longest_step: float = 2.0
    averaging: float = 0.999


@dataclass(frozen=True)
class LineLesson:
    """Lines to learn in one step: inputs (n, 1, 32, W), how many `columns` (n,) of labels each has, and its text.

    A text is the first `lengths` (n,) of a row of `texts` (n, m). All are contiguous.
    """

    inputs: Float32
    columns: Int32
    texts: Int32
    lengths: Int32


def find_dropped_units(net: Net) -> dict[str, tuple[int, int]]:
    """Return the layers that dropout follows, C5 and F6, and the numbers of their units: (first, last + 1).

    A unit is numbered as its bias is among all parameters.
    """
    found: dict[str, tuple[int, int]] = {}
    seen = 0
    for layer, facts in zip(net.layers, layer_facts(net), strict=True):
        seen += sum(map(prod, facts.shapes.values()))
        if isinstance(layer, Convolution) and facts.output[1:] == (1, 1) and layer is not net.layers[-1]:
            found[layer.name] = (seen - layer.maps, seen)
    return found
