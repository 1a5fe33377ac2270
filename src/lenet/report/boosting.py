"""Boosted LeNet-4 (section III.C.9): what the second and the third network learn, and the answer of all three.

The second learns what the first got wrong among ten distorted copies of the training set, and as much that it got
right; the third learns what the two disagree on. The paper does not say how large these sets were: ours are shown in
shuffled rounds until a pass is as long as the first network's.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from lenet.arrays import Bools, Float32, Int32
from lenet.data.dataset import Dataset
from lenet.engine import Network, distort
from lenet.errors import TrainingError
from lenet.network.inputs import to_input
from lenet.report.measured import Run
from lenet.training.distortions import draw
from lenet.training.plan import PassPlan, Plans, make_generator, plan_rates
from lenet.training.recipe import Recipe

COPIES = 10
_AT_ONCE = 10_000
# The streams of a replica's seed that no pass draws from.
_CANDIDATES, _ROUNDS = 0xB0057, 0x200DD5


class _Filtered:
    """Plans whose patterns are those that `wanted` keeps of the distorted training set."""

    def __init__(self, runs: list[Path], data: Dataset, recipe: Recipe) -> None:
        training, _held_out = data.split(recipe.hold_out)
        n = recipe.train_on or len(training)
        self.runs, self.recipe = [Run(run) for run in runs], recipe
        self.inputs, self.labels = to_input(training.glyphs[:n]), training.labels[:n]
        self._kept: dict[int, tuple[Int32, Float32]] = {}

    def __call__(self, recipe: Recipe, n: int, seed: int, passed: int) -> PassPlan:
        rows, distortions = self.patterns(seed)
        shown = np.concatenate(
            [
                make_generator(seed, _ROUNDS + passed * 1000 + k).permutation(len(rows))
                for k in range(-(-n // len(rows)))
            ]
        )[:n]
        rng = make_generator(seed, passed)
        curvature = rng.permutation(n)[: recipe.curvature_patterns].astype(np.int32)
        return PassPlan(
            rows[shown],
            plan_rates(recipe, n, passed),
            distortions[shown],
            int(rng.integers(2**62)),
            rows[shown][curvature],
        )

    def patterns(self, seed: int) -> tuple[Int32, Float32]:
        """Return the rows (m,) and distortions (m, 56) that a replica learns. Raises TrainingError for none at all."""
        if seed not in self._kept:
            rng = make_generator(seed, _CANDIDATES)
            nets = [run.network(seed) for run in self.runs]
            found: list[tuple[Int32, Float32]] = []
            for _copy in range(COPIES):
                for first in range(0, len(self.labels), _AT_ONCE):
                    rows = np.arange(first, min(first + _AT_ONCE, len(self.labels)), dtype=np.int32)
                    assert self.recipe.distortions is not None
                    warps = draw(self.recipe.distortions, len(rows), rng)
                    keep = self._wanted(nets, rows, warps, rng)
                    found.append((rows[keep], warps[keep]))
            kept_rows, kept_warps = (np.concatenate(column) for column in zip(*found, strict=True))
            if not len(kept_rows):
                raise TrainingError(f"seed {seed}", "the networks before agree on every pattern and get it right")
            self._kept[seed] = kept_rows, kept_warps
        return self._kept[seed]

    def _wanted(self, nets: list[Network], rows: Int32, warps: Float32, rng: np.random.Generator) -> Bools:
        inputs = distort(self.inputs[rows], warps)
        answers = [net.forward(inputs).argmax(axis=1) for net in nets]
        if len(answers) > 1:
            return answers[0] != answers[1]
        wrong = answers[0] != self.labels[rows]
        right = rng.permutation(np.flatnonzero(~wrong))[: int(wrong.sum())]
        wrong[right] = True
        return wrong


def ensemble_checksums(runs: list[Path]) -> dict[str, str]:
    """Return the checksum of each run's weights: what the next network's patterns depend on.

    Raises TrainingError when one of the runs has not been finished.
    """
    found = {}
    for run in runs:
        if not (run / "result.json").exists():
            raise TrainingError(run, "is not a finished run", "train the networks of the ensemble in order")
        digest = hashlib.sha256()
        for each in Run(run).result["replicas"]:
            digest.update((run / each["weights"]).read_bytes())
        found[run.name] = digest.hexdigest()[:16]
    return found


def plan_boosted(runs: list[Path], data: Dataset, recipe: Recipe) -> Plans:
    """Return the plans of the second network from the run of the first, or of the third from both runs."""
    return _Filtered(runs, data, recipe)
