"""The learners of `lenet.engine.learners` on the native engine."""

from __future__ import annotations

from lenet.arrays import Float32, Int32
from lenet.engine.gradients import Loss
from lenet.engine.learner import SGD, AdamW, LineLesson, TrainingSet, find_dropped_units
from lenet.engine.packing import describe_layers, describe_line_layers
from lenet.native import _native
from lenet.network.inputs import LINE_HEIGHT
from lenet.network.spec import Convolution, Net


class _Shown:
    """The patterns as the native engine holds them, made once."""

    def __init__(self) -> None:
        self._patterns: TrainingSet | None = None

    def __call__(self, patterns: TrainingSet) -> _native.Patterns:
        if patterns is not self._patterns:
            self._native = _native.Patterns(patterns.inputs, patterns.labels)
            self._patterns = patterns
        return self._native


class _OneNetwork:
    """What learners of one network share: the steps so far, and the parts of the state, each (parameters,)."""

    _learner: _native.BatchLearner | _native.LineLearner

    @property
    def steps(self) -> int:
        """The steps so far."""
        return self._learner.steps

    @steps.setter
    def steps(self, steps: int) -> None:
        self._learner.steps = steps

    def get(self, name: str) -> Float32:
        """Return a copy of a part of the state."""
        return self._learner.get(name)

    def set(self, name: str, values: Float32) -> None:
        """Replace a part of the state."""
        self._learner.set(name, values)


class NativeBatchLearner(_OneNetwork):
    """`lenet.engine.learners.BatchLearner`."""

    def __init__(self, net: Net, loss: Loss, rule: SGD, instructions: str, threads: int) -> None:
        dropped = find_dropped_units(net)
        convolutions = [layer for layer in net.layers if isinstance(layer, Convolution)]
        self._learner: _native.BatchLearner = _native.BatchLearner(
            _native.Network(describe_layers(net), net.margin),
            instructions,
            loss.kind,
            loss.smoothing,
            loss.junk,
            loss.unit,
            rule.batch,
            rule.momentum,
            rule.decay,
            rule.nesterov,
            rule.averaging,
            [rule.dropout if layer.name in dropped else 0.0 for layer in convolutions],
        )
        self._threads = threads
        self._shown = _Shown()

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
        """Learn the rows of `order`, a mini-batch at a time."""
        shown = self._shown(patterns)
        return self._learner.run(shown, order, distortions, targets, rates, first, noise, self._threads)


class NativeOnlineLearner:
    """`lenet.engine.learners.OnlineLearner`."""

    def __init__(self, net: Net, loss: Loss, replicas: int, instructions: str, threads: int) -> None:
        network = _native.Network(describe_layers(net), net.margin)
        self._learner = _native.OnlineLearner(
            network, instructions, loss.kind, loss.smoothing, loss.junk, loss.unit, replicas
        )
        self._threads = threads
        self._shown = _Shown()

    def get(self, name: str, replica: int) -> Float32:
        """Return a copy of a replica's part of the state."""
        return self._learner.get(name, replica)

    def set(self, name: str, replica: int, values: Float32) -> None:
        """Replace a replica's part of the state."""
        self._learner.set(name, replica, values)

    def run(
        self, patterns: TrainingSet, orders: Int32, distortions: Float32 | None, rates: Float32
    ) -> list[tuple[float, int]]:
        """Learn one pattern at a time."""
        return self._learner.run(self._shown(patterns), orders, distortions, rates, self._threads)

    def estimate(self, patterns: TrainingSet, orders: Int32, mu: float) -> None:
        """Set each scale to 1 / (mu + h)."""
        self._learner.estimate(self._shown(patterns), orders, mu, self._threads)


class NativeLineLearner(_OneNetwork):
    """`lenet.engine.learners.LineLearner`."""

    def __init__(self, net: Net, rule: AdamW, instructions: str, threads: int) -> None:
        numbers = (rule.decay, rule.first, rule.second, rule.epsilon, rule.longest_step, rule.averaging)
        layers = describe_line_layers(net)
        self._learner: _native.LineLearner = _native.LineLearner(
            layers, LINE_HEIGHT, instructions, net.columns, *numbers
        )
        self._threads = threads

    def step(self, lesson: LineLesson, rate: float) -> float:
        """Learn some lines."""
        return self._learner.step(lesson.inputs, lesson.columns, lesson.texts, lesson.lengths, rate, self._threads)
