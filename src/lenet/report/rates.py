"""The rates of the parameters in the first pass (appendix C), estimated anew from the paper's recipe."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Float32
from lenet.data.dataset import Digits
from lenet.engine.gradients import Loss
from lenet.engine.learner import TrainingSet
from lenet.engine.learners import online_learner
from lenet.engine.packing import pack_tensors
from lenet.network.initialisation import draw_tensors
from lenet.network.inputs import to_input
from lenet.training.plan import RATES_1998, draw_plan, make_generator
from lenet.training.recipes import RECIPES


def measure_first_rates(digits: Digits, initialisation: str, seed: int = 0) -> Float32:
    """Return the rates in pass 1 (60,000,) of the replica of `paper` with this seed, from first weights by a scheme.

    They are eta / (mu + h), with h over the patterns of `digits` that its plan draws.
    """
    recipe = RECIPES["paper"]
    net = recipe.network()
    tensors = draw_tensors(net, initialisation, make_generator(seed, 0))
    rows = draw_plan(recipe, len(digits), seed, 1).curvature
    assert rows is not None
    learner = online_learner(net, Loss(recipe.loss, recipe.label_smoothing, recipe.junk, recipe.unit), 1, 1)
    learner.set("parameters", 0, pack_tensors(net, tensors))
    patterns = TrainingSet(to_input(digits.glyphs[rows]), digits.labels[rows])
    learner.estimate(patterns, np.arange(len(rows), dtype=np.int32)[None], recipe.mu)
    # A kernel outside Table I is zero, and has no rate; biases begin at zero and have one.
    there = pack_tensors(net, {name: (t != 0) | (t.ndim == 1) for name, t in tensors.items()}) > 0
    return (RATES_1998[0] * learner.get("scales", 0)[there]).astype(np.float32)
