"""What learns: mini-batches of one network, or any number of networks on-line. Native, or the NumPy twins."""

from __future__ import annotations

from typing import Protocol

from lenet.arrays import Float32, Int32
from lenet.engine.gradients import Loss
from lenet.engine.learner import SGD, AdamW, LineLesson, TrainingSet
from lenet.native.dispatch import REFERENCE, chosen_engine
from lenet.network.spec import Net


class BatchLearner(Protocol):
    """One network. Its state is `parameters`, `velocity` and `average`, each (parameters,), and `steps`."""

    steps: int

    def run(
        self,
        patterns: TrainingSet,
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
        self, patterns: TrainingSet, orders: Int32, distortions: Float32 | None, rates: Float32
    ) -> list[tuple[float, int]]:
        """Learn: orders (replicas, n), distortions (replicas, n, 56) and rates (n,), common to all.

        The rate of a parameter is the global rate times its scale, which is 1 until `estimate`.
        """

    def estimate(self, patterns: TrainingSet, orders: Int32, mu: float) -> None:
        """Set each scale to 1 / (mu + h), h the curvature over the rows of `orders` (replicas, n): appendix C."""

    def get(self, name: str, replica: int) -> Float32:
        """Return a copy of a replica's "parameters" or "scales"."""

    def set(self, name: str, replica: int, values: Float32) -> None:
        """Replace a replica's "parameters" or "scales"."""


class LineLearner(Protocol):
    """One line network. Its state is `parameters`, `mean`, `square` and `average`, each (parameters,), and `steps`."""

    steps: int

    def step(self, lesson: LineLesson, rate: float) -> float:
        """Learn some lines in one step; return the mean loss of a line.

        A line's loss is minus the logarithm of the sum over all alignments of its text, divided by its length and
        one; a text that no alignment fits has none.
        """

    def get(self, name: str) -> Float32:
        """Return a copy of "parameters", "mean", "square", "average", or "gradient" (of the last step)."""

    def set(self, name: str, values: Float32) -> None:
        """Replace "parameters", "mean", "square" or "average"."""


def line_learner(net: Net, rule: AdamW, threads: int) -> LineLearner:
    """Return a learner of lines on the chosen engine, its parameters all zero. Raises UsageError."""
    if chosen_engine() == REFERENCE:
        from lenet.engine.twins import TwinLineLearner

        return TwinLineLearner(net, rule)
    from lenet.engine.native_learners import NativeLineLearner

    return NativeLineLearner(net, rule, chosen_engine(), threads)


def batch_learner(net: Net, loss: Loss, rule: SGD, threads: int) -> BatchLearner:
    """Return a learner of mini-batches on the chosen engine, its parameters all zero. Raises UsageError."""
    if chosen_engine() == REFERENCE:
        from lenet.engine.twins import TwinBatchLearner

        return TwinBatchLearner(net, loss, rule)
    from lenet.engine.native_learners import NativeBatchLearner

    return NativeBatchLearner(net, loss, rule, chosen_engine(), threads)


def online_learner(net: Net, loss: Loss, replicas: int, threads: int) -> OnlineLearner:
    """Return an on-line learner on the chosen engine, its parameters all zero. Raises UsageError."""
    if chosen_engine() == REFERENCE:
        from lenet.engine.twins import TwinOnlineLearner

        return TwinOnlineLearner(net, loss, replicas)
    from lenet.engine.native_learners import NativeOnlineLearner

    return NativeOnlineLearner(net, loss, replicas, chosen_engine(), threads)
