"""Training steps on lenet's own engine, on the CPU: mini-batches, or any number of replicas on-line."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Float32, Int32, Tensors
from lenet.engine import Network, distort
from lenet.engine.gradients import Loss
from lenet.engine.learner import SGD, TrainingSet
from lenet.engine.learners import BatchLearner, OnlineLearner, batch_learner, online_learner
from lenet.engine.packing import pack_tensors, unpack_tensors
from lenet.errors import TrainingError, UsageError
from lenet.native.dispatch import chosen_engine, count_cores
from lenet.network.weights import Weights
from lenet.training.backend import Counts, Material
from lenet.training.plan import PassPlan
from lenet.training.recipe import Recipe
from lenet.training.sequence_loss import SequenceTraining

# Rows that a teacher is asked of in one call.
_ASKED_AT_ONCE = 4096


class EngineBackend:
    """The `Backend` on the native engine or, if LENET_ENGINE says so, on its NumPy twin.

    A recipe with batches of one pattern and nothing but a rate (no momentum, decay, average or dropout) trains all
    its replicas side by side, each with its own order; other recipes train one replica after the other.
    """

    name = "engine"

    def __init__(self) -> None:
        self.engine = chosen_engine()
        self.runs_on = f"{self.engine}, {count_cores()} thread{'' if count_cores() == 1 else 's'}"
        self._learners: _Online | _Batches

    def require(self, recipe: Recipe) -> None:
        """Raise UsageError for batch normalisation."""
        if recipe.batch_norm:
            problem = "the engine does not train batch normalisation"
            raise UsageError(f"recipe {recipe.name}, batch_norm true", problem, "use --backend torch")

    def begin(self, recipe: Recipe, initial: list[Tensors], material: Material) -> None:
        """Take what there is to learn from, and each replica's initial tensors."""
        self.net = recipe.network()
        self.patterns = TrainingSet(np.ascontiguousarray(material.inputs), np.ascontiguousarray(material.labels))
        flat = [pack_tensors(self.net, each) for each in initial]
        self._learners = _Online(recipe, flat) if recipe.online else _Batches(recipe, flat, material)

    def run(self, plans: list[PassPlan], first: int, last: int) -> list[Counts]:
        """Do the steps `first` to `last` - 1 of a pass."""
        return self._learners.run(self.patterns, plans, first, last)

    def scores(self, inputs: Float32) -> list[Float32]:
        """Score inputs (n, 1, 32, 32) -> (n, k) with each replica's kept weights."""
        return [Network(Weights(self.net, tensors), self.engine).forward(inputs) for tensors in self.weights()]

    def weights(self) -> list[Tensors]:
        """Return each replica's kept tensors."""
        return [unpack_tensors(self.net, flat) for flat in self._learners.kept()]

    def state(self) -> Tensors:
        """Return the parameters and all that goes with them, as named arrays."""
        return self._learners.state()

    def restore(self, state: Tensors) -> None:
        """Take up a state again. Raises TrainingError when it belongs to another recipe."""
        try:
            self._learners.restore(state)
        except (KeyError, ValueError) as error:
            raise TrainingError("state", f"does not fit this recipe ({error})", "start a new run") from error


def _loss(recipe: Recipe) -> Loss:
    return Loss(recipe.loss, recipe.label_smoothing, recipe.junk, recipe.unit)


def _gather(patterns: TrainingSet, plans: list[PassPlan]) -> tuple[TrainingSet, Int32]:
    """Return the patterns that the curvature is estimated on, and each replica's rows (replicas, m) of them."""
    rows = np.stack([plan.curvature for plan in plans if plan.curvature is not None])
    bends = [plan.curvature_distortions for plan in plans if plan.curvature_distortions is not None]
    if not bends:
        return patterns, rows
    bent = distort(patterns.inputs[rows.ravel()], np.concatenate(bends))
    return TrainingSet(bent, patterns.labels[rows.ravel()]), np.arange(rows.size, dtype=np.int32).reshape(rows.shape)


class _Batches:
    """A learner of mini-batches for each replica."""

    def __init__(self, recipe: Recipe, initial: list[Float32], material: Material) -> None:
        self.recipe, self.teacher, self.numbers = recipe, material.teacher, material.numbers
        rule = SGD(
            recipe.batch * (2 if self.numbers else 1),
            recipe.momentum,
            recipe.nesterov,
            recipe.weight_decay,
            recipe.averaging,
            recipe.dropout,
        )
        self.parts = [
            "parameters",
            *(["velocity"] if recipe.momentum else []),
            *(["average"] if recipe.averaging else []),
        ]
        # what the teacher said of all rows in each turn of distortions that come again: for each learner, (n, k)
        self.said: list[dict[int, Float32]] = [{} for _each in initial]
        self.learners: list[BatchLearner] = []
        for flat in initial:
            learner = batch_learner(recipe.network(), _loss(recipe), rule, count_cores())
            learner.set("parameters", flat)
            learner.set("average", flat)
            self.learners.append(learner)

    def run(self, patterns: TrainingSet, plans: list[PassPlan], first: int, last: int) -> list[Counts]:
        shown = slice(first * self.recipe.batch, last * self.recipe.batch)
        counts = []
        for number, (learner, plan) in enumerate(zip(self.learners, plans, strict=True)):
            distortions = None if plan.distortions is None else plan.distortions[shown]
            rates, order = plan.rates[first:last], plan.order[shown]
            if self.numbers:
                counts.append(self._with_numbers(self.numbers, learner, patterns, plan, range(first, last)))
                continue
            targets = self._taught(patterns, plan, shown, self.said[number])
            seen = learner.run(patterns, order, distortions, rates, shown.start, plan.noise, targets)
            counts.append(Counts(*seen))
        return counts

    def _with_numbers(
        self, numbers: SequenceTraining, learner: BatchLearner, patterns: TrainingSet, plan: PassPlan, steps: range
    ) -> Counts:
        """Do steps one by one: what a number's candidates should say depends on what they say now."""
        net, batch, loss, errors = self.recipe.network(), self.recipe.batch, 0.0, 0
        for step in steps:
            shown = slice(step * batch, (step + 1) * batch)
            inputs, labels = patterns.inputs[plan.order[shown]], patterns.labels[plan.order[shown]]
            if plan.distortions is not None:
                inputs = distort(inputs, plan.distortions[shown])
            rows = plan.order[shown]
            targets = self.teacher(inputs, rows) if self.teacher else np.eye(net.outputs, dtype=np.float32)[labels]
            network = Network(Weights(net, unpack_tensors(net, learner.get("parameters"))))
            lesson = numbers.lesson(network, np.random.default_rng([plan.noise, step]), batch)
            both = TrainingSet(np.concatenate([inputs, lesson.inputs]), np.concatenate([labels, lesson.labels]))
            wanted = np.concatenate([targets, lesson.targets])
            order, rate = np.arange(len(both.labels), dtype=np.int32), plan.rates[step : step + 1]
            seen = Counts(*learner.run(both, order, None, rate, 2 * shown.start, plan.noise, wanted))
            loss, errors = loss + seen.loss - lesson.excess, errors + seen.errors
        return Counts(loss, errors)

    def _taught(self, patterns: TrainingSet, plan: PassPlan, shown: slice, said: dict[int, Float32]) -> Float32 | None:
        """Return what the teacher says (m, k) of what is shown.

        Of distortions that come again it is asked at once, row by row: a run that goes on later hears the same.
        """
        if self.teacher is None:
            return None
        if plan.turn is None or plan.distortions is None:
            inputs = patterns.inputs[plan.order[shown]]
            bent = inputs if plan.distortions is None else distort(inputs, plan.distortions[shown])
            return self.teacher(bent, plan.order[shown])
        if plan.turn not in said:
            rows, places = np.arange(len(plan.order), dtype=np.int32), np.argsort(plan.order)
            blocks = [slice(first, first + _ASKED_AT_ONCE) for first in range(0, len(rows), _ASKED_AT_ONCE)]
            parts = [
                self.teacher(distort(patterns.inputs[block], plan.distortions[places[block]]), rows[block])
                for block in blocks
            ]
            said[plan.turn] = np.concatenate(parts)
        return said[plan.turn][plan.order[shown]]

    def kept(self) -> list[Float32]:
        return [learner.get("average" if self.recipe.averaging else "parameters") for learner in self.learners]

    def state(self) -> Tensors:
        named: Tensors = {}
        for number, learner in enumerate(self.learners):
            named |= {f"{number}/{part}": learner.get(part) for part in self.parts}
            named[f"{number}/steps"] = np.array(learner.steps)
        return named

    def restore(self, state: Tensors) -> None:
        for number, learner in enumerate(self.learners):
            for part in self.parts:
                learner.set(part, state[f"{number}/{part}"])
            learner.steps = int(state[f"{number}/steps"])


class _Online:
    """All replicas side by side; before a pass each one's rates are estimated anew, if its plan has patterns for it."""

    def __init__(self, recipe: Recipe, initial: list[Float32]) -> None:
        self.recipe, self.replicas = recipe, len(initial)
        self.estimated = False
        self.learner: OnlineLearner = online_learner(recipe.network(), _loss(recipe), self.replicas, count_cores())
        for number, flat in enumerate(initial):
            self.learner.set("parameters", number, flat)

    def run(self, patterns: TrainingSet, plans: list[PassPlan], first: int, last: int) -> list[Counts]:
        if first == 0 and plans[0].curvature is not None:
            self._estimate(*_gather(patterns, plans))
        orders = np.stack([plan.order[first:last] for plan in plans])
        distortions = None
        if plans[0].distortions is not None:
            distortions = np.stack([plan.distortions[first:last] for plan in plans if plan.distortions is not None])
        return [Counts(*each) for each in self.learner.run(patterns, orders, distortions, plans[0].rates[first:last])]

    def _estimate(self, patterns: TrainingSet, rows: Int32) -> None:
        """Estimate h anew for all replicas; the `memory` of the recipe keeps a share of the old h."""
        mu, memory = self.recipe.mu, self.recipe.memory if self.estimated else 0.0
        old = [self.learner.get("scales", number) for number in range(self.replicas)] if memory else []
        self.learner.estimate(patterns, rows, mu)
        for number, scales in enumerate(old):
            inverse = memory / scales + (1 - memory) / self.learner.get("scales", number)  # mu + h, both averaged
            self.learner.set("scales", number, (1 / inverse).astype(np.float32))
        self.estimated = True

    def kept(self) -> list[Float32]:
        return [self.learner.get("parameters", number) for number in range(self.replicas)]

    def state(self) -> Tensors:
        parts = ("parameters", "scales")
        return {f"{number}/{part}": self.learner.get(part, number) for number in range(self.replicas) for part in parts}

    def restore(self, state: Tensors) -> None:
        for number in range(self.replicas):
            for part in ("parameters", "scales"):
                self.learner.set(part, number, state[f"{number}/{part}"])
        self.estimated = bool(self.recipe.curvature_patterns)
