"""A line network's steps on lenet's own engine, on the CPU: all cores, the same bits for any number of them."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Floats, Int64, Tensors, Uint8
from lenet.engine.learner import AdamW, LineLesson
from lenet.engine.learners import line_learner
from lenet.engine.lines import LineNetwork
from lenet.engine.packing import pack_tensors, unpack_tensors
from lenet.errors import TrainingError
from lenet.native.dispatch import chosen_engine, count_cores
from lenet.network.initialisation import draw_tensors
from lenet.network.spec import LINE_NETS
from lenet.network.weights import Weights
from lenet.training.line_recipe import LineRecipe
from lenet.training.line_stream import LineBatch, count_columns
from lenet.training.synthetic.line_variation import draw_variation, vary_lines

_PARTS = ("parameters", "mean", "square", "average")


class EngineLines:
    """The `LineBackend` on the native engine or, if LENET_ENGINE says so, on its NumPy twin."""

    name = "engine"

    def __init__(self, recipe: LineRecipe, seed: int, initial: Tensors | None) -> None:
        threads = count_cores()
        self.runs_on = f"{chosen_engine()}, {threads} thread{'' if threads == 1 else 's'}"
        self.recipe, self.net = recipe, LINE_NETS[recipe.net]
        rule = AdamW(recipe.weight_decay, averaging=recipe.averaging)
        self._learner = line_learner(self.net, rule, threads)
        start = draw_tensors(self.net, "he", np.random.default_rng(seed)) if initial is None else initial
        for part in ("parameters", "average"):
            self._learner.set(part, pack_tensors(self.net, start))
        # The network of the kept weights, and after which step they were kept.
        self._kept: tuple[int, LineNetwork | None] = (0, None)

    def keep(self, lines: LineBatch) -> LineBatch:
        """Return the lines of a pass as they are."""
        return lines

    def settle(self, strips: Uint8) -> None:
        """Nothing is to be set: given weights are learned from as they are."""

    def step(self, lines: LineBatch, rows: Int64, rng: np.random.Generator, share: float) -> float:
        """Learn from those rows of kept lines; return the mean loss of a label."""
        change = draw_variation(len(rows), lines.strips.shape[2], rng)
        inputs = vary_lines(lines.strips[rows], change, rng)
        columns = count_columns(change.widen(lines.widths[rows]), change.wanted, self.net)
        counts = np.ascontiguousarray(lines.counts[rows])
        texts = np.ascontiguousarray(lines.labels[rows, : max(1, int(counts.max()))])
        return self._learner.step(LineLesson(inputs, columns, texts, counts), self.recipe.rate_at(share))

    def scores(self, strips: Uint8) -> Floats:
        """Score strips (n, 32, W) by the kept weights: (n, columns, k)."""
        steps, network = self._kept
        if network is None or steps != self._learner.steps:
            network = LineNetwork(Weights(self.net, self.weights()))
            self._kept = self._learner.steps, network
        return network.column_scores(strips)

    def weights(self) -> Tensors:
        """Return the kept tensors."""
        return unpack_tensors(self.net, self._learner.get("average"))

    def state(self) -> Tensors:
        """Return all that a later pass goes on from, as named arrays."""
        return {"steps": np.array(self._learner.steps), **{part: self._learner.get(part) for part in _PARTS}}

    def restore(self, state: Tensors) -> None:
        """Take up a state again. Raises TrainingError when it belongs to another recipe."""
        try:
            for part in _PARTS:
                self._learner.set(part, state[part])
            self._learner.steps = int(state["steps"])
            self._kept = 0, None
        except (KeyError, ValueError) as error:
            raise TrainingError("state", f"does not fit this recipe ({error})", "start a new run") from error
