"""What learns: mini-batches of one network, or any number of networks on-line. Native, or the NumPy twins."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Protocol

from lenet.anatomy import layers
from lenet.arrays import Float32, Int32, Uint8
from lenet.engine.choice import REFERENCE, chosen
from lenet.engine.gradients import Loss
from lenet.spec import Convolution, Net


@dataclass(frozen=True)
class Rule:
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
class Patterns:
    """What there is to learn: inputs (n, 1, 32, 32) float32 and labels (n,) uint8, both contiguous."""

    inputs: Float32
    labels: Uint8


class BatchLearner(Protocol):
    """One network. Its state is `parameters`, `velocity` and `average`, each (parameters,), and `steps`."""

    steps: int

    def run(
        self,
        patterns: Patterns,
        order: Int32,
        distortions: Float32 | None,
        rates: Float32,
        first: int,
        noise: int,
        targets: Float32 | None = None,
    ) -> tuple[float, int]:
        """Learn the rows `order` in steps of `batch`; return the sum of the losses and the wrong answers.

        `rates` has one for each step, `distortions` 56 values for each row; `first` is the place of the first row
        in the pass and `noise` the pass's seed, which dropout is drawn from. Cross-entropy is with `targets`, the
        probabilities (rows, k) that a teacher gives, or without them with the labels.
        """

    def get(self, name: str) -> Float32:
        """Return a copy of "parameters", "velocity", "average", or "gradient" (of the last step)."""

    def set(self, name: str, values: Float32) -> None:
        """Replace "parameters", "velocity" or "average"."""


class OnlineLearner(Protocol):
    """Any number of replicas; each learns one pattern at a time, each parameter at its own rate."""

    def run(
        self, patterns: Patterns, orders: Int32, distortions: Float32 | None, rates: Float32
    ) -> list[tuple[float, int]]:
        """Learn: orders (replicas, n), distortions (replicas, n, 56) and rates (n,), common to all.

        The rate of a parameter is the global rate times its scale, which is 1 until `estimate`.
        """

    def estimate(self, patterns: Patterns, orders: Int32, mu: float) -> None:
        """Set each scale to 1 / (mu + h), h the curvature over the rows of `orders` (replicas, n): appendix C."""

    def get(self, name: str, replica: int) -> Float32:
        """Return a copy of a replica's "parameters" or "scales"."""

    def set(self, name: str, replica: int, values: Float32) -> None:
        """Replace a replica's "parameters" or "scales"."""


def batch_learner(net: Net, loss: Loss, rule: Rule, threads: int) -> BatchLearner:
    """Return a learner of mini-batches on the chosen engine, its parameters all zero. Raises UsageError."""
    if chosen() == REFERENCE:
        from lenet.engine.twins import TwinBatchLearner

        return TwinBatchLearner(net, loss, rule)
    from lenet.engine.native_learners import NativeBatchLearner

    return NativeBatchLearner(net, loss, rule, chosen(), threads)


def online_learner(net: Net, loss: Loss, replicas: int, threads: int) -> OnlineLearner:
    """Return an on-line learner on the chosen engine, its parameters all zero. Raises UsageError."""
    if chosen() == REFERENCE:
        from lenet.engine.twins import TwinOnlineLearner

        return TwinOnlineLearner(net, loss, replicas)
    from lenet.engine.native_learners import NativeOnlineLearner

    return NativeOnlineLearner(net, loss, replicas, chosen(), threads)


def dropped_units(net: Net) -> dict[str, tuple[int, int]]:
    """Return the layers that dropout follows, C5 and F6, and the numbers of their units: (first, last + 1).

    A unit is numbered as its bias is among all parameters.
    """
    found: dict[str, tuple[int, int]] = {}
    seen = 0
    for layer, facts in zip(net.layers, layers(net), strict=True):
        seen += sum(map(prod, facts.shapes.values()))
        if isinstance(layer, Convolution) and facts.output[1:] == (1, 1) and layer is not net.layers[-1]:
            found[layer.name] = (seen - layer.maps, seen)
    return found
