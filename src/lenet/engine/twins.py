"""The readable truth of a training step: the learners in NumPy.

A run that diverges overflows without a warning, as on the native engine: the sum of the losses shows it.
"""

from __future__ import annotations

import numpy as np

from lenet.arrays import Float32, Int32, Tensors
from lenet.engine.gradients import Loss, backward, curvature, dropout_mask, loss_and_gradient, outputs
from lenet.engine.learner import FIRST_STEPS, SGD, AdamW, LineLesson, TrainingSet, find_dropped_units
from lenet.engine.line_loss import text_loss
from lenet.engine.lines import join_columns, split_columns
from lenet.engine.packing import pack_tensors, unpack_tensors
from lenet.engine.warp import warp
from lenet.network.spec import Net
from lenet.network.summary import tensor_shapes

_overflowing = np.errstate(over="ignore", invalid="ignore", divide="ignore")


def _size(net: Net) -> int:
    return sum(int(np.prod(shape)) for shape in tensor_shapes(net).values())


def _decay_weights(net: Net, decay: float) -> Float32:
    """Return the decay of each parameter: none of biases and coefficients."""
    shapes = tensor_shapes(net)
    decayed: Tensors = {name: np.full(shape, decay if len(shape) > 1 else 0) for name, shape in shapes.items()}
    return pack_tensors(net, decayed)


def _shown(patterns: TrainingSet, rows: Int32, distortions: Float32 | None) -> Float32:
    x = patterns.inputs[rows]
    return x if distortions is None else warp(x, distortions)


class _OneNetwork:
    """What learners of one network share: the steps so far, and the parts of the state, each (parameters,)."""

    def __init__(self, net: Net, decay: float, parts: tuple[str, ...]) -> None:
        self.net, self.steps = net, 0
        self._state = {name: np.zeros(_size(net), np.float32) for name in parts}
        self._decay = _decay_weights(net, decay)

    def get(self, name: str) -> Float32:
        """Return a copy of a part of the state."""
        return self._state[name].copy()

    def set(self, name: str, values: Float32) -> None:
        """Replace a part of the state."""
        self._state[name][:] = values


class TwinBatchLearner(_OneNetwork):
    """`lenet.engine.learners.BatchLearner`."""

    def __init__(self, net: Net, loss: Loss, rule: SGD) -> None:
        super().__init__(net, rule.decay, ("parameters", "velocity", "average", "gradient"))
        self.loss, self.rule = loss, rule

    @_overflowing
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
        loss, errors = 0.0, 0
        for step, rate in enumerate(rates):
            here = slice(step * self.rule.batch, (step + 1) * self.rule.batch)
            x = _shown(patterns, order[here], None if distortions is None else distortions[here])
            y = patterns.labels[order[here]]
            kept = {
                name: dropout_mask(noise, first + here.start, len(y), units, self.rule.dropout)[:, :, None, None]
                for name, units in find_dropped_units(self.net).items()
                if self.rule.dropout
            }
            tensors = unpack_tensors(self.net, self._state["parameters"])
            values = outputs(self.net, tensors, x, kept)
            scores = values[-1][:, :, 0, 0]
            losses, d_scores = loss_and_gradient(self.loss, scores, y, None if targets is None else targets[here])
            found = backward(self.net, tensors, values, d_scores / len(y), kept)
            self._state["gradient"] = pack_tensors(self.net, found)
            self._step(rate)
            loss += float(losses.sum())
            errors += int((scores.argmax(axis=1) != y).sum())
        return loss, errors

    def _step(self, rate: np.float32) -> None:
        """Move the parameters, in PyTorch's order of operations, and the average towards them."""
        rule, state = self.rule, self._state
        g = state["gradient"] + self._decay * state["parameters"]
        state["velocity"] = rule.momentum * state["velocity"] + g
        state["parameters"] -= rate * (g + rule.momentum * state["velocity"] if rule.nesterov else state["velocity"])
        self.steps += 1
        if rule.averaging:
            share = 1 - min(rule.averaging, self.steps / (self.steps + 1))
            state["average"] += share * (state["parameters"] - state["average"])


class TwinOnlineLearner:
    """`lenet.engine.learners.OnlineLearner`."""

    def __init__(self, net: Net, loss: Loss, replicas: int) -> None:
        self.net, self.loss = net, loss
        zeros = np.zeros((replicas, _size(net)), np.float32)
        self._state = {"parameters": zeros, "scales": np.ones_like(zeros)}

    def get(self, name: str, replica: int) -> Float32:
        """Return a copy of a replica's part of the state."""
        return self._state[name][replica].copy()

    def set(self, name: str, replica: int, values: Float32) -> None:
        """Replace a replica's part of the state."""
        self._state[name][replica] = values

    @_overflowing
    def run(
        self, patterns: TrainingSet, orders: Int32, distortions: Float32 | None, rates: Float32
    ) -> list[tuple[float, int]]:
        """Learn one pattern at a time: equations 18 and 19."""
        counts = []
        for replica, (flat, scales) in enumerate(zip(self._state["parameters"], self._state["scales"], strict=True)):
            loss, errors = 0.0, 0
            tensors = unpack_tensors(self.net, flat)
            for at, rate in enumerate(rates):
                row = orders[replica, at : at + 1]
                x = _shown(patterns, row, None if distortions is None else distortions[replica, at : at + 1])
                values = outputs(self.net, tensors, x, {})
                scores = values[-1][:, :, 0, 0]
                losses, d_scores = loss_and_gradient(self.loss, scores, patterns.labels[row])
                found = backward(self.net, tensors, values, d_scores, {})
                flat[:] = flat - rate * scales * pack_tensors(self.net, found)
                loss += float(losses.sum())
                errors += int(scores.argmax() != patterns.labels[row[0]])
            counts.append((loss, errors))
        return counts

    @_overflowing
    def estimate(self, patterns: TrainingSet, orders: Int32, mu: float) -> None:
        """Set each scale to 1 / (mu + h): equation 21."""
        for replica, (flat, rows) in enumerate(zip(self._state["parameters"], orders, strict=True)):
            h = curvature(self.net, unpack_tensors(self.net, flat), patterns.inputs[rows], self.loss)
            self._state["scales"][replica] = 1 / (mu + pack_tensors(self.net, h))


class TwinLineLearner(_OneNetwork):
    """`lenet.engine.learners.LineLearner`."""

    def __init__(self, net: Net, rule: AdamW) -> None:
        super().__init__(net, rule.decay, ("parameters", "mean", "square", "average", "gradient"))
        self.rule = rule

    @_overflowing
    def step(self, lesson: LineLesson, rate: float) -> float:
        """Learn some lines in one step."""
        tensors = unpack_tensors(self.net, self._state["parameters"])
        values = outputs(self.net, tensors, lesson.inputs, {})
        scores = split_columns(self.net, values[-1])
        d_scores = np.zeros_like(scores)
        losses = []
        lines = zip(lesson.columns.tolist(), lesson.texts, lesson.lengths.tolist(), strict=True)
        for line, (columns, text, length) in enumerate(lines):
            loss, d_scores[line, :columns] = text_loss(scores[line, :columns], text[:length])
            losses.append(loss)
        found = backward(self.net, tensors, values, join_columns(self.net, d_scores / len(losses)), {})
        self._state["gradient"] = pack_tensors(self.net, found)
        self._move(rate)
        return float(np.mean(losses))

    def _move(self, rate: float) -> None:
        """Move the parameters, in PyTorch's order of operations, and the average towards them."""
        rule, state = self.rule, self._state
        self.steps += 1
        length = float(np.sqrt((state["gradient"].astype(np.float64) ** 2).sum()))
        g = state["gradient"] * np.float32(min(1.0, rule.longest_step / (length + 1e-6)))
        state["mean"] += np.float32(1 - rule.first) * (g - state["mean"])
        state["square"] = np.float32(rule.second) * state["square"] + np.float32(1 - rule.second) * g * g
        spread = np.sqrt(state["square"]) / np.float32(np.sqrt(1 - rule.second**self.steps)) + np.float32(rule.epsilon)
        step = np.float32(rate / (1 - rule.first**self.steps)) * state["mean"] / spread
        state["parameters"] *= 1 - np.float32(rate) * self._decay
        state["parameters"] -= step
        share = 1 - min(rule.averaging, self.steps / (self.steps + FIRST_STEPS))
        state["average"] += np.float32(share) * (state["parameters"] - state["average"])
