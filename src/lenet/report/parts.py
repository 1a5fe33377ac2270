"""The trainings that the page needs: which recipe, how many replicas, on what, and the run folder of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lenet.arrays import Uint8
from lenet.data.dataset import Dataset, Digits
from lenet.engine import distort
from lenet.engine.warp import PARAMETERS
from lenet.network.inputs import from_input, to_input
from lenet.report.boosting import ensemble_checksums, plan_boosted
from lenet.report.paper import FLIPS
from lenet.training.backends import choose_backend
from lenet.training.loop import Progress, describe_task, train_replicas
from lenet.training.plan import Plans, draw_plan
from lenet.training.recipe import Recipe
from lenet.training.recipes import RECIPES
from lenet.training.run import RunFolder

# `--quick`: the same pages from fewer patterns and passes.
_QUICK_PATTERNS, _QUICK_PASSES = 2_000, 4
_GLYPHS_AT_ONCE = 5_000


@dataclass(frozen=True)
class Part:
    """One training; `share` is the part of the training set that it sees, `after` the parts that it needs."""

    name: str
    recipe: str
    replicas: int
    about: str
    share: float = 1.0
    altered: Callable[[Dataset], Dataset] | None = None
    after: tuple[str, ...] = ()

    def recipe_for(self, n: int, quick: bool) -> Recipe:
        """Return the recipe over n training patterns."""
        recipe = RECIPES[self.recipe]
        if quick:
            n = _QUICK_PATTERNS
            recipe = replace(recipe, passes=_QUICK_PASSES)
        if quick or self.share < 1:
            recipe = replace(recipe, train_on=round(self.share * n))
        return recipe if self.name == "paper" else replace(recipe, watch=False)

    def presentations(self, n: int, quick: bool) -> int:
        """Return how often a pattern is shown to a replica in all, over n training patterns."""
        recipe = self.recipe_for(n, quick)
        return self.replicas * recipe.passes * (recipe.train_on or n)


def add_flips(data: Dataset) -> Dataset:
    """Invert a tenth of the pixels of each training glyph, as for the network of Fig. 13."""
    rng = np.random.default_rng(0)
    flips = rng.random(data.train.glyphs.shape) < FLIPS
    glyphs = np.where(flips, 255 - data.train.glyphs, data.train.glyphs)
    name = f"{data.name}, a tenth of the pixels inverted"
    return replace(data, name=name, train=Digits(glyphs, data.train.labels), checksum=f"{data.checksum}, inverted")


def at_16_pixels(data: Dataset) -> Dataset:
    """Shrink every digit from its 20x20 box to 16x16, which LeNet-1 sees in the middle of 28x28."""
    name = f"{data.name}, digits of 16x16"
    train, test = (Digits(shrink(part.glyphs), part.labels) for part in (data.train, data.test))
    return replace(data, name=name, train=train, test=test, checksum=f"{data.checksum}, 16x16")


def shrink(glyphs: Uint8) -> Uint8:
    """(n, 28, 28) -> (n, 28, 28): digits of 20 pixels become digits of 16, by bilinear sampling."""
    parts = []
    for first in range(0, len(glyphs), _GLYPHS_AT_ONCE):
        some = to_input(glyphs[first : first + _GLYPHS_AT_ONCE])
        distortions = np.zeros((len(some), PARAMETERS), np.float32)
        distortions[:, [0, 4]] = 20 / 16
        parts.append(from_input(distort(some, distortions)))
    return np.concatenate(parts)


PARTS: dict[str, Part] = {
    part.name: part
    for part in (
        Part("paper", "paper", 16, "LeNet-5 by the paper's recipe"),
        Part("paper-30000", "paper", 8, "on the first half of the patterns", share=0.5),
        Part("paper-15000", "paper", 8, "on the first quarter of them", share=0.25),
        Part(
            "distorted_as_written",
            "paper-distorted-as-written",
            8,
            "on the paper's pool, nine tenths distorted",
        ),
        Part("distorted", "paper-distorted", 8, "on distortions chosen on held-out writers"),
        Part("flips", "paper", 8, "with a tenth of the pixels inverted", altered=add_flips),
        Part("lenet1", "paper-lenet1", 8, "LeNet-1 on digits of 16x16", altered=at_16_pixels),
        Part("lenet4", "paper-lenet4", 8, "LeNet-4"),
        Part("boosted-1", "paper-lenet4-distorted", 8, "LeNet-4 on distorted digits, the first of three"),
        Part("boosted-2", "paper-lenet4-distorted", 8, "the second of three", after=("boosted-1",)),
        Part("boosted-3", "paper-lenet4-distorted", 8, "the third of three", after=("boosted-1", "boosted-2")),
    )
}


def train_part(
    part: Part, data: Dataset, runs: Path, quick: bool, report: Callable[[Progress], None]
) -> dict[str, Any] | None:
    """Train what is missing of a part; return the result, or None when it was there already.

    Raises TrainingError when its folder holds another run, or when a part that it needs has not been trained.
    """
    folder = RunFolder(runs / part.name)
    recipe = part.recipe_for(len(data.train), quick)
    shown = part.altered(data) if part.altered else data
    seeds = list(range(part.replicas))
    before = [runs / name for name in part.after]
    plans_from = ensemble_checksums(before) if before else None
    backend = choose_backend("engine", None)
    if (folder.path / "result.json").exists():
        folder.compare(describe_task(recipe, shown, backend.name, seeds, plans_from=plans_from))
        return None
    plans: Plans = plan_boosted(before, data, recipe) if before else draw_plan
    return train_replicas(
        recipe, shown, folder, backend, seeds, plans=plans, plans_from=plans_from, resume=True, report=report
    )
