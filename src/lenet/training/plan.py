"""The plan of one pass, as data: the order, the rates and the distortions, the same for every backend."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, cos, pi
from typing import Protocol

import numpy as np

from lenet.arrays import Float32, Int32
from lenet.training.distortions import draw
from lenet.training.recipe import Recipe

# Section III.B: the global rate of each of the 20 passes.
RATES_1998 = (*[5e-4] * 2, *[2e-4] * 3, *[1e-4] * 3, *[5e-5] * 4, *[1e-5] * 8)
# Streams of a replica's seed beside those of its passes: its pool's distortions, and each shuffled round of the pool;
# the distortions of patterns that the curvature is estimated on; and those of passes whose distortions come again.
_POOL, _ROUND, _CURVED, _CYCLE = 0x900D, 0x5000, 0xC000, 0xF0000


@dataclass(frozen=True)
class PassPlan:
    """What one replica does in one pass over n patterns in `steps` steps.

    `order` (n,) is the row of each presentation, `plan_rates` (steps,) the learning rate of each step,
    `distortions` (n, 56) go with the presentations (None: none), `noise` seeds what a backend draws itself;
    `curvature` (m,) are the rows that the parameters' own rates are estimated on before the pass (None: not), distorted
    by `curvature_distortions` (m, 56) if these are there. `turn` is which of the recipe's `cycle` of distortions these
    are: a row has the same ones whenever the turn is the same (None: never).
    """

    order: Int32
    rates: Float32
    distortions: Float32 | None
    noise: int
    curvature: Int32 | None = None
    curvature_distortions: Float32 | None = None
    turn: int | None = None


class Plans(Protocol):
    """What draws the plan of pass `passed` (1 is the first) of the replica with this seed over n patterns."""

    def __call__(self, recipe: Recipe, n: int, seed: int, passed: int) -> PassPlan: ...  # noqa: D102


def make_generator(seed: int, passed: int) -> np.random.Generator:
    """Return the stream of one replica's seed and one pass (0: its initial weights); nothing else feeds it."""
    return np.random.default_rng([seed, passed])


def steps_per_pass(recipe: Recipe, n: int) -> int:
    """Return the number of mini-batches in a pass over n patterns; the last may be smaller."""
    return ceil(n / recipe.batch)


def draw_plan(recipe: Recipe, n: int, seed: int, passed: int) -> PassPlan:
    """Draw the plan of pass `passed` (1 is the first) of the replica with this seed over n patterns."""
    rng = make_generator(seed, passed)
    # One order for all passes is the one that pass 1 would draw.
    order = (make_generator(seed, 1) if recipe.order == "constant" else rng).permutation(n).astype(np.int32)
    distortions: Float32 | None
    turn = (passed - 1) % recipe.cycle if recipe.cycle else None
    if recipe.pool:
        order, distortions = _take_from_pool(recipe, n, seed, passed)
    elif turn is not None and recipe.distortions:
        distortions = draw(recipe.distortions, n, make_generator(seed, _CYCLE + turn))[order]
    else:
        distortions = draw(recipe.distortions, n, rng) if recipe.distortions else None
    noise = int(rng.integers(2**62))
    curvature, curved = None, None
    if recipe.curvature_patterns and (passed == 1 or recipe.estimates == "every pass"):
        rows = rng.permutation(n) if recipe.curvature_rows == "random" else np.arange(n)
        curvature = rows[: recipe.curvature_patterns].astype(np.int32)
        if recipe.curvature_distorted and recipe.distortions:
            curved = draw(recipe.distortions, len(curvature), make_generator(seed, _CURVED + passed))
    return PassPlan(order, plan_rates(recipe, n, passed), distortions, noise, curvature, curved, turn)


def _take_from_pool(recipe: Recipe, n: int, seed: int, passed: int) -> tuple[Int32, Float32]:
    """Take the next n of a shuffled pool: each pattern once as it is and pool - 1 times distorted."""
    assert recipe.distortions is not None
    distortions = draw(recipe.distortions, n * recipe.pool, make_generator(seed, _POOL))
    distortions[:n] = 0
    distortions[:n, [0, 4]] = 1  # looks at its own place
    round_, place = divmod(passed - 1, recipe.pool)
    copies = make_generator(seed, _ROUND + round_).permutation(n * recipe.pool)[place * n : (place + 1) * n]
    return (copies % n).astype(np.int32), distortions[copies]


def plan_rates(recipe: Recipe, n: int, passed: int) -> Float32:
    """Return the learning rate of each step of a pass, by the recipe's schedule."""
    steps = steps_per_pass(recipe, n)
    if recipe.schedule == "constant":
        factors = [1.0] * steps
    elif recipe.schedule == "1998":
        factors = [RATES_1998[(passed - 1) * len(RATES_1998) // recipe.passes] / RATES_1998[0]] * steps
    elif recipe.schedule == "steps":
        factors = [0.1 ** ((passed - 1) // 10)] * steps
    else:
        last = recipe.passes * steps
        factors = [
            min(1.0, (step + 1) / steps) * (recipe.floor + (1 - recipe.floor) * 0.5 * (1 + cos(pi * step / last)))
            for step in range((passed - 1) * steps, passed * steps)
        ]
    return (recipe.rate * np.array(factors)).astype(np.float32)
